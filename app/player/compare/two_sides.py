"""Two pictures in one: split, side by side or their difference; and how much they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.renderer import Camera
from torch import Tensor

Layout = Literal["split", "side", "difference"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
DIFFERENCE_GAIN = 4  # differences are shown so many times larger
PSNR_MAX_DB = 99.0  # of equal pictures


@dataclass(frozen=True, eq=False)
class TruePicture:
    """A picture of a capture's camera, where a view of that camera shows it.

    Args:
        rgb8: [h, w, 3] uint8, at the size at which it is shown.
        left, top: Its place in the image, px.
    """

    rgb8: Tensor
    left: int
    top: int


@dataclass(frozen=True, eq=False)
class OtherSide:
    """What a picture is compared with. Two objects are never equal: each asks for a new image.

    Args:
        layout: "split" shows the left part of one and the right part of the other, "side" both as
            a whole, "difference" how much they differ.
        share: Where the split is, 0 (left edge) .. 1.
        frame: The frame of the other scene or quality; None if there is a picture.
        picture: The picture of the capture.
    """

    layout: Layout
    share: float
    frame: PlaybackFrame | None = None
    picture: TruePicture | None = None


def split_px(share: float, width: int) -> int:
    """The first column of the right part, 0 .. width."""
    return min(max(round(share * width), 0), width)


def side_camera(camera: Camera) -> Camera:
    """The camera of each half of a picture side by side: the middle half of the view."""
    width = camera.width // 2
    K = camera.K.clone()
    K[0, 2] -= (camera.width - width) / 2
    return Camera(camera.viewmat, K, width, camera.height)


def composed(one: Any, other: Any, layout: Layout, share: float) -> Any:
    """[H, W, 3] uint8 picture of two of the same size and kind (tensors or NumPy arrays).

    Side by side it has twice the width.
    """
    left, right = torch.as_tensor(one), torch.as_tensor(other)
    if layout == "side":
        both = torch.cat([left, right], dim=1)
    elif layout == "difference":
        apart = (left.int() - right.int()).abs() * DIFFERENCE_GAIN
        both = apart.clamp(max=255).to(torch.uint8)
    else:
        both = left.clone()
        column = split_px(share, left.shape[1])
        both[:, column:] = right[:, column:]
    both = both.contiguous()
    return both if isinstance(one, Tensor) else both.numpy()


def psnr_db(one: Any, other: Any) -> float:
    """PSNR in dB of two uint8 pictures of the same size; 99 where they are equal."""
    apart = torch.as_tensor(one).float() - torch.as_tensor(other).float()
    error = float(apart.square().mean())
    return min(10.0 * math.log10(255.0**2 / error), PSNR_MAX_DB) if error > 0.0 else PSNR_MAX_DB


def placed(picture: TruePicture, like: Any) -> Any:
    """A picture of a capture on black, of the size and kind of another image."""
    base = torch.as_tensor(like)
    whole = torch.zeros_like(base)
    rows, columns = _inside(picture)
    whole[rows, columns] = picture.rgb8.to(base.device)
    return whole if isinstance(like, Tensor) else whole.numpy()


def cut(image: Any, picture: TruePicture) -> Any:
    """The part of an image that a picture of a capture covers."""
    rows, columns = _inside(picture)
    return image[rows, columns]


def _inside(picture: TruePicture) -> tuple[slice, slice]:
    height, width, _ = picture.rgb8.shape
    return (
        slice(picture.top, picture.top + height),
        slice(picture.left, picture.left + width),
    )
