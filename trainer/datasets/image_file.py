"""An image of a capture, upright and in sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from streamstgs.trainer.datasets.color_codes import other_colors
from streamstgs.trainer.datasets.files import short
from streamstgs.trainer.errors import CaptureError

READ_AS = {
    **dict.fromkeys(("RGB", "L", "CMYK", "YCbCr"), "RGB"),
    **dict.fromkeys(("RGBA", "LA", "P", "PA"), "RGBA"),
}  # of the kinds of pixels that Pillow knows, those of 8 bits
ORIENTATION = 0x0112  # tag of EXIF and TIFF
ON_ITS_SIDE = {5, 6, 7, 8}  # its values that swap width and height
SRGB_GAMMA = 1 / 2.2
BT709_CHROMATICITY = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # white, R, G, B
SAME_CHROMATICITY = 0.01
SAME_LEVELS = 2  # of 255: what a conversion from sRGB to sRGB changes by rounding
EXIF_INTEROPERABILITY, INTEROPERABILITY_INDEX = 0xA005, 1
ADOBE_RGB = "R03"  # of this index
HEADER_BYTES = 65_536


def read_image(path: Path, camera: str, size: tuple[int, int]) -> np.ndarray:
    """[H, W, 3] uint8 sRGB of an image, turned as it says; nothing is decoded of another size.

    Args:
        camera: its name, for messages.
        size: (width, height) that the calibration says, px.

    Raises:
        CaptureError: it cannot be read, has another size, is transparent, has more than 8 bits, or
            colours that cannot be converted to sRGB.
    """
    try:
        with Image.open(path) as image:
            problem = _problem(path, image, size)
            if problem is None:
                return _pixels(image)
    except Exception as error:  # Pillow's plug-ins raise errors of all kinds on damaged files
        problem = f"cannot be read as an image: {short(error)}"
    raise CaptureError(f"camera {camera}: {path} {problem}")


def image_size(path: Path, camera: str) -> tuple[int, int]:
    """(width, height) of an image the way up that it is shown, px; decodes its header only.

    Raises CaptureError.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION) in ON_ITS_SIDE
            return (height, width) if turned else (width, height)
    except Exception as error:  # as above
        raise CaptureError(
            f"camera {camera}: {path} cannot be read as an image: {short(error)}"
        ) from error


def _problem(path: Path, image: Image.Image, size: tuple[int, int]) -> str | None:
    """What keeps an image from being read; asks the header only."""
    if image.mode not in READ_AS:
        return f"has pixels of kind {image.mode}; grey, palettes and colours of 8 bits are read"
    if getattr(image, "n_frames", 1) > 1:
        return "holds more than one picture"
    width, height = image.size
    if image.getexif().get(ORIENTATION) in ON_ITS_SIDE:
        width, height = height, width
    if (width, height) != size:
        swapped = " (width and height are swapped)" if (height, width) == size else ""
        return f"is {width}x{height}, its calibration says {size[0]}x{size[1]}{swapped}"
    problem = _color_problem(path, image)
    if problem is not None:
        return problem
    may_be_transparent = READ_AS[image.mode] == "RGBA" or "transparency" in image.info
    if may_be_transparent and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        return "is transparent; draw it over a background"
    return None


def _color_problem(path: Path, image: Image.Image) -> str | None:
    """Which declared colours cannot be converted; a colour profile can."""
    codes = _cicp(path)
    if codes is not None:  # it wins over all others
        return other_colors(transfer=codes[1], primaries=codes[0])
    if image.info.get("icc_profile") or "srgb" in image.info:
        return None
    gamma = image.info.get("gamma")
    if gamma and abs(gamma / SRGB_GAMMA - 1) > 0.02:
        return f"declares gamma {gamma:.4g}; convert it to sRGB"
    chromaticity = image.info.get("chromaticity", BT709_CHROMATICITY)
    if np.abs(np.subtract(chromaticity, BT709_CHROMATICITY)).max() > SAME_CHROMATICITY:
        return "declares colour primaries other than those of sRGB; convert it to sRGB"
    try:
        index = image.getexif().get_ifd(EXIF_INTEROPERABILITY).get(INTEROPERABILITY_INDEX)
    except KeyError:  # Pillow before 13, where an image has none
        index = None
    if str(index).strip("\0 ") == ADOBE_RGB:
        return "is in Adobe RGB by its EXIF, without a colour profile; convert it to sRGB"
    return None


def _pixels(image: Image.Image) -> np.ndarray:
    turned = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    if profile and not _is_srgb(profile):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        base = turned if turned.mode in ("RGB", "CMYK", "L") else turned.convert("RGB")
        converted = ImageCms.profileToProfile(
            base, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        assert converted is not None  # it is when the image is changed in place only
        return np.asarray(converted)
    return np.asarray(turned.convert(READ_AS[turned.mode]))[..., :3]


@lru_cache(maxsize=64)  # the images of a capture share a few profiles
def _is_srgb(profile: bytes) -> bool:
    """Whether a profile changes no colour by more than rounding; its name is not believed."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        levels = np.linspace(0, 255, 9).round().astype(np.uint8)
        colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(Image.fromarray(colors), source, srgb)
    except ImageCms.PyCMSError:  # of grey or CMYK, or broken: the conversion of the image says so
        return False
    assert converted is not None  # it is when the image is changed in place only
    return bool(np.abs(np.asarray(converted).astype(int) - colors).max() <= SAME_LEVELS)


def _cicp(path: Path) -> tuple[int, int] | None:
    """Primaries and transfer function of a PNG's cICP chunk; None without one."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header.startswith(b"\x89PNG"):
        return None
    start = header.find(b"cICP")
    return (header[start + 4], header[start + 5]) if 0 < start < len(header) - 6 else None
