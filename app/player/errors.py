"""What can go wrong outside the running playback; the tree is drawn in the package docstring."""


class PlayerError(Exception):
    """Anything this package raises on purpose; the message is for a person."""


class CameraPathError(PlayerError, ValueError):
    """There is no such camera, or the camera path file does not say what it should."""


class OutputError(PlayerError, ValueError):
    """The picture or film that was asked for cannot be written like that."""
