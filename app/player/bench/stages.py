"""Times the stages of frames rendered one after the other, and of their decoding."""

from __future__ import annotations

import time
from typing import Any, Protocol

from streamstgs.app.player.bench.floors import Floors
from streamstgs.app.player.bench.opening import Opening, finish
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer
from streamstgs.app.player.rendering.stage_timer import StageTimer, summary
from streamstgs.app.player.timeline import Timeline
from streamstgs.renderer import Gop

WARM_UP_FRAMES = 3
FLOORS_EVERY = 4  # frames; the floors are measured in between, under the same load


class Present(Protocol):
    """Copies an image into a texture."""

    def present(self, image: Any) -> int: ...


class StageRun:
    """Renders frames one after the other with a moving camera, as fast as possible.

    Args:
        opening: The open scene.
        presenter: Brings images into a texture; None leaves that stage out.
    """

    def __init__(self, opening: Opening, presenter: Present | None) -> None:
        self._opening, self._presenter = opening, presenter
        self._floors = Floors(opening)
        self._decode_ms: list[float] = []  # of a content frame, one value for each GOP
        self._upload_ms: list[float] = []
        self._steps_ms: dict[str, list[float]] = {}

    def figures(self, frames: int) -> dict[str, Any]:
        """Measure so many content frames; see `bench.bench` for the names."""
        opening = self._opening
        timeline = Timeline.of(opening.scene)
        timer, gop, current = StageTimer(opening.device), opening.gop, -1
        for number in range(min(frames, timeline.frames) + WARM_UP_FRAMES):
            index = max(number - WARM_UP_FRAMES, 0)
            gop_index, inside = timeline.locate(index)
            if gop_index != current:
                current, gop = gop_index, self._decoded(gop_index)
            if number == WARM_UP_FRAMES:
                self._steps_of(gop, inside, index / timeline.fps)  # may compile: not measured
                timer = StageTimer(opening.device)
                opening.renderer.close()
                opening.renderer = FrameRenderer(opening.choice.backend)
            self._lap(timer, gop, inside, index / timeline.fps)
            if number >= WARM_UP_FRAMES and number % FLOORS_EVERY == 0:
                self._between_laps(gop, inside, index / timeline.fps)
        return self._summaries(timer.laps_ms())

    def _decoded(self, index: int) -> Gop:
        opening = self._opening
        start_s = time.perf_counter()
        gop = opening.scene.decode_gop(index, opening.quality, opening.device)
        finish(opening.device)
        self._decode_ms.append(1000 * (time.perf_counter() - start_s) / gop.frames)
        self._floors.decode(index, gop.frames)
        return gop

    def _lap(self, timer: StageTimer, gop: Gop, inside: int, time_s: float) -> None:
        opening = self._opening
        camera = opening.camera_at(time_s)
        timer.start()
        gaussians, _ = opening.renderer.gaussians(gop, inside)
        timer.mark()
        image = opening.draw(gaussians, camera)
        timer.mark()
        if self._presenter is not None:
            self._presenter.present(image)
            timer.mark()

    def _between_laps(self, gop: Gop, inside: int, time_s: float) -> None:
        """Floors, steps of the rasteriser and upload, at the same moment of the scene."""
        opening = self._opening
        self._floors.draw(opening.camera_at(time_s))
        for name, step_ms in self._steps_of(gop, inside, time_s).items():
            self._steps_ms.setdefault(name, []).append(step_ms)
        if opening.device.type == "cuda":
            host = gop.features[inside].cpu().pin_memory()
            start_s = time.perf_counter()
            host.to(opening.device, non_blocking=True)
            finish(opening.device)
            self._upload_ms.append(1000 * (time.perf_counter() - start_s))

    def _steps_of(self, gop: Gop, inside: int, time_s: float) -> dict[str, float]:
        """Milliseconds of the steps of the rasteriser at a frame."""
        opening = self._opening
        gaussians, _ = opening.renderer.gaussians(gop, inside)
        finish(opening.device)
        camera, backend = opening.camera_at(time_s), opening.choice.backend
        return backend.timed_steps(gaussians, camera, opening.render_settings)

    def _summaries(self, laps: list[list[float]]) -> dict[str, Any]:
        steps = {name: summary(values) for name, values in self._steps_ms.items()}
        found: dict[str, Any] = {
            "decode_ms_per_frame": summary(self._decode_ms),
            "upload_ms": summary(self._upload_ms) if self._upload_ms else None,
            "deform_ms": summary(laps[0]),
            "sort_ms": steps.pop("sort", None),
            "raster_ms": summary(laps[1]),
            "present_ms": summary(laps[2]) if self._presenter else None,
            "tick_ms": summary([sum(stages) for stages in zip(*laps, strict=True)]),
            "raster_steps_ms": steps,
            **self._floors.figures(),
        }
        found["ratios"] = _ratios(found)
        return found


def _ratios(found: dict[str, Any]) -> dict[str, float | None]:
    """Medians over the floors of the same run; None where one of them was not measured."""
    floors = found["floors"]

    def ratio(over: dict[str, float] | None, floor: str) -> float | None:
        under = floors[floor]
        return over["median"] / under["median"] if over and under else None

    return {
        "tick_to_raster_alone": ratio(found["tick_ms"], "raster_alone_ms"),
        "raster_to_arithmetic": ratio(found["raster_ms"], "arithmetic_ms"),
        "deform_to_arithmetic": ratio(found["deform_ms"], "arithmetic_ms"),
        "feature_decode_to_bare": ratio(
            found["feature_decode_ms_per_frame"], "bare_decode_ms_per_frame"
        ),
        "present_to_copy": ratio(found["present_ms"], "copy_ms"),
    }
