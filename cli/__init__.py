"""The commands of `streamstgs`, one module each.

A command is a frozen dataclass of its arguments with a `run` method. Its module is imported when
the command is named; what the command works with is imported when it runs. So `info` and `serve`
start fast and need neither torch nor Qt. `options` holds arguments that commands share, `parsing`
turns their texts into values.
"""
