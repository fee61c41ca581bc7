"""The automatic resolution, with scripted timings instead of a clock."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from streamstgs.app.ui.drawing.resolution import LEVELS, Resolution, StageTimes

DISPLAY_HZ = 60.0


@dataclass(frozen=True)
class Machine:
    """Times of a renderer in ms: what is the same at every size, and what grows with the pixels."""

    deform_ms: float
    sort_ms: float
    pixels_ms: float
    present_ms: float = 1.0

    def times(self, scale: float) -> StageTimes:
        return StageTimes(self.deform_ms, self.sort_ms + self.pixels_ms * scale**2, self.present_ms)

    def rate_hz(self, scale: float) -> float:
        times = self.times(scale)
        return 1000.0 / (times.deform_ms + times.raster_ms + times.present_ms)


def play(resolution: Resolution, machine: Machine, fps: float, images: int = 300) -> float:
    """Play content for so many images; returns the scale at the end."""
    now_ms, last = 0.0, -1
    resolution.set_rates(fps, DISPLAY_HZ)
    for _ in range(images):
        times = machine.times(resolution.scale())
        busy_ms = times.deform_ms + times.raster_ms + times.present_ms
        due = int(now_ms * fps / 1000.0)
        if due == last:  # the renderer waits for the next frame
            due = last + 1
            now_ms = max(now_ms, due * 1000.0 / fps)
        last = due
        now_ms += busy_ms
        resolution.measured(times, resolution.scale())
        resolution.frame_painted(due)
    return resolution.scale()


def test_content_that_nearly_keeps_its_rate_keeps_its_pixels() -> None:
    """22 of 24 frames at full size; a third of the size would bring two more frames."""
    machine = Machine(deform_ms=18.0, sort_ms=12.0, pixels_ms=14.0)
    assert 22 <= machine.rate_hz(1.0) < 24
    assert play(Resolution(), machine, 24.0) == 1.0


def test_frame_skipped_while_the_size_changes_costs_no_pixels() -> None:
    """Two cores with AVX2 at 1280 x 720, the bundled scene: three quarters keep the rate."""
    machine = Machine(deform_ms=12.0, sort_ms=8.0, pixels_ms=36.0, present_ms=2.0)
    assert machine.rate_hz(1.0) < 0.75 * 24
    assert machine.rate_hz(0.75) > 0.95 * 24
    assert play(Resolution(), machine, 24.0) == 0.75


def test_a_dropping_machine_renders_fewer_pixels_but_not_fewer_than_needed() -> None:
    machine = Machine(deform_ms=5.0, sort_ms=8.0, pixels_ms=60.0)
    assert machine.rate_hz(1.0) < 15
    scale = play(Resolution(), machine, 24.0)
    assert scale == 0.75 or machine.rate_hz(0.75) < 0.9 * 24
    assert machine.rate_hz(scale) >= 0.9 * 24


def test_half_of_each_side_is_the_least_unless_content_drops() -> None:
    weak = Machine(deform_ms=8.0, sort_ms=16.0, pixels_ms=80.0)  # half: 45 ms, 22 frames/s
    assert play(Resolution(), weak, 24.0) == 0.5
    hopeless = Machine(deform_ms=8.0, sort_ms=16.0, pixels_ms=200.0)  # half: 75 ms, 13 frames/s
    assert play(Resolution(), hopeless, 24.0) == LEVELS[-1]
    still = Resolution()
    for _ in range(40):  # a moved camera while content stands still
        still.measured(StageTimes(0.0, 16.0 + 200.0 * still.scale() ** 2), still.scale())
    assert still.scale() == 0.5


def test_a_smaller_size_that_brings_nothing_is_left_again() -> None:
    machine = Machine(deform_ms=70.0, sort_ms=9.0, pixels_ms=4.0)  # deforming is too slow
    resolution = Resolution()
    assert play(resolution, machine, 24.0) == 1.0
    assert play(resolution, machine, 24.0) == 1.0


def test_the_display_bounds_the_rate_that_is_asked_for() -> None:
    """Content at 4 x 24 frames per second on a display of 60: frames are skipped anyway."""
    machine = Machine(deform_ms=3.0, sort_ms=4.0, pixels_ms=8.0)  # 62 images per second
    assert play(Resolution(), machine, 96.0) == 1.0


@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_it_recovers_after_load_and_does_not_swing(fps: float) -> None:
    fast = Machine(deform_ms=2.0, sort_ms=2.0, pixels_ms=6.0, present_ms=0.5)
    slow = Machine(deform_ms=8.0, sort_ms=8.0, pixels_ms=60.0, present_ms=2.0)
    resolution = Resolution()
    assert play(resolution, fast, fps) == 1.0
    assert play(resolution, slow, fps) < 1.0
    assert play(resolution, fast, fps) == 1.0
    middle = Machine(deform_ms=4.0, sort_ms=6.0, pixels_ms=0.9 * 1000 / fps, present_ms=1.0)
    play(resolution, middle, fps)
    scales = {play(resolution, middle, fps, images=20) for _ in range(20)}
    assert len(scales) == 1


def test_motion_lowers_and_rest_restores_the_size() -> None:
    resolution = Resolution()
    resolution.measured(StageTimes(5.0, 4000.0), 1.0)  # the first compiles: it must not decide
    assert resolution.scale() == 1.0
    for _ in range(12):
        scale = resolution.scale()
        resolution.measured(StageTimes(5.0, 100.0 * scale**2), scale)
    assert resolution.scale() == 0.5
    resolution.pass_time(0.3, moving=False)
    assert resolution.scale() == 1.0
    resolution.pass_time(0.01, moving=True)
    assert resolution.scale() == 0.5
    for _ in range(40):
        scale = resolution.scale()
        resolution.measured(StageTimes(1.0, 4.0 * scale**2), scale)
    assert resolution.scale() == 1.0
    resolution.fixed = 0.33
    assert resolution.scale() == 0.33


def test_images_of_another_size_are_not_measured() -> None:
    resolution = Resolution()
    for _ in range(10):
        resolution.measured(StageTimes(1.0, 500.0), 0.5)
    assert resolution.scale() == 1.0


def test_seeks_and_loops_are_no_drops() -> None:
    machine = Machine(deform_ms=18.0, sort_ms=12.0, pixels_ms=14.0)
    resolution = Resolution()
    resolution.set_rates(24.0, DISPLAY_HZ)
    for image in range(300):
        resolution.measured(machine.times(resolution.scale()), resolution.scale())
        resolution.frame_painted((image * 97) % 240)
    assert resolution.scale() == 1.0


def test_slow_renderer_begins_small_and_the_next_one_at_full_size() -> None:
    resolution = Resolution()
    resolution.begin(small=True)
    assert resolution.scale() == LEVELS[-1]
    slow = Machine(deform_ms=200, sort_ms=300, pixels_ms=1500)
    assert play(resolution, slow, 24.0, images=40) == LEVELS[-1]
    resolution.begin(small=False)
    fast = Machine(deform_ms=3, sort_ms=3, pixels_ms=10)
    assert play(resolution, fast, 24.0, images=40) == 1.0
