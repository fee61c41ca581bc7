"""Measures of the evaluation, on cases worked by hand: rates, flicker, sheets, perception."""

from __future__ import annotations

import math
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.trainer.evaluation.boundary_flicker import BoundaryFlickerMeter
from streamstgs.trainer.evaluation.contact_sheet import GAP_PX, ContactSheet, spread_evenly
from streamstgs.trainer.evaluation.perceptual import ms_ssim
from streamstgs.trainer.evaluation.rate_distortion import (
    RatePoint,
    bd_rate,
    compare_curves,
    efficient_points,
)
from streamstgs.trainer.evaluation.rate_plot import Axis, _names, write_rate_plot
from streamstgs.trainer.evaluation.text import for_people

pytestmark = pytest.mark.usefixtures("one_thread")


# Rates


def curve(*points: tuple[float, float]) -> list[RatePoint]:
    return [RatePoint(*p) for p in points]


LINE = curve((10_000, 30.0), (20_000, 32.0), (40_000, 34.0), (80_000, 36.0))  # +2 dB: twice


def test_half_of_the_bytes_at_every_psnr_is_minus_50_percent() -> None:
    half = [RatePoint(p.bytes_per_frame / 2, p.psnr) for p in LINE]
    assert bd_rate(half, LINE) == pytest.approx(-50)
    assert bd_rate(LINE, half) == pytest.approx(100)
    assert bd_rate(LINE, LINE) == pytest.approx(0)


def test_curves_that_overlap_in_part_are_compared_there() -> None:
    # ln bytes rises by ln 2 per 2 dB on both; the same bytes give 1 dB more: 2 ** -0.5 of them.
    better = [RatePoint(p.bytes_per_frame, p.psnr + 1) for p in LINE]
    found = compare_curves(better, LINE)
    assert found.overlap_db == (31.0, 36.0)
    assert found.bd_rate_percent == pytest.approx(100 * (2**-0.5 - 1))
    assert found.reason == ""


def test_bd_rate_weighs_the_logarithm_where_curves_cross() -> None:
    # ln(rate ratio) falls linearly from ln 2 to -ln 2 over the common range: nothing is left.
    flat = curve((20_000, 30.0), (math.sqrt(20_000 * 40_000), 33.0), (40_000, 36.0))
    assert bd_rate(flat, LINE) == pytest.approx(0, abs=1e-9)


def test_the_cubic_follows_a_bend() -> None:
    # By hand, knots 0, 1, 2 with ln bytes 0, 1, 3: chords 1 and 2, inner slope 4/3 (harmonic).
    # Areas h (a + b) / 2 + h^2 (slope a - slope b) / 12: 1/2 - 1/36 and 2 - 1/18, mean 29/24.
    bent = [RatePoint(math.exp(y), x) for x, y in ((0.0, 0.0), (1.0, 1.0), (2.0, 3.0))]
    level = [RatePoint(1.0, 0.0), RatePoint(1.0 + 1e-12, 2.0)]
    assert math.log(1 + bd_rate(bent, level) / 100) == pytest.approx(29 / 24)


def test_bd_rate_of_measured_curves_is_that_of_the_first_description() -> None:
    """VCEG-M33 fits one cubic through four points; over their range it hardly differs from ours."""
    ours = curve((686.76, 40.28), (309.58, 37.18), (157.11, 34.24), (85.95, 31.42))
    other = curve((893.34, 40.39), (407.80, 37.21), (204.93, 34.17), (112.75, 31.24))

    def area(points: list[RatePoint]) -> float:
        log_rates = np.log([p.bytes_per_frame for p in points])
        integral = np.polyint(np.polyfit([p.psnr for p in points], log_rates, 3))
        return float(np.polyval(integral, 40.28) - np.polyval(integral, 31.42))

    expected = 100 * (math.exp((area(ours) - area(other)) / (40.28 - 31.42)) - 1)
    assert expected == pytest.approx(-23.89, abs=0.01)
    assert compare_curves(ours, other).bd_rate_percent == pytest.approx(expected, abs=0.05)


def test_curves_apart_are_told_by_dominance() -> None:
    ours = curve((9_000, 37.0), (12_000, 38.0))
    found = compare_curves(ours, LINE)
    assert (found.bd_rate_percent, found.overlap_db) == (None, None)
    assert "above" in found.reason
    percents = [100 * 9_000 / p.bytes_per_frame for p in LINE]
    assert found.bytes_percent_at_no_lower_psnr == pytest.approx(percents)
    worse = compare_curves(LINE, ours)
    assert "below" in worse.reason
    assert worse.bytes_percent_at_no_lower_psnr == (None, None)


