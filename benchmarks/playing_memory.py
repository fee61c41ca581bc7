"""Plays and draws 10,000 frames on the processor without a window, and watches memory.

    python -m benchmarks.playing_memory --json benchmarks/reports/playing_memory.json

The scene is small and played in a loop in simulated time, with an image for each frame and a seek
now and then. Few segments are kept, so they are decoded again and again: what a frame or a segment
leaves behind shows as a slope. Ends with status 1 when resident memory grew by more than
`--allowed-mib` between the first and the last third of the frames after the warm-up.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import tyro
from streamstgs.app.player.bench.memory import resident_mb
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.scene import open_scene
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends import choose_backend

ROOT = Path(__file__).resolve().parent.parent
SETTLE_S = 30.0
SEEK_EVERY, SAMPLE_EVERY = 97, 50  # frames


@dataclass(frozen=True)
class Options:
    """What is played for how long.

    Args:
        scene: A .stgs file.
        frames: Number of frames that are drawn.
        warm_up: Frames until the pools of libraries and allocators have grown.
        width: Width of the images in px.
        height: Height of the images in px.
        allowed_mib: Growth of memory that still counts as flat.
        json: File for the figures; they are printed as well.
    """

    scene: Path = ROOT / "tests" / "golden" / "synthetic-v4-pages.stgs"
    frames: int = 10_000
    warm_up: int = 1_000
    width: int = 320
    height: int = 180
    allowed_mib: float = 4.0
    json: Path | None = None


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def main(options: Options) -> int:
    figures = play(options)
    print(json.dumps({name: v for name, v in figures.items() if name != "resident_mib"}, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return int(figures["growth_mib"] > options.allowed_mib)


def play(options: Options) -> dict[str, Any]:
    """Play and draw; returns the figures."""
    clock, choose = Clock(), random.Random(0)
    with open_scene(str(options.scene)) as scene:
        path, fps = OrbitPath.of(scene.meta, scene.duration_s), scene.meta.fps
        settings = RenderSettings(scene.meta.background, scene.meta.near)
    kept = PlaybackSettings(pipeline=PipelineSettings(SceneBufferSettings(max_gops=2)))
    playback = Playback(str(options.scene), kept, "cpu", clock)
    renderer = FrameRenderer(choose_backend("cpu").backend, owns_backend=True)
    samples: list[float] = []
    shown: list[int] = []
    try:
        for number in range(options.warm_up + options.frames):
            if number % SEEK_EVERY == SEEK_EVERY - 1:
                playback.seek_frame(choose.randrange(playback.status().frames))
            frame = _next_frame(playback)
            camera = path.camera_at(number / fps, options.width, options.height)
            renderer.render(RenderRequest(frame, camera, settings))
            shown.append(frame.index)
            if number >= options.warm_up and number % SAMPLE_EVERY == 0:
                gc.collect()
                samples.append(round((resident_mb() or 0.0) * 1e6 / 2**20, 2))
            clock.now_s += 1 / fps
    finally:
        renderer.close()
        playback.close()
    third = max(len(samples) // 3, 1)
    return {
        "scene": options.scene.name,
        "size": [options.width, options.height],
        "frames": options.frames,
        "different_frames": len({*shown}),
        "changes_of_frame": sum(one != other for one, other in pairwise(shown)),
        "growth_mib": statistics.median(samples[-third:]) - statistics.median(samples[:third]),
        "resident_mib": samples,
    }


def _next_frame(playback: Playback) -> PlaybackFrame:
    if not playback.settle(SETTLE_S):
        raise RuntimeError("The scene was not decoded in time.")
    frame = playback.tick()
    if frame is None:
        raise RuntimeError("There is no frame to draw.")
    return frame


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
