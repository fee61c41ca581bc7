"""What can go wrong between bytes and planes; the tree is drawn in the package docstring.

Each message is one sentence for a person: it names the file and says what is wrong with it.
"""


class CodecError(Exception):
    """Anything this package raises on purpose."""


class NotAScene(CodecError, ValueError):
    """The location holds no scene, or its scene.json is not one."""


class UnsupportedVersion(NotAScene):
    """The scene is of a format version that this program does not know."""


class CorruptSegment(CodecError, ValueError):
    """A file of the scene does not hold what scene.json says it holds."""


class MissingSegment(CodecError, FileNotFoundError):
    """A file that scene.json names is not there."""


class SceneUnreachable(CodecError, ConnectionError):
    """The server did not answer, answered with an error, or took too long."""


class SceneChanged(CodecError, OSError):
    """The scene at this location was replaced by another one while it was open."""


class Cancelled(CodecError, InterruptedError):
    """The caller no longer wants the result; nothing is wrong."""


class UnknownQuality(CodecError, LookupError):
    """The scene has no such quality."""


class EncodeError(CodecError, ValueError):
    """The trained scene cannot be written in this format."""


class WriteError(CodecError, OSError):
    """A file or directory cannot be written, or must not be replaced; names it."""


class ServeError(CodecError, OSError):
    """The development server cannot start."""