def test_qualities_that_cost_more_and_give_less_do_not_count() -> None:
    points = curve((30, 31.0), (10, 30.0), (20, 31.5), (40, 31.5))
    assert efficient_points(points) == curve((10, 30.0), (20, 31.5))
    assert compare_curves(curve((10, 30.0)), points).reason == "a curve needs two qualities"
    with pytest.raises(ValueError, match="without points"):
        compare_curves([], points)


def figures(name: str, shift: float) -> dict:
    qualities = [
        {
            "qp": qp,
            "bytes_per_frame": {"total": p.bytes_per_frame},
            "test": {"psnr": p.psnr + shift, "ssim": 0.9, "per_camera": {}, "per_gop": []},
            "boundary_flicker": None,
        }
        for qp, p in zip((32, 28, 24, 20), LINE, strict=True)
    ]
    return {
        "scene": name, "qualities": qualities, "cameras": {"test": ["0"]},
        "sheet": None, "plot": None,
        "backend_reason": "", "lpips_reason": "",
    }  # fmt: skip


def test_the_plot_draws_each_curve_in_its_colour(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "rates.png"
    write_rate_plot(path, [figures("ours.stgs", 1.0), figures("paper.stgs", 0.0)])
    picture = iio.imread(path).astype(int)
    assert picture.shape == (400, 560, 3)  # one panel: nothing was said of training cameras
    red, _, blue = picture.transpose(2, 0, 1)
    ours, other = (blue - red > 100).nonzero(), (red - blue > 100).nonzero()
    assert len(ours[0]) > 300
    assert len(other[0]) > 300
    assert ours[0].min() < other[0].min()  # the better curve ends higher


def test_scenes_of_one_file_name_are_told_apart() -> None:
    assert _names([{"scene": "a/full/scene.stgs"}, {"scene": "b/paper/scene.stgs"}]) == [
        "full/scene.stgs",
        "paper/scene.stgs",
    ]
    assert _names([{"scene": "a/full.stgs"}, {}]) == ["full.stgs", "curve 2"]


def test_ticks_are_round() -> None:
    assert Axis(0, 87, 0, 100).ticks() == [0, 20, 40, 60, 80]
    assert Axis(28.4, 28.9, 0, 100).ticks() == pytest.approx([28.4, 28.5, 28.6, 28.7, 28.8, 28.9])


def test_people_are_told_the_comparison() -> None:
    both = figures("ours.stgs", 1.0)
    apart = {"bd_rate_percent": None, "overlap_db": None, "reason": "far",
             "bytes_percent_at_no_lower_psnr": [50.0, None]}  # fmt: skip
    said = for_people(both | {"comparison": {"with": "paper", "test": apart}})
    assert said["held-out against paper"].startswith("no BD-rate, far; ")
    assert "50 % of the bytes" in said["held-out against paper"]
    never = apart | {"bytes_percent_at_no_lower_psnr": [None, None]}
    said = for_people(both | {"comparison": {"with": "paper", "test": never}})
    assert said["held-out against paper"].endswith("; none of its qualities is reached in PSNR")
    assert said["QP 20"] == "80.0 kB per frame; held-out 37.00 dB, SSIM 0.900"
    both["qualities"][0]["test"]["lpips"] = 0.25
    assert for_people(both)["QP 32"].endswith("held-out 31.00 dB, SSIM 0.900, LPIPS 0.250")


# Boundary flicker

WIDTH, STARTS = 6, (0, 4, 8)


def feed(meter: BoundaryFlickerMeter, inside: float, across: float, frames: int = 12) -> None:
    """A picture that drifts by `inside` per frame and by `across` at a start; one pixel moves."""
    level = 0.2
    for frame in range(frames):
        level += across if frame in STARTS else inside
        recorded, drawn = torch.full((4, WIDTH, 3), 0.5), torch.full((4, WIDTH, 3), level)
        recorded[0, 0] = drawn[0, 0] = frame % 2
        meter.add_recorded("a", frame, recorded)
        meter.add_drawn(16, "a", frame, drawn)


def test_flicker_is_change_across_over_change_inside() -> None:
    meter = BoundaryFlickerMeter(STARTS)
    feed(meter, inside=0.002, across=0.006)
    found = meter.figures(16)
    assert found is not None
    assert found["ratio"] == pytest.approx(3.0, rel=1e-3)
    assert found["inside"] == pytest.approx(0.002 * 255, rel=1e-3)
    assert found["across"] == pytest.approx(0.006 * 255, rel=1e-3)
    assert found["static_share"] == pytest.approx(23 / 24)
    assert found["recorded_ratio"] == 1.0
    assert found["per_camera"] == {"a": pytest.approx(3.0, rel=1e-3)}


def test_ratio_is_one_where_boundaries_do_not_differ() -> None:
    steady, still = BoundaryFlickerMeter(STARTS), BoundaryFlickerMeter(STARTS)
    feed(steady, inside=0.002, across=0.002)
    feed(still, inside=0.0, across=0.0)
    for meter in (steady, still):
        found = meter.figures(16)
        assert found is not None
        assert found["ratio"] == pytest.approx(1.0, rel=1e-3)


def test_without_a_boundary_there_is_no_flicker() -> None:
    meter = BoundaryFlickerMeter(STARTS)
    feed(meter, 0.002, 0.006, frames=4)
    assert meter.figures(16) is None
    assert meter.figures(20) is None


def test_frames_that_do_not_follow_each_other_say_nothing() -> None:
    meter = BoundaryFlickerMeter(STARTS)
    for frame in (0, 2, 4, 6, 8):
        meter.add_recorded("a", frame, torch.zeros(2, 2, 3))
        meter.add_drawn(16, "a", frame, torch.full((2, 2, 3), frame / 10))
    assert meter.figures(16) is None


# Perception


def test_ms_ssim_falls_with_blur_and_is_one_for_equals() -> None:
    picture = torch.rand(176, 180, 3, generator=torch.Generator().manual_seed(0))
    planes = picture.permute(2, 0, 1)[None]
    blurred = torch.nn.functional.avg_pool2d(planes, 3, stride=1, padding=1)[0].permute(1, 2, 0)
    same, less = ms_ssim(picture, picture), ms_ssim(blurred, picture)
    assert same == pytest.approx(1.0, abs=1e-5)
    assert less is not None
    assert 0.3 < less < 0.95


def test_ms_ssim_of_flat_pictures_is_the_luminance_of_the_coarsest_scale() -> None:
    a, b = 0.4, 0.6
    expected = ((2 * a * b + 1e-4) / (a * a + b * b + 1e-4)) ** 0.1333
    found = ms_ssim(torch.full((176, 176, 3), a), torch.full((176, 176, 3), b))
    assert found == pytest.approx(expected, abs=1e-4)
    assert ms_ssim(torch.zeros(160, 400, 3), torch.zeros(160, 400, 3)) is None  # too small


# The contact sheet


def test_the_sheet_shows_truth_picture_and_error_of_the_worst_first() -> None:
    sheet = ContactSheet(["a", "b"])
    target, picture = torch.full((6, 8, 3), 0.5), torch.full((6, 8, 3), 0.6)
    sheet.add("a", 0, target, target, 40.0)
    sheet.add("b", 10, target, picture, 20.0)
    sheet.add("c", 0, target, picture, 10.0)  # of no camera of the sheet
    assert sheet.rows == [{"camera": "b", "frame": 10}, {"camera": "a", "frame": 0}]
    shown = sheet.picture()
    middles = [shown[3, k * (8 + GAP_PX) + 4, 0].item() for k in range(3)]
    assert middles == pytest.approx([0.5, 0.6, 0.4])
    second = shown[6 + GAP_PX :]
    assert second[3, 2 * (8 + GAP_PX) + 4].tolist() == [0, 0, 0]
    assert (shown[:, 8 : 8 + GAP_PX] == 1).all()


def test_the_sheet_keeps_the_worst_frames_of_a_camera() -> None:
    sheet = ContactSheet(["a"])
    for frame, psnr_db in enumerate((30.0, 25.0, 35.0, 20.0, 28.0)):
        sheet.add("a", frame, torch.zeros(4, 4, 3), torch.zeros(4, 4, 3), psnr_db)
    assert [row["frame"] for row in sheet.rows] == [3, 1, 4]


def test_large_pictures_and_other_sizes_share_a_sheet() -> None:
    sheet = ContactSheet(["wide", "small"])
    for name, (height, width) in {"wide": (90, 960), "small": (45, 100)}.items():
        sheet.add(name, 0, torch.zeros(height, width, 3), torch.zeros(height, width, 3), 30.0)
    assert sheet.picture().shape == (45 + 45 + 2 * GAP_PX, 3 * 480 + 2 * GAP_PX, 3)


def test_a_few_of_many_are_spread_evenly() -> None:
    assert spread_evenly(range(240), 3) == [0, 120, 239]
    assert spread_evenly(["a", "b"], 4) == ["a", "b"]
