"""The error tree of `trainer` (drawn in the package docstring)."""


class TrainerError(RuntimeError):
    """Base of every error the trainer raises on purpose."""


class CaptureError(TrainerError, ValueError):
    """The multi-view capture cannot be used; the message names the camera or file."""


class EvaluationError(TrainerError, ValueError):
    """What was asked for is not in the scene; the message says what there is."""


class SettingError(TrainerError, ValueError):
    """A setting makes no sense; the message names its option."""


class MemoryNeedError(TrainerError, MemoryError):
    """The capture does not fit into memory; the message says what helps."""


class RunError(TrainerError, ValueError):
    """A run directory is missing parts or does not fit its capture."""
