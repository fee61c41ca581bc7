"""`.sog` files of PlayCanvas: images of attributes and a meta.json, as a ZIP or in a folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

import msgspec
from PIL import Image
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.package.checked_json import decode_json

if TYPE_CHECKING:  # it loads torch
    from streamstgs.codec.formats.raw_gaussians import RawGaussians

T = TypeVar("T")

META = "meta.json"
META_BYTES = 8 << 20
IMAGE_BYTES = 1 << 30
PIXELS_MAX = 1 << 26
FILES_MAX = 1_000


class _Images(msgspec.Struct):
    files: list[str]


class _Version(msgspec.Struct):
    version: int = 1  # the first version does not tell it


class _Meta(msgspec.Struct):
    count: int
    means: _Images
    scales: _Images
    quats: _Images
    sh0: _Images
    shN: _Images | None = None


def is_sog(files: FileSet) -> bool:
    """Whether a folder or an archive has the files of one .sog."""
    return META in files.names and any(name.endswith(".webp") for name in files.names)


def read_bundle(
    files: FileSet, name: str, cancel: CancelToken = NEVER
) -> tuple[bytes, int] | RawGaussians:
    """The files of one .sog as a ZIP with stored entries, and how many Gaussians it declares; or,
    of a file of the first version, its Gaussians.

    Args:
        name: of the file, for messages.

    Raises:
        CodecError: meta.json is broken, names files that are missing or no images, or declares
            more Gaussians than its images have pixels.
    """
    from streamstgs.codec.formats import sog_v1

    meta_bytes = files.read(META, META_BYTES, cancel)
    version = _decoded(meta_bytes, _Version, name).version
    meta: sog_v1.Meta | _Meta
    if version == 1:
        meta, count = sog_v1.read_meta(meta_bytes, name)
    elif version == 2:
        meta = _decoded(meta_bytes, _Meta, name)
        count = meta.count
        check_count(count, name)
    else:
        raise CorruptSegment(f"{name} is of version {version} of SOG; 1 and 2 are known.")
    per_gaussian = [*meta.means.files, *meta.scales.files, *meta.quats.files, *meta.sh0.files]
    others: list[str] = []
    if meta.shN is not None:
        others, per_gaussian = meta.shN.files[:1], [*per_gaussian, *meta.shN.files[1:]]
    images: dict[str, bytes] = {}
    for image in [*per_gaussian, *others][:FILES_MAX]:
        if PurePosixPath(image).name != image:
            raise CorruptSegment(f"{name}: {image[:100]!r} is no plain file name.")
        images[image] = files.read(image, IMAGE_BYTES, cancel)
        pixels = _pixels(images[image], image)
        if pixels > PIXELS_MAX or (image in per_gaussian and pixels < count):
            raise CorruptSegment(f"{name}: the image {image} has {pixels} pixels.")
    if isinstance(meta, sog_v1.Meta):
        return sog_v1.read_images(meta, count, images, name)
    return _zipped({META: meta_bytes, **images}), count


def _decoded(data: bytes, kind: type[T], name: str) -> T:
    try:
        return decode_json(data, kind, META)
    except NotAScene as error:
        raise CorruptSegment(f"{name}: {error}") from error


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
