"""The error tree of `trainer` (drawn in the package docstring)."""


class TrainerError(RuntimeError):
    """Base of every error the trainer raises on purpose."""


class CaptureError(TrainerError, ValueError):
    """The multi-view capture cannot be used; the message names the camera or file."""


class EvaluationError(TrainerError, ValueError):
    """The scene lacks a quality or frame that was asked for; the message lists those it has."""


class SettingError(TrainerError, ValueError):
    """A setting is outside its range; the message names its option."""


class MemoryNeedError(TrainerError, MemoryError):
    """The capture does not fit into memory; the message names an option that helps."""


class SequenceError(TrainerError, ValueError):
    """The Gaussians of a sequence do not correspond, so that nothing can be fitted to them."""


class RunError(TrainerError, ValueError):
    """A run directory is missing parts or does not fit its capture."""
