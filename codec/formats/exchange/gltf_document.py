"""The parts of a glTF document that lead to Gaussians, and the values of its accessors.

Nothing is allocated for a declared number before the buffers are known to be long enough for it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from pathlib import PurePosixPath
from urllib.parse import unquote

import msgspec
import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.limits import SPLAT_FILE_BYTES
from streamstgs.codec.package.checked_json import decode_json

MAGIC = b"glTF"
GLB_HEADER, CHUNK_HEADER = struct.Struct("<4sII"), struct.Struct("<I4s")
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
JSON_BYTES = 64 << 20
DATA_URI = "data:"
DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
DIVISORS = {5120: 127.0, 5121: 255.0, 5122: 32_767.0, 5123: 65_535.0}  # of normalised integers
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
Index = int


class Accessor(msgspec.Struct):
    componentType: int
    count: int
    type: str
    bufferView: Index | None = None
    byteOffset: int = 0
    normalized: bool = False
    sparse: msgspec.Raw | None = None


class BufferView(msgspec.Struct):
    buffer: Index
    byteLength: int
    byteOffset: int = 0
    byteStride: int | None = None


class Buffer(msgspec.Struct):
    byteLength: int
    uri: str | None = None


class Node(msgspec.Struct):
    mesh: Index | None = None
    children: list[Index] = []
    matrix: list[float] | None = None
    rotation: list[float] | None = None
    scale: list[float] | None = None
    translation: list[float] | None = None


class SpzCompression(msgspec.Struct):
    bufferView: Index


class Compressions(msgspec.Struct, rename={
    "spz": "KHR_gaussian_splatting_compression_spz",
    "spz_2": "KHR_gaussian_splatting_compression_spz_2",
}):  # fmt: skip
    spz: SpzCompression | None = None
    spz_2: SpzCompression | None = None


class Splatting(msgspec.Struct):
    kernel: str = "ellipse"
    colorSpace: str = "srgb_rec709_display"
    extensions: Compressions = msgspec.field(default_factory=Compressions)


class PrimitiveExtensions(msgspec.Struct, rename={"splatting": "KHR_gaussian_splatting"}):
    splatting: Splatting | None = None


class Primitive(msgspec.Struct):
    attributes: dict[str, Index] = {}
    extensions: PrimitiveExtensions = msgspec.field(default_factory=PrimitiveExtensions)


class Mesh(msgspec.Struct):
    primitives: list[Primitive] = []


class Scene(msgspec.Struct):
    nodes: list[Index] = []


class Document(msgspec.Struct):
    scene: Index | None = None
    scenes: list[Scene] = []
    nodes: list[Node] = []
    meshes: list[Mesh] = []
    accessors: list[Accessor] = []
    bufferViews: list[BufferView] = []
    buffers: list[Buffer] = []
    extensionsRequired: list[str] = []


def is_gltf(head: bytes, name: str) -> bool:
    """Whether a file is a binary glTF file, or a .gltf document."""
    return head.startswith(MAGIC) or (name.lower().endswith(".gltf") and head.lstrip()[:1] == b"{")


class GltfFile:
    """A document with its buffers.

    Args:
        data: content of the .glb or .gltf file.
        name: its name, for messages.
        beside: reads buffers that are files of their own; None refuses these.

    Raises:
        CorruptSegment: it is damaged.
        NotAScene: its JSON is broken.
    """

    def __init__(
        self, data: bytes, name: str, beside: FileSet | None, cancel: CancelToken = NEVER
    ) -> None:
        self.name, self._beside, self._cancel = name, beside, cancel
        text: bytes | memoryview = data
        self._binary: memoryview | None = None
        if data.startswith(MAGIC):
            text, self._binary = _chunks(data, name)
        if len(text) > JSON_BYTES:
            raise CorruptSegment(f"{name}: its JSON is longer than {JSON_BYTES} bytes.")
        self.document: Document = decode_json(bytes(text), Document, name)
        self._buffers: dict[Index, memoryview] = {}

    def count(self, accessor: Index) -> int:
        """How many elements an accessor declares."""
        return self._of(self.document.accessors, accessor, "accessor").count

    def values(self, accessor: Index, widths: tuple[int, ...]) -> NDArray[np.float32]:
        """[N, W] values of an accessor; integers are normalised where it says so.

        Args:
            widths: numbers of components that are allowed.

        Raises:
            CorruptSegment: it does not fit into its buffer, or is of another kind.
        """
        found = self._of(self.document.accessors, accessor, "accessor")
        width = WIDTHS.get(found.type)
        if width not in widths or found.componentType not in DTYPES or found.sparse is not None:
            raise CorruptSegment(f"{self.name}: accessor {accessor} is of an unknown kind.")
        if found.bufferView is None or found.count < 0 or found.byteOffset < 0:
            raise CorruptSegment(f"{self.name}: accessor {accessor} has no values.")
        dtype = np.dtype(DTYPES[found.componentType])
        size, view = dtype.itemsize * width, self.view(found.bufferView)
        stride = self.document.bufferViews[found.bufferView].byteStride or size
        last = found.byteOffset + (found.count - 1) * stride + size
        if stride < size or (found.count and last > len(view)):
            raise CorruptSegment(f"{self.name}: accessor {accessor} reaches beyond its buffer.")
        table: NDArray[np.generic] = np.ndarray(
            (found.count, width), dtype, view, found.byteOffset, (stride, dtype.itemsize)
        )
        numbers = table.astype(np.float32)
        if found.normalized and found.componentType in DIVISORS:
            numbers = np.maximum(numbers / np.float32(DIVISORS[found.componentType]), -1)
        return numbers

    def view(self, index: Index) -> memoryview:
        """The bytes of a buffer view; raises CorruptSegment."""
        found = self._of(self.document.bufferViews, index, "buffer view")
        buffer = self._buffer(found.buffer)
        end = found.byteOffset + found.byteLength
        if min(found.byteOffset, found.byteLength) < 0 or end > len(buffer):
            raise CorruptSegment(f"{self.name}: buffer view {index} reaches beyond its buffer.")
        return buffer[found.byteOffset : end]

    def _buffer(self, index: Index) -> memoryview:
        if index not in self._buffers:
            declared = self._of(self.document.buffers, index, "buffer")
            self._buffers[index] = memoryview(self._content(declared, index))
        return self._buffers[index]

    def _content(self, buffer: Buffer, index: Index) -> bytes | memoryview:
        if buffer.uri is None:
            if self._binary is None or index != 0:
                raise CorruptSegment(f"{self.name}: buffer {index} is missing.")
            return self._binary
        if buffer.uri.startswith(DATA_URI):
            head, _, text = buffer.uri.partition(",")
            try:
                return base64.b64decode(text if head.endswith(";base64") else "!", validate=True)
            except (binascii.Error, ValueError) as error:
                raise CorruptSegment(f"{self.name}: buffer {index} is damaged.") from error
        file = unquote(buffer.uri)
        path = PurePosixPath(file)
        if ":" in file or "\\" in file or path.is_absolute() or ".." in path.parts:
            raise CorruptSegment(f"{self.name}: {file[:100]!r} leads out of its folder.")
        if self._beside is None:
            raise CorruptSegment(f"{self.name}: buffers in files of their own are not read here.")
        return self._beside.read(str(path), SPLAT_FILE_BYTES, self._cancel)

    def _of(self, items: list, index: Index, what: str):  # type: ignore[no-untyped-def, type-arg]
        if not 0 <= index < len(items):
            raise CorruptSegment(f"{self.name}: there is no {what} {index}.")
        return items[index]


def _chunks(data: bytes, name: str) -> tuple[memoryview, memoryview | None]:
    """The JSON and the binary chunk of a .glb file."""
    if len(data) < GLB_HEADER.size:
        raise CorruptSegment(f"{name} is cut off.")
    _, version, length = GLB_HEADER.unpack_from(data)
    if version != 2:
        raise CorruptSegment(f"{name} is of version {version} of glTF; version 2 is known.")
    if length > len(data):
        raise CorruptSegment(f"{name} is cut off.")
    found: dict[bytes, memoryview] = {}
    at, whole = GLB_HEADER.size, memoryview(data)
    while at + CHUNK_HEADER.size <= length and len(found) < 2:
        size, kind = CHUNK_HEADER.unpack_from(data, at)
        at += CHUNK_HEADER.size
        if at + size > length:
            raise CorruptSegment(f"{name} is cut off.")
        found.setdefault(kind, whole[at : at + size])
        at += size + -size % 4
    if JSON_CHUNK not in found:
        raise NotAScene(f"{name} has no JSON.")
    return found[JSON_CHUNK], found.get(BINARY_CHUNK)
