"""What stays still: medians, how far they are trusted, masks, and the colour behind it all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from streamstgs.trainer.coarse.background import (
    BackgroundConfig,
    background_pixels,
    flat_background,
    mean_color,
)
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.temporal_median import (
    capture_medians,
    dynamic_mask,
    motion_mask,
    temporal_median,
)
from streamstgs.trainer.datasets import open_capture
from torch import Tensor

from tests.capture_scene import BACKGROUND, HEIGHT, WIDTH

CONFIG = BackgroundConfig()


@pytest.fixture
def passing() -> Tensor:
    """9 grey frames; a white 4x4 square steps 4 px a frame to the right along the top."""
    frames = torch.full((9, 20, 40, 3), 100, dtype=torch.uint8)
    for k in range(9):
        frames[k, 2:6, 4 * k : 4 * k + 4] = 255
    return frames


def test_median_hides_passing_things(passing: Tensor) -> None:
    still = temporal_median(passing, CONFIG)
    assert (still.image == 100).all()
    assert still.image.dtype == torch.uint8
    assert (still.reliability[12:] == 1).all()
    # Column 17 moves when the square covers it, and when it is one step before: the mask is
    # smoothed by a pixel and grown by another.
    assert still.reliability[3, 17].item() == pytest.approx(1 - 2 / 9)
    assert (still.reliability > CoarseConfig().reliable_share).all()


def test_median_is_unreliable_where_things_move_often() -> None:
    frames = torch.full((9, 12, 12, 3), 100, dtype=torch.uint8)
    frames[::3, :, 6:] = 0
    frames[1::3, :, 6:] = 255
    reliability = temporal_median(frames, CONFIG).reliability
    assert (reliability[:, :4] == 1).all()
    assert (reliability[:, 8:] < CoarseConfig().reliable_share).all()


def test_motion_mask_covers_the_moving_square(passing: Tensor) -> None:
    masks = motion_mask(passing, temporal_median(passing, CONFIG).image, CONFIG.motion_threshold)
    assert masks.shape == (9, 20, 40)
    assert masks[3, 2:6, 12:16].all()
    assert not masks[3, 10:].any()
    assert not masks[3, :, :9].any()
    assert not masks[3, :, 19:].any()


def test_motion_mask_ignores_camera_noise(passing: Tensor) -> None:
    rng = torch.Generator().manual_seed(0)
    noisy = 100 + torch.randint(-6, 7, (5, 20, 40, 3), generator=rng)
    median = torch.full((20, 40, 3), 100, dtype=torch.uint8)
    assert not motion_mask(noisy.to(torch.uint8), median, CONFIG.motion_threshold).any()


def test_dynamic_mask_thresholds_temporal_deviation(passing: Tensor) -> None:
    """One white frame of nine: deviation (255 - 100) / 255 * sqrt(8) / 9 = 0.191."""
    assert dynamic_mask(passing, 0.190)[2:6, :36].all()
    assert not dynamic_mask(passing, 0.192).any()
    assert not dynamic_mask(passing, 0.01)[6:].any()


def test_flat_background_is_found() -> None:
    picture = torch.zeros(30, 40, 3, dtype=torch.uint8)
    picture[:] = torch.tensor([209, 222, 239])
    picture[0, ::2] += 1  # the codec's noise
    picture[10:, 10:30] = 7  # reaches the lower border
    found = flat_background([picture, picture], CONFIG)
    assert found == pytest.approx((209 / 255, 222 / 255, 239 / 255), abs=1 / 255)


def test_closed_scene_has_no_flat_background() -> None:
    rng = torch.Generator().manual_seed(0)
    picture = torch.randint(0, 256, (30, 40, 3), generator=rng).to(torch.uint8)
    assert flat_background([picture], CONFIG) is None


def test_background_pixels_exclude_edges() -> None:
    picture = torch.full((9, 12, 3), 100, dtype=torch.uint8)
    picture[4, 6] = 200  # what is 2 px around it may hold some of it
    picture[0, 0] += 3  # the codec's noise
    shown = background_pixels(picture, (100 / 255, 100 / 255, 100 / 255))
    expected = torch.ones(9, 12, dtype=torch.bool)
    expected[2:7, 4:9] = False
    assert torch.equal(shown, expected)
    assert not background_pixels(picture, None).any()


def test_mean_color_of_images() -> None:
    black, red = torch.zeros(4, 4, 3, dtype=torch.uint8), torch.zeros(4, 4, 3, dtype=torch.uint8)
    red[..., 0] = 255
    assert mean_color([black, red]) == pytest.approx((0.5, 0, 0))


def test_medians_of_a_capture(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    medians = capture_medians(capture, CONFIG, torch.device("cpu"))
    assert sorted(medians) == [str(k) for k in range(8)]
    assert medians["0"].image.shape == (HEIGHT, WIDTH, 3)
    assert medians["0"].reliability.shape == (HEIGHT, WIDTH)
    medians = [still.image for still in medians.values()]
    assert flat_background(medians, CONFIG) == pytest.approx(BACKGROUND, abs=1 / 255)
