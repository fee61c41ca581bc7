"""Everything about bytes: grid sorting, planes, feature video, scene package, streaming.

    trained scene -> codec.encoder.encode_scene -> files -> codec.scene.open_scene -> Gop

Knows no Qt. docs/format.md specifies the files.

Errors (`codec.errors`):
    CodecError(Exception)                  anything this package raises on purpose
      NotAScene(ValueError)                the location holds no scene, or a broken manifest
        UnsupportedVersion                 a format version that this program does not know
      CorruptSegment(ValueError)           a file is not what scene.json says
      MissingSegment(FileNotFoundError)    a file that scene.json names is not there
      SceneUnreachable(ConnectionError)    the server fails, is silent or too slow
      SceneChanged(OSError)                another scene is at this location now: open it again
      Cancelled(InterruptedError)          the caller no longer wants the result
      UnknownQuality(LookupError)          the scene has no such quality
      EncodeError(ValueError)              the trained scene cannot be written in this format
      WriteError(OSError)                  a file cannot be written, or must not be replaced
      ServeError(OSError)                  the development server cannot start
"""

from streamstgs.codec.errors import (
    Cancelled,
    CodecError,
    CorruptSegment,
    EncodeError,
    MissingSegment,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
    ServeError,
    UnknownQuality,
    UnsupportedVersion,
    WriteError,
)

__all__ = [
    "Cancelled",
    "CodecError",
    "CorruptSegment",
    "EncodeError",
    "MissingSegment",
    "NotAScene",
    "SceneChanged",
    "SceneUnreachable",
    "ServeError",
    "UnknownQuality",
    "UnsupportedVersion",
    "WriteError",
]
