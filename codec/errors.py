"""The errors of the codec; the package docstring shows their tree.

Each message is one sentence that names the file and what is wrong with it.
"""


class CodecError(Exception):
    """Base of all errors that this package raises on purpose."""


class NotAScene(CodecError, ValueError):
    """The location holds no scene, or its scene.json is invalid."""


class UnsupportedVersion(NotAScene):
    """The scene has a format version that this program does not know."""


class CorruptSegment(CodecError, ValueError):
    """The content of a file is not what scene.json declares."""


class MissingSegment(CodecError, FileNotFoundError):
    """A file that scene.json names is missing."""


class SceneUnreachable(CodecError, ConnectionError):
    """The server did not answer, answered with an error, or took too long."""


class SceneChanged(CodecError, OSError):
    """The scene at this location was replaced by another one while it was open."""


class Cancelled(CodecError, InterruptedError):
    """The operation was cancelled by its caller."""


class UnknownQuality(CodecError, LookupError):
    """The scene has no such quality."""


class EncodeError(CodecError, ValueError):
    """The trained scene cannot be written in this format."""


class WriteError(CodecError, OSError):
    """A file or directory cannot be written, or must not be replaced."""


class ServeError(CodecError, OSError):
    """The development server cannot start."""
