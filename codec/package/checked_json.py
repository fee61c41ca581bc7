"""Decodes untrusted JSON to values of declared types, with errors that name the place."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.file_kind import HEAD_BYTES, JSON, UNKNOWN, describe_file

T = TypeVar("T")
PLACE = re.compile(r"(?P<what>.*) - at `\$?\.?(?P<place>.*)`", re.DOTALL)


def decode_json(data: bytes | msgspec.Raw, kind: type[T], name: str) -> T:
    """Decode a document to a value of a msgspec type.

    Args:
        name: of the document, for messages.

    Raises:
        NotAScene: not JSON, or of another type; the message names the place and what it should be.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        told = PLACE.fullmatch(str(error))
        if told is None:
            raise NotAScene(f"{name}: {error}.") from error
        what = re.sub(r"matching regex .*", "that is a plain path below the scene", told["what"])
        what = what.replace("Expected", "expected", 1).replace("`", "")
        raise NotAScene(f"{name}: {told['place']}: {what}.") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotAScene(f"{name} is not valid JSON: {_reason(data, error)}.") from error


def _reason(data: bytes | msgspec.Raw, error: Exception) -> str:
    kind = describe_file(bytes(data)[:HEAD_BYTES])
    return str(error) if kind in (JSON, UNKNOWN) else f"it is {kind}"
