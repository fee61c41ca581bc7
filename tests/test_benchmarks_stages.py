"""The benchmark of the stages of a frame on the processor."""

from __future__ import annotations

from streamstgs.codec.scene import open_scene

from benchmarks.processor_stages import Options, measure
from tests.golden.make_golden import golden_scene


def test_stages_are_measured_of_what_is_drawn() -> None:
    with open_scene(str(golden_scene("hevc"))) as scene:
        small = measure(scene, 64, 48, Options(frames=2, rounds=2))
        large = measure(scene, 320, 240, Options(frames=2, rounds=2))
    assert list(small["processor_ms"]) == ["move", "project", "sort", "blend"]
    assert large["processor_ms"]["blend"] > 0
    assert 0 < small["drawn"] <= small["gaussians"]
    assert large["listed"] > small["listed"]  # more tiles
