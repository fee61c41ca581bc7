"""Figures of what moves: which pixels count, and means, percentiles and worst of them."""

import math
from dataclasses import dataclass

import pytest
import torch
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.evaluation.moving import moving_figures
from streamstgs.trainer.moving_pixels import (
    MovingConfig,
    MovingQuality,
    moving_mask,
    moving_quality,
    temporal_median,
)


@dataclass(frozen=True)
class Reading:
    camera: str
    frame: int
    moving: MovingQuality | None


def reading(camera: str, frame: int, psnr: float | None, share: float = 0.1) -> Reading:
    return Reading(camera, frame, MovingQuality(psnr, psnr and psnr / 40, share))


def test_a_pixel_moves_above_the_threshold_and_takes_its_neighbours_along() -> None:
    median = torch.full((11, 11, 3), 0.5)
    target = median.clone()
    target[5, 5, 1] += 0.061
    target[0, 0] += 0.059  # all channels, but too little
    mask = moving_mask(target, median, MovingConfig(threshold=0.06, growth_px=2))
    expected = torch.zeros(11, 11, dtype=torch.bool)
    expected[3:8, 3:8] = True
    assert torch.equal(mask, expected)


def test_growth_of_zero_keeps_the_pixel_alone() -> None:
    median = torch.zeros(4, 4, 3)
    target = median.clone()
    target[2, 1, 0] = 1.0
    mask = moving_mask(target, median, MovingConfig(growth_px=0))
    assert mask.nonzero().tolist() == [[2, 1]]


def test_the_median_is_not_moved_by_what_passes_by() -> None:
    frames = torch.full((9, 2, 2, 3), 100, dtype=torch.uint8)
    frames[:4] = 255
    assert torch.equal(temporal_median(frames), frames[8])


def test_quality_is_that_of_the_moving_pixels_alone() -> None:
    config = MovingConfig(growth_px=0, least_pixels=4)
    median = torch.zeros(32, 32, 3)
    target = median.clone()
    target[:8, :8] = 0.5  # 64 pixels move
    picture = target.clone()
    picture[:8, :8] += 0.1
    picture[16:] = 1.0  # wrong, but nothing moves there
    found = moving_quality(picture, target, median, config)
    assert found.psnr == pytest.approx(-20 * math.log10(0.1), abs=1e-3)
    assert found.share == pytest.approx(64 / 1024)
    assert found.ssim is not None
    assert 0.0 < found.ssim < 1.0


def test_equal_pictures_have_the_highest_figures() -> None:
    target = torch.rand(24, 24, 3, generator=torch.Generator().manual_seed(0))
    found = moving_quality(target, target, torch.zeros(24, 24, 3), MovingConfig())
    assert found.psnr == pytest.approx(100.0)
    assert found.ssim == pytest.approx(1.0, abs=1e-5)


def test_a_picture_in_which_too_little_moves_has_no_figures() -> None:
    median = torch.zeros(16, 16, 3)
    target = median.clone()
    target[0, 0] = 1.0
    found = moving_quality(target, target, median, MovingConfig(growth_px=0, least_pixels=2))
    assert (found.psnr, found.ssim) == (None, None)
    assert found.share == pytest.approx(1 / 256)


def test_figures_over_pictures() -> None:
    readings = [reading("a", frame, 20.0 + frame) for frame in range(10)]
    readings += [reading("b", 10, 40.0, share=0.3), reading("b", 11, None, share=0.0)]
    found = moving_figures(readings, [0, 5])
    values = torch.tensor([*(20.0 + f for f in range(10)), 40.0], dtype=torch.float64)
    assert found["moving_psnr"] == pytest.approx(values.mean().item())
    assert found["moving_psnr_p10"] == pytest.approx(values.quantile(0.1).item())
    assert found["moving_psnr_worst"] == {"value": 20.0, "frame": 0, "camera": "a"}
    assert found["moving_share"] == pytest.approx((10 * 0.1 + 0.3) / 12)
    assert found["moving_per_camera"] == {"a": pytest.approx(24.5), "b": pytest.approx(40.0)}
    assert found["moving_per_gop"] == [pytest.approx(22.0), pytest.approx((27 * 5 + 40) / 6)]


def test_where_nothing_moves_there_are_no_figures() -> None:
    found = moving_figures([reading("a", 0, None, share=0.0), Reading("a", 1, None)], [0])
    assert found["moving_psnr"] is None
    assert found["moving_psnr_p10"] is None
    assert found["moving_psnr_worst"] is None
    assert found["moving_share"] == 0.0
    assert found["moving_per_gop"] == [None]


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"threshold": 1.5}, "moving.threshold"), ({"median_every": 0}, "moving.median-every")],
)
def test_settings_out_of_range_are_named(changes: dict, named: str) -> None:
    with pytest.raises(SettingError, match=named):
        MovingConfig(**changes)
