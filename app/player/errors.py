"""What can go wrong outside the running playback; the tree is drawn in the package docstring."""


class PlayerError(Exception):
    """Anything this package raises on purpose; the message is for a person."""


class CameraPathError(PlayerError, ValueError):
    """There is no such camera, or the camera path file does not say what it should."""


class OutputError(PlayerError, ValueError):
    """The picture or film that was asked for cannot be written like that."""


class NoSceneError(PlayerError, RuntimeError):
    """A viewer was asked for something that needs an open scene."""


class SceneFailed(PlayerError, RuntimeError):
    """The scene of a viewer cannot be opened or cannot go on; the message says why."""


class SceneTimeout(PlayerError, TimeoutError):
    """The scene of a viewer had no frame within the time that was given."""
