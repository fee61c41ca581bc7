"""Changes of bytes, of JSON documents and of MP4 boxes, drawn from a random generator."""

from __future__ import annotations

import copy
import json
import math
import struct
from random import Random
from typing import Any

EDGES = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
NUMBERS = (*EDGES, -1, -(2**31), 2**53, 10**18, 10**400, 0.5, -0.0, 1e-320, 1e38, 1e308)
TEXTS = ("", "0", "../x", "/etc/passwd", "a" * 300, "\0", "\ud800", "𝄞", "-", "NaN", "%00", "con")
OTHERS = (None, True, False, [], {}, [[]], {"": None}, math.inf, math.nan)


def mutated_bytes(data: bytes, rng: Random) -> bytes:
    """A few local changes: bits, numbers at the edges of their types, cuts, copies, insertions."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        _change(changed, rng)
    return bytes(changed)


def _change(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    length = rng.choice((1, 2, 4, 8, 16, 64, 300))
    kind = rng.randrange(7)
    if kind == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
    elif kind == 1 and at + 4 <= len(data):
        order = rng.choice("<>")
        width = rng.choice(("B", "H", "I"))
        value = rng.choice(EDGES) & (2 ** (8 * struct.calcsize(width)) - 1)
        struct.pack_into(order + width, data, at, value)
    elif kind == 2:
        del data[at:]
    elif kind == 3:
        del data[at : at + length]
    elif kind == 4:
        data[at:at] = rng.randbytes(length)
    elif kind == 5:
        source = rng.randrange(len(data) + 1)
        data[at:at] = data[source : source + length]
    else:
        data[at : at + length] = bytes(len(data[at : at + length]))


def mutated_json(document: Any, rng: Random) -> Any:
    """A document with a few values replaced, removed, doubled or exchanged."""
    changed = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change_value(changed, rng)
    return changed


def _change_value(document: Any, rng: Random) -> None:
    parent, key = document, None
    while isinstance(parent, (dict, list)) and parent:
        key = rng.choice(list(parent)) if isinstance(parent, dict) else rng.randrange(len(parent))
        if not isinstance(parent[key], (dict, list)) or not parent[key] or rng.random() < 0.15:
            break
        parent = parent[key]
    if key is None or not isinstance(parent, (dict, list)) or not parent:
        return
    kind = rng.randrange(8)
    value = parent[key]
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(value))
    elif kind == 2 and isinstance(parent, list):
        parent.extend(copy.deepcopy(parent) * rng.choice((1, 10)))
    elif kind == 3 and isinstance(value, (int, float)) and not isinstance(value, bool):
        parent[key] = value * rng.choice((-1, 2, 1000)) + rng.choice((0, 1, -1))
    elif kind == 4:
        parent[key] = rng.choice(TEXTS)
    elif kind == 5:
        parent[key] = copy.deepcopy(rng.choice(OTHERS))
    else:
        parent[key] = rng.choice(NUMBERS)


def json_bytes(document: Any) -> bytes:
    """A document as bytes; what JSON cannot say becomes NaN, Infinity and escapes."""
    return json.dumps(document).encode("utf-8", "surrogatepass")


def mutated_boxes(data: bytes, rng: Random) -> bytes:
    """An MP4 with one box changed: its size, its kind, its content, doubled or left out."""
    places = list(_boxes(data, 0, len(data)))
    if not places:
        return mutated_bytes(data, rng)
    begin, end = rng.choice(places)
    kind = rng.randrange(5)
    if kind == 0:
        sized = bytearray(data)
        struct.pack_into(">I", sized, begin, rng.choice(EDGES) & 0xFFFFFFFF)
        return bytes(sized)
    if kind == 1:
        return data[:end] + data[begin:end] + data[end:]
    if kind == 2:
        return data[:begin] + data[end:]
    if kind == 3:
        named = bytearray(data)
        named[begin + 4 : begin + 8] = rng.choice((b"moov", b"free", b"trun", b"trak", b"uuid"))
        return bytes(named)
    return (
        data[: begin + 8]
        + mutated_bytes(data[begin + 8 : end], rng)[: end - begin - 8].ljust(end - begin - 8, b"\0")
        + data[end:]
    )


def _boxes(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Begin and end of all boxes, nested ones too."""
    found = []
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            break
        found.append((start, start + size))
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"):
            found += _boxes(data, start + 8, start + size)
        start += size
    return found
