"""PLY files: the header, and elements as NumPy records; text or binary, either byte order.

Nothing is allocated for a declared number before the data are known to be long enough for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2",
    "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
ASCII = "ascii"
BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", ASCII: "<"}
LINE_END = re.compile(rb"\r\n|\n|\r")
END_OF_HEADER = re.compile(rb"[\r\n][ \t]*end_header[ \t]*(?=[\r\n]|\Z)")  # no part of a comment
REMARKS = ("comment", "obj_info")
HEADER_MAX_BYTES = 65_536
MAGIC = (b"ply\n", b"ply\r")


class PlyError(ValueError):
    """The data are no PLY, or end before what their header declares."""


@dataclass(frozen=True)
class PlyElement:
    """One element of a header.

    Args:
        name: such as "vertex".
        count: how many records the header declares; at least 0.
        layout: of one record; None if it has lists, so that its size is not known.
    """

    name: str
    count: int
    layout: np.dtype | None

    @property
    def names(self) -> tuple[str, ...]:
        """The properties in their order."""
        return (self.layout.names or ()) if self.layout is not None else ()


@dataclass(frozen=True)
class PlyHeader:
    """What a header says.

    Args:
        form: a key of `BYTE_ORDERS`.
        elements: in the order of the data.
        size_bytes: where the data begin.
        comments: texts of the lines of comments.
    """

    form: str
    elements: tuple[PlyElement, ...]
    size_bytes: int
    comments: tuple[str, ...] = ()

    def element(self, name: str) -> PlyElement | None:
        """The first element of a name."""
        return next((element for element in self.elements if element.name == name), None)


def parse_header(data: bytes) -> PlyHeader:
    """The header of a file. Lines may end in LF, CRLF or CR; comments may be of any encoding.

    Raises:
        PlyError: it is no header of a PLY of version 1.0.
    """
    found = END_OF_HEADER.search(data, 0, HEADER_MAX_BYTES)
    if found is None:
        raise PlyError("its end is missing")
    end = found.end()
    lines = [
        words
        for line in LINE_END.split(data[:end])
        if (words := line.decode("utf-8", "replace").split())
    ]
    told = [words for words in lines if words[0] not in REMARKS]
    try:
        if told[0] != ["ply"] or told[1][0] != "format" or told[1][2:] != ["1.0"]:
            raise PlyError("wrong first lines")
        form = told[1][1]
        elements = _elements(told[2:], BYTE_ORDERS[form])
        comments = tuple(" ".join(words[1:]) for words in lines if words[0] == "comment")
    except PlyError:
        raise
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise PlyError(str(error)) from error
    return PlyHeader(form, elements, end + _line_end_bytes(data, end), comments)


def _line_end_bytes(data: bytes, end: int) -> int:
    """How long the end of the last line of a header is: data may begin with a byte like LF."""
    alone = data[3:5] != b"\r\n" and data[3:4] == b"\r"
    return 2 if data[end : end + 2] == b"\r\n" and not alone else 1


def _elements(lines: list[list[str]], order: str) -> tuple[PlyElement, ...]:
    found: list[tuple[str, int, list[list[str]]]] = []
    for words in lines:
        if words[0] == "element":
            count = int(words[2])
            if count < 0:
                raise PlyError(f"{count} of {words[1]}")
            found.append((words[1], count, []))
        elif words[0] == "property":
            found[-1][2].append(words[1:])
    return tuple(PlyElement(name, count, _layout(rows, order)) for name, count, rows in found)


def _layout(rows: list[list[str]], order: str) -> np.dtype | None:
    if any(row[0] == "list" for row in rows):
        return None
    return np.dtype([(name, order + TYPES[kind]) for kind, name in rows])


def read_element(data: bytes, header: PlyHeader, name: str) -> np.ndarray:
    """[N] records of the first element of a name, without a copy where they are binary.

    Raises:
        PlyError: there is none, it has lists or follows lists, or the data end before it does.
    """
    offset = header.size_bytes
    words_before = 0
    for element in header.elements:
        if element.layout is None or element.layout.itemsize == 0:
            raise PlyError(f"the records of {element.name} have lists or no properties")
        if element.name == name:
            if header.form == ASCII:
                return _read_text(data, header.size_bytes, words_before, element)
            return _read_binary(data, offset, element)
        offset += element.count * element.layout.itemsize
        words_before += element.count * len(element.names)
    raise PlyError(f"it has no {name}")


def _read_binary(data: bytes, offset: int, element: PlyElement) -> np.ndarray:
    assert element.layout is not None
    if offset + element.count * element.layout.itemsize > len(data):
        raise PlyError(f"{element.count} of {element.name} do not fit into the file")
    if element.count == 0:
        return np.empty(0, element.layout)
    return np.frombuffer(data, element.layout, element.count, offset)


def _read_text(data: bytes, begin: int, words_before: int, element: PlyElement) -> np.ndarray:
    assert element.layout is not None
    names = element.names
    wanted = words_before + element.count * len(names)
    if 2 * wanted - 1 > len(data) - begin:  # a digit and a blank for each number
        raise PlyError(f"{element.count} of {element.name} do not fit into the file")
    words = data[begin:].split(maxsplit=wanted)[words_before:wanted]
    try:
        numbers = np.array(words, dtype=np.float64).reshape(element.count, len(names))
        records = np.empty(element.count, element.layout)
        with np.errstate(over="ignore", invalid="ignore"):
            for column, name in enumerate(names):
                records[name] = numbers[:, column]
    except (ValueError, OverflowError) as error:
        raise PlyError(f"its numbers are broken: {error}") from error
    return records
