"""Errors of the player outside a running playback; the package docstring shows the tree."""


class PlayerError(Exception):
    """Every error that this package raises on purpose; the message is for a person."""


class ArgumentError(PlayerError, ValueError):
    """A value that was passed makes no sense, such as a time of NaN; the message names it."""


class CameraPathError(PlayerError, ValueError):
    """There is no such camera, or the camera path file is malformed."""


class TimeTrackError(PlayerError, ValueError):
    """The time track is empty or malformed."""


class PlaylistError(PlayerError, ValueError):
    """The playlist of a kiosk is empty or malformed."""


class OutputError(PlayerError, ValueError):
    """The video or image cannot be written as it was asked for."""


class BenchError(PlayerError, ValueError):
    """A file does not hold the figures of a benchmark."""


class NoSceneError(PlayerError, RuntimeError):
    """A viewer was asked for something that needs an open scene."""


class SceneFailed(PlayerError, RuntimeError):
    """The scene of a viewer cannot be opened or cannot go on; the message says why."""


class SceneTimeout(PlayerError, TimeoutError):
    """The scene of a viewer had no frame within the time that was given."""
