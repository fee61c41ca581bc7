"""Measures what the stages of a frame cost on the processor, in processor time.

    python -m benchmarks.processor_stages [SCENE ...] [--json FILE]

One thread moves, projects, sorts and blends frames of a scene while the camera moves. Each frame is
measured several times, in turn with the others, and the least time counts: other programs, also
those on another thread of the core, only add to it. Divided by the number of cores it is the least
time of a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from streamstgs.app.console import write_figures
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.cpu.backend import CpuBackend, CpuSettings

from benchmarks.regression import vector_instructions

ASSETS = Path(__file__).resolve().parent.parent / "assets"
COMMAND = "python -m benchmarks.processor_stages"
MEASURED = ("move", "project", "sort", "sort and blend")
FRAMES_APART = 10


@dataclass(frozen=True)
class Options:
    """What is measured.

    Args:
        scenes: Scenes; those that come with the program where none is named.
        sizes: Sizes of the images as WIDTHxHEIGHT in px.
        frames: Content frames that are measured.
        rounds: How often each is measured.
        json: File for the figures; they are printed as well.
    """

    scenes: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    sizes: tuple[str, ...] = ("640x360", "1280x720")
    frames: int = 6
    rounds: int = 10
    json: Path | None = None


def main(options: Options) -> None:
    torch.set_num_threads(1)
    scenes = options.scenes or (str(ASSETS / "dungeon.stgs"), str(ASSETS / "tokyo.stgs"))
    runs = []
    for location in scenes:
        with open_scene(location) as scene:
            for size in options.sizes:
                width, height = (int(side) for side in size.split("x"))
                runs.append(
                    {"scene": Path(location).stem, **measure(scene, width, height, options)}
                )
                print(runs[-1])
    machine = {**hardware(), "vectors": vector_instructions()}
    write_figures(options.json, {"command": COMMAND, "hardware": machine, "runs": runs})


def measure(scene: Scene, width: int, height: int, options: Options) -> dict[str, Any]:
    """Median over the frames of the least processor ms of each stage, and how many splats are drawn
    and listed."""
    gop = scene.decode_gop(0, scene.qualities[-1])
    path = OrbitPath.of(scene.meta, scene.duration_s)
    renderer = FrameRenderer(CpuBackend(CpuSettings(threads=1)), owns_backend=True)
    settings = RenderSettings(scene.meta.background, scene.meta.near)
    frames = [FRAMES_APART * number % gop.frames for number in range(options.frames)]
    laps: dict[str, list[list[float]]] = {name: [[] for _ in frames] for name in MEASURED}
    counts: dict[str, int] = {}
    for number in range(-len(frames), options.rounds * len(frames)):  # the first round warms up
        place = number % len(frames)
        frame = frames[place]
        camera = path.camera_at(frame / scene.meta.fps, width, height)
        renderer.gaussians(gop, frame + 1)  # so that the next call moves them
        move_ms, (gaussians, _) = _processor_ms(lambda: renderer.gaussians(gop, frame))  # noqa: B023
        stages_ms, counts = _raster(renderer.backend, gaussians, camera, settings)
        if number >= 0:
            for name, stage_ms in {"move": move_ms, **stages_ms}.items():
                laps[name][place].append(stage_ms)
    renderer.close()
    least_ms = {name: median(map(min, values)) for name, values in laps.items()}
    least_ms["blend"] = least_ms.pop("sort and blend") - least_ms["sort"]
    rounded = {name: round(value, 2) for name, value in least_ms.items()}
    return {"size": [width, height], "processor_ms": rounded, **counts}


def _raster(
    backend: Any, gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> tuple[dict[str, float], dict[str, int]]:
    """Processor ms of the steps of the rasteriser, and the counts."""
    image = np.empty((camera.height, camera.width, 3), np.uint8)
    no_floats = np.empty((0, 0, 3), np.float32)
    project_ms, _ = _processor_ms(lambda: backend._project(gaussians, camera, settings))
    both_ms, _ = _processor_ms(
        lambda: backend._blend(gaussians, camera, settings.background, no_floats, image)
    )
    sort_ms, _ = _processor_ms(lambda: backend._sort(gaussians, camera))
    drawn = int(backend._buffers.used_counts(gaussians).sum())
    bands = backend._binned(gaussians, camera)
    listed = sum(int(starts[last] - starts[first]) for starts, _, _, first, last in bands)
    times_ms = {"project": project_ms, "sort": sort_ms, "sort and blend": both_ms}
    return times_ms, {"gaussians": len(gaussians), "drawn": drawn, "listed": listed}


def _processor_ms(work: Callable[[], Any]) -> tuple[float, Any]:
    start_s = time.thread_time()
    result = work()
    return 1000 * (time.thread_time() - start_s), result


if __name__ == "__main__":
    main(tyro.cli(Options))
