"""`.sog` files of PlayCanvas: images of attributes and a meta.json, as a ZIP or in a folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

import msgspec
from PIL import Image
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.package.checked_json import decode_json

META = "meta.json"
META_BYTES = 8 << 20
IMAGE_BYTES = 1 << 30
PIXELS_MAX = 1 << 26
FILES_MAX = 1_000


class _Images(msgspec.Struct):
    files: list[str]


class _Meta(msgspec.Struct):
    version: int
    count: int
    means: _Images
    scales: _Images
    quats: _Images
    sh0: _Images
    shN: _Images | None = None


def is_sog(files: FileSet) -> bool:
    """Whether a folder or an archive has the files of one .sog."""
    return META in files.names and any(name.endswith(".webp") for name in files.names)


def read_bundle(files: FileSet, name: str, cancel: CancelToken = NEVER) -> tuple[bytes, int]:
    """The files of one .sog as a ZIP with stored entries, and how many Gaussians it declares.

    Args:
        name: of the file, for messages.

    Raises:
        CodecError: meta.json is broken, names files that are missing or no images, or declares
            more Gaussians than its images have pixels.
    """
    meta_bytes = files.read(META, META_BYTES, cancel)
    try:
        meta = decode_json(meta_bytes, _Meta, META)
    except NotAScene as error:
        raise CorruptSegment(f"{name}: {error}") from error
    if meta.version != 2:
        raise CorruptSegment(f"{name} is of version {meta.version} of SOG; version 2 is known.")
    check_count(meta.count, name)
    per_gaussian = [*meta.means.files, *meta.scales.files, *meta.quats.files, *meta.sh0.files]
    others: list[str] = []
    if meta.shN is not None:
        others, per_gaussian = meta.shN.files[:1], [*per_gaussian, *meta.shN.files[1:]]
    bundle = {META: meta_bytes}
    for image in [*per_gaussian, *others][:FILES_MAX]:
        if PurePosixPath(image).name != image:
            raise CorruptSegment(f"{name}: {image[:100]!r} is no plain file name.")
        bundle[image] = files.read(image, IMAGE_BYTES, cancel)
        pixels = _pixels(bundle[image], image)
        if pixels > PIXELS_MAX or (image in per_gaussian and pixels < meta.count):
            raise CorruptSegment(f"{name}: the image {image} has {pixels} pixels.")
    return _zipped(bundle), meta.count


def _pixels(data: bytes, name: str) -> int:
    """Width times height of an image; only its header is read."""
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP", "PNG"]) as image:
            return image.width * image.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CorruptSegment(f"{name} is no WebP image: {error}.") from error


def _zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
