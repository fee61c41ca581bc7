"""An image of a capture, upright and in sRGB."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from streamstgs.trainer.datasets.files import short
from streamstgs.trainer.errors import CaptureError

READ_AS = {
    **dict.fromkeys(("RGB", "L", "CMYK", "YCbCr"), "RGB"),
    **dict.fromkeys(("RGBA", "LA", "P", "PA"), "RGBA"),
}  # of the kinds of pixels that Pillow knows, those of 8 bits
ORIENTATION = 0x0112  # tag of EXIF and TIFF
ON_ITS_SIDE = {5, 6, 7, 8}  # its values that swap width and height
SRGB_GAMMA = 1 / 2.2
CICP_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)", 8: "linear light"}
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
    gamma = image.info.get("gamma")
    if gamma and "srgb" not in image.info and abs(gamma / SRGB_GAMMA - 1) > 0.02:
        return f"declares gamma {gamma:.4g}; convert it to sRGB"
    transfer = _cicp_transfer(path)
    if transfer is not None:
        return f"has the transfer function {transfer}; convert it to sRGB"
    if READ_AS[image.mode] == "RGBA" and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        return "is transparent; draw it over a background"
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


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile calls itself sRGB: then its pixels are taken as they are."""
    described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    return described.strip().lower().startswith("srgb")


def _cicp_transfer(path: Path) -> str | None:
    """The transfer function of a PNG's cICP chunk, where it is none that sRGB can stand for."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header.startswith(b"\x89PNG"):
        return None
    start = header.find(b"cICP")
    return CICP_TRANSFERS.get(header[start + 5]) if 0 < start < len(header) - 6 else None
