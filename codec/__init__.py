"""Everything about bytes: encoding, the scene package, streaming, decoding. Knows no Qt.

    trained scene -> encoder.encode.encode_scene -> package -> scene.open_scene -> Gop
                                                            -> formats.registry.open_reader

Rooms, in the order in which they import each other: `attributes` and `video` turn values into bytes
and back, `package` declares and writes files, `streaming` fetches them, `scene` opens a package for
the player, `encoder` makes one, `formats` reads scenes of any format. docs/format.md specifies the
files.

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
