"""Files with the Gaussians of one moment: which kind one is, and how it is read.

| kind | recognised by | read by |
|---|---|---|
| 3DGS .ply | its header | this package |
| compressed .ply | its header | gaussforge |
| .spz | its first bytes | this package; version 4: gaussforge |
| .sog | a ZIP or a folder with meta.json and WebP images | gaussforge |
| .ksplat | suffix and header | gaussforge |
| .glb, .gltf with KHR_gaussian_splatting | its first bytes, or suffix | this package |
| .splat | suffix and length | this package |

gaussforge is native code, so it runs in a process of its own (`converter`), after the numbers that
a file declares were checked here.
"""

from __future__ import annotations

from enum import Enum
from functools import partial

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.file_kind import HEAD_BYTES, ZIP_FILE, describe_file
from streamstgs.codec.formats import compressed_ply, ksplat, sog, spz
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.exchange.gltf import read_gltf
from streamstgs.codec.formats.exchange.gltf_document import is_gltf
from streamstgs.codec.formats.file_sets import ArchiveFiles, FileSet
from streamstgs.codec.formats.gaussian_ply import header_of, is_gaussian_ply, read_gaussian_ply
from streamstgs.codec.formats.gaussians_4d_ply import is_4d_ply
from streamstgs.codec.formats.raw_gaussians import RawGaussians, activated, no_gaussians, turned
from streamstgs.codec.formats.spacetime import is_spacetime_ply
from streamstgs.codec.formats.splat import read_splat
from streamstgs.codec.formats.spz_decoding import read_spz
from streamstgs.codec.limits import SPLAT_FILE_BYTES
from streamstgs.codec.ply import MAGIC
from streamstgs.renderer import Gaussians

PLY_ROW_BYTES = 4 * 62  # of a Gaussian in the PLY that gaussforge answers with
PLY_HEADER_BYTES = 1 << 16


class SplatKind(Enum):
    """A kind of file; the value is its name for people and for gaussforge."""

    PLY = "ply"
    COMPRESSED_PLY = "compressed.ply"
    SPZ = "spz"
    SOG = "sog"
    KSPLAT = "ksplat"
    SPLAT = "splat"
    GLTF = "gltf"


def kind_of(data: bytes, name: str) -> SplatKind:
    """The kind of a file.

    Args:
        data: its content, or its first bytes if these hold the whole header of a PLY.
        name: its name.

    Raises:
        NotAScene: a PLY without Gaussians or with those of a whole clip, or no such file.
        CorruptSegment: a PLY with a broken header.
    """
    if data.startswith(MAGIC):
        header = header_of(data, name)
        if compressed_ply.is_compressed_ply(header):
            return SplatKind.COMPRESSED_PLY
        if is_spacetime_ply(header) or is_4d_ply(header):
            raise NotAScene(f"{name} holds a whole clip, not one frame; open it alone.")
        if is_gaussian_ply(header):
            return SplatKind.PLY
        raise NotAScene(f"{name} is not a scene: it is a PLY point cloud without Gaussians.")
    if spz.is_spz(data[:4_096]):
        return SplatKind.SPZ
    if data.startswith(ZIP_FILE):
        return SplatKind.SOG
    if is_gltf(data, name):
        return SplatKind.GLTF
    if ksplat.is_ksplat(data, name):
        return SplatKind.KSPLAT
    if name.lower().endswith(".splat"):
        return SplatKind.SPLAT
    raise NotAScene(f"{name} holds no Gaussians: it is {describe_file(data[:HEAD_BYTES])}.")


def read_raw(
    data: bytes,
    name: str,
    converter: Converter,
    cancel: CancelToken = NEVER,
    beside: FileSet | None = None,
) -> RawGaussians:
    """The Gaussians of a file, in the axes of PLY files, as they are stored.

    Args:
        data: the content of the file.
        name: its name; the suffix is needed for .splat and .ksplat.
        converter: runs native decoders.
        beside: the files beside it, for a .gltf whose values are in files of their own.

    Raises:
        CodecError: the file is damaged, of no known kind, or declares too much; or `cancel`.
    """
    kind = kind_of(data, name)
    if kind is SplatKind.PLY:
        return read_gaussian_ply(data, name)
    if kind is SplatKind.SPLAT:
        return read_splat(data, name)
    if kind is SplatKind.GLTF:
        spz = partial(_read_spz, name=name, converter=converter, cancel=cancel)
        return read_gltf(data, name, spz, beside, cancel)
    if kind is SplatKind.SPZ:
        return _read_spz(data, name, converter, cancel)
    if kind is SplatKind.SOG:
        return _read_sog_data(data, name, converter, cancel)
    if kind is SplatKind.COMPRESSED_PLY:
        count = compressed_ply.compressed_ply_count(data, header_of(data, name), name)
    else:
        count = ksplat.ksplat_count(data, name)
    return _converted(data, kind, count, name, converter, cancel)


def read_sog_files(
    files: FileSet, name: str, converter: Converter, cancel: CancelToken = NEVER
) -> RawGaussians:
    """The Gaussians of the files of one .sog; raises as `read_raw`."""
    found = sog.read_bundle(files, name, cancel)
    if isinstance(found, RawGaussians):
        return found
    bundle, count = found
    return _converted(bundle, SplatKind.SOG, count, name, converter, cancel)


def read_gaussians(
    files: FileSet, name: str, converter: Converter, cancel: CancelToken = NEVER
) -> Gaussians:
    """The activated Gaussians of a file of a folder or archive; raises as `read_raw`."""
    data = files.read(name, SPLAT_FILE_BYTES, cancel)
    return activated(read_raw(data, name, converter, cancel), name)


def _read_spz(data: bytes, name: str, converter: Converter, cancel: CancelToken) -> RawGaussians:
    stream = spz.unpacked_spz(data, name)
    if stream is not None:
        return turned(read_spz(stream))
    count = spz.spz_count(data, name)
    return turned(_converted(data, SplatKind.SPZ, count, name, converter, cancel))


def _converted(
    data: bytes, kind: SplatKind, count: int, name: str, converter: Converter, cancel: CancelToken
) -> RawGaussians:
    if count == 0:
        return no_gaussians()
    most_bytes = count * PLY_ROW_BYTES + PLY_HEADER_BYTES
    ply = converter.convert(data, kind.value, "ply", name, most_bytes, cancel)
    raw = read_gaussian_ply(ply, name)
    if len(raw) != count:
        raise CorruptSegment(f"{name} declares {count} Gaussians and holds {len(raw)}.")
    return raw


def _read_sog_data(
    data: bytes, name: str, converter: Converter, cancel: CancelToken
) -> RawGaussians:
    """A .sog inside of another archive or a folder."""
    files = ArchiveFiles.of_bytes(data, name, sog.FILES_MAX)
    if not sog.is_sog(files):
        raise NotAScene(f"{name} is a ZIP archive without the files of a .sog.")
    return read_sog_files(files, name, converter, cancel)
