"""The choice of bit depths by rate-distortion, on costs made by hand and on a small scene."""

from __future__ import annotations

import pytest
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from benchmarks.attribute_bits import DEPTHS, Measurement, Options, cheapest, psnr_of_ratio
from benchmarks.made_up_scene import made_up_scene


def test_cheapest_combination_of_bits_is_found() -> None:
    costs = {
        "means": {10: (10.0, 3e-6), 11: (13.0, 1e-6)},
        "colors": {5: (5.0, 2e-6), 6: (9.0, 0.5e-6)},
    }
    assert cheapest(costs, 50.0) == {"means": 10, "colors": 5}  # 5e-6 is 53.0 dB
    assert cheapest(costs, 54.0) == {"means": 11, "colors": 5}  # 3e-6; the other way is 3.5e-6
    assert cheapest(costs, 58.0) == {"means": 11, "colors": 6}  # 1.5e-6 is 58.2 dB
    assert cheapest(costs, 70.0) == {name: max(DEPTHS[name]) for name in costs}


def test_a_loss_of_a_hundredth_db_needs_26_db_more() -> None:
    assert psnr_of_ratio(0.01) == pytest.approx(-26.37, abs=0.01)
    assert Options(scene_db=33.0, loss_db=0.01).wanted_db == pytest.approx(59.37, abs=0.01)


def test_more_bits_cost_bytes_and_raise_psnr() -> None:
    options = Options(height_px=60, views=1)
    measure = Measurement(made_up_scene(400), "static", CpuBackend(), options)
    (coarse_bits, coarse_error), (fine_bits, fine_error) = (
        measure.cost({"means": depth}) for depth in (9, 14)
    )
    assert fine_bits > coarse_bits + 10
    assert fine_error < coarse_error / 10
    assert Measurement(made_up_scene(400), "moving", CpuBackend(), options).count == 0
