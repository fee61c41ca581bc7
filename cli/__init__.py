"""What can be typed behind `streamstgs`: a module per command.

A command is a frozen dataclass of its arguments with a `run` method. Its module is imported when
the command is named, and what the command works with when it runs: so `info` or `serve` start fast
and need no Qt. What commands share lies in `options` (arguments) and `parsing` (their meaning).
"""
