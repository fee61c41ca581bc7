"""Everything about bytes: encoding, the scene package, streaming, decoding. Knows no Qt.

    trained scene -> encoder.encode.encode_scene -> package -> scene.open_scene -> Gop
                                                            -> formats.registry.open_reader

Rooms, in the order in which they import each other: `attributes` and `video` turn values into bytes
and back, `package` declares and writes files, `streaming` fetches them, `scene` opens a package for
the player, `encoder` makes one, `formats` reads scenes of any format. docs/format.md specifies the
files.

Errors (`codec.errors`):
    CodecError(Exception)                  base of all errors that this package raises
      NotAScene(ValueError)                the location holds no scene, or an invalid manifest
        UnsupportedVersion                 a format version that this program does not know
      CorruptSegment(ValueError)           a file is not what scene.json declares
      MissingSegment(FileNotFoundError)    a file that scene.json names is missing
      SceneUnreachable(ConnectionError)    the server fails, does not answer or is too slow
      SceneChanged(OSError)                the scene at this location was replaced: open it again
      Cancelled(InterruptedError)          the operation was cancelled by its caller
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
