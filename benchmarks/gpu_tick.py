"""Measures a tick of the player on a CUDA device, and its floors.

    python -m benchmarks.gpu_tick --json tick.json

A tick moves the Gaussians, rasterises them and makes 8-bit pixels; the next frame of the content
and another camera are due in each. `tick` runs as the player does, with at most one frame queued
behind the one that is drawn; `latency` waits for each. The floor of rasterising draws Gaussians
that never move. The floor of decoding is libavcodec alone, with one thread.
"""

from __future__ import annotations

import gc
import io
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import tyro
from rich.console import Console
from rich.table import Table
from streamstgs.app.console import check_figures_path, write_figures
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.rendering.stage_timer import StageTimer
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.cli.open import bundled_scene
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import (
    DeformationField,
    FieldConfig,
    Gop,
    RenderSettings,
    fused,
)
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend, to_rgb8
from streamstgs.renderer.backends.gsplat_cuda import rasterize

from benchmarks.made_up_scene import made_up_scene

COMPILE_S = 90.0
WARM_UP = 40  # frames


@dataclass(frozen=True)
class Options:
    """Settings of the benchmark.

    Args:
        frames: Number of frames that are timed in each row.
        gaussians: Number of Gaussians in the made-up scene.
        moving: Number of those that move.
        reference: Time the torch code that the kernels replace as well.
        json: File that the figures are written to; default: none.
    """

    frames: int = 600
    gaussians: int = 200_000
    moving: int = 150_000
    reference: bool = True
    json: Path | None = None


@dataclass(frozen=True)
class Case:
    """What is played: decoded segments one after the other, and a camera that moves."""

    name: str
    gops: list[Gop]
    quality: Quality
    path: OrbitPath
    settings: RenderSettings
    size: tuple[int, int]

    def request(self, number: int) -> RenderRequest:
        """Frame `number` of the endless run, and its camera."""
        place = number % sum(gop.frames for gop in self.gops)
        for gop in self.gops:
            if place < gop.frames:
                break
            place -= gop.frames
        frame = PlaybackFrame(gop, float(place), number, self.quality, 0)
        return RenderRequest(frame, self.path.camera_at(number / 24.0, *self.size), self.settings)


def main(options: Options) -> None:
    check_figures_path(options.json)
    backend = choose_backend("gsplat").backend
    backend.warm_up()
    figures: dict[str, Any] = {"hardware": hardware(), "cases": {}}
    with open_scene(bundled_scene()) as scene:
        for case in _cases(scene, options, backend.device):
            gc.collect()
            gc.freeze()  # as the window does: a full collection of all modules lasts three frames
            figures["cases"][case.name] = _measured(case, backend, options)
            torch.cuda.empty_cache()
        figures["decode_ms_per_feature_frame"] = decode_times(scene)
    write_figures(options.json, figures)
    Console(width=130).print(_table(figures))
    decode = figures["decode_ms_per_feature_frame"]
    print("decode ms per feature frame:", {name: round(ms, 3) for name, ms in decode.items()})


def _cases(scene: Scene, options: Options, device: torch.device) -> Iterator[Case]:
    best, meta = scene.qualities[-1], scene.meta
    gops = [scene.decode_gop(k, best, device) for k in range(scene.gop_count)]
    path = OrbitPath.of(meta, scene.duration_s)
    settings = RenderSettings(meta.background, meta.near)
    for size in ((1352, 1014), (3840, 2160)):
        yield Case(f"bundled {size[0]}x{size[1]}", gops, best, path, settings, size)
    gop, meta = made_up_gop(options.gaussians, options.moving, device)
    path = OrbitPath.of(meta, 10.0)
    settings = RenderSettings(meta.background, meta.near)
    name = f"{options.moving} of {options.gaussians} moving 1352x1014"
    yield Case(name, [gop], best, path, settings, (1352, 1014))


def made_up_gop(gaussians: int, moving: int, device: torch.device) -> tuple[Gop, SceneMeta]:
    """Surfaces of which a part moves with random features, and how they are looked at."""
    random = torch.Generator().manual_seed(0)
    scene = made_up_scene(gaussians)
    order = torch.randperm(gaussians, generator=random)
    config = FieldConfig(features=8, window=5, extent=scene.meta.radius)
    field = DeformationField(config).eval()
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=random)
    for head in field.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=0.002, generator=random)
        torch.nn.init.zeros_(head[-1].bias)
    shape = (60 + config.window - 1, moving, config.features)
    features = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
    gop = Gop(
        static=scene.static[order[moving:]].to(device).activate(),
        canonical=scene.static[order[:moving]].to(device),
        features=features.to(device),
        feature_offset=torch.full((8,), -1.0, device=device),
        feature_step=torch.full((8,), 2 / 255, device=device),
        field=field.to(device),
        frames=60,
    )
    return gop, scene.meta


def _measured(case: Case, backend: Backend, options: Options) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "gaussians": len(case.gops[0].static) + len(case.gops[0].canonical),
        "moving": len(case.gops[0].canonical),
    }
    _wait_for_kernel(case)
    figures["tick"], figures["latency"] = _ticks(case, backend, options.frames)
    figures["stages_on_device"] = _stages(case, backend, options.frames // 4)
    figures["floor_raster"] = _floor(case, options.frames)
    if options.reference:
        with without_kernels():
            few = max(options.frames // 4, 50)
            figures["torch_tick"], figures["torch_latency"] = _ticks(case, backend, few)
            figures["torch_stages_on_device"] = _stages(case, backend, few)
    return figures


@contextmanager
def without_kernels() -> Iterator[None]:
    """Runs the torch code instead of the Triton kernels."""
    with patch.object(fused, "runs_on", lambda tensor: False):
        yield


def _wait_for_kernel(case: Case) -> None:
    """Returns once the kernel is compiled; prints a note where there is none."""
    gop = case.gops[0]
    if not fused.runs_on(gop.features):
        print("Triton does not work here: every figure is of the torch code")
        return
    from streamstgs.renderer.fused.field import FusedField

    start_s, field = time.perf_counter(), FusedField(gop)
    while not field.is_compiled() and time.perf_counter() - start_s < COMPILE_S:
        time.sleep(0.02)
    state = "compiled" if field.is_compiled() else "NOT compiled"
    print(f"{case.name}: kernel {state} after {time.perf_counter() - start_s:.1f} s")


def _ticks(case: Case, backend: Backend, frames: int) -> tuple[dict[str, float], dict[str, float]]:
    """Times of ticks that follow each other, and of ticks that are waited for."""
    renderer = FrameRenderer(backend, to_host=False)
    requests = [case.request(number) for number in range(frames + WARM_UP)]
    try:
        following, latencies = [], []
        for request in requests:
            start_s = time.perf_counter()
            renderer.render(request)
            following.append(time.perf_counter() - start_s)
        torch.cuda.synchronize()
        for request in requests:
            start_s = time.perf_counter()
            renderer.render(request)
            torch.cuda.synchronize()
            latencies.append(time.perf_counter() - start_s)
    finally:
        renderer.close()
    return summary(following[WARM_UP:]), summary(latencies[WARM_UP:])


def _stages(case: Case, backend: Backend, frames: int) -> dict[str, dict[str, float]]:
    """Time between the stages on the device, the host's share included."""
    renderer, watch = FrameRenderer(backend, to_host=False), StageTimer(backend.device)
    try:
        for number in range(frames + WARM_UP):
            request = case.request(number)
            if number == WARM_UP:
                watch = StageTimer(backend.device)
            watch.start()
            gaussians, _ = renderer.gaussians(request.frame.gop, request.frame.frame)
            watch.mark()
            picture = backend.render(gaussians, request.camera, request.settings)
            watch.mark()
            to_rgb8(picture)
            watch.mark()
        laps = watch.laps_ms()
    finally:
        renderer.close()
    names = ("deform", "raster", "bytes")
    return {name: summary([ms / 1e3 for ms in lap]) for name, lap in zip(names, laps, strict=True)}


@torch.no_grad()
def _floor(case: Case, frames: int) -> dict[str, float]:
    """Rasterising alone: gsplat on Gaussians that never move, each image waited for."""
    frozen = case.gops[0].gaussians_at(0)
    times = []
    for number in range(frames + WARM_UP):
        camera = case.request(number).camera
        torch.cuda.synchronize()
        start_s = time.perf_counter()
        rasterize(frozen, [camera], case.settings)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start_s)
    return summary(times[WARM_UP:])


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and mean in ms."""
    ordered = sorted(1e3 * value for value in seconds)
    return {
        "p50": statistics.median(ordered),
        "p99": ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)],
        "mean": statistics.fmean(ordered),
    }


def decode_times(scene: Scene, rounds: int = 5) -> dict[str, float]:
    """Milliseconds per feature frame: the codec, libavcodec alone, and what else is tried.

    The best of some rounds, with one thread; uploads are not within.
    """
    best = scene.qualities[-1]
    packet = scene.fetch_features(0, best)
    movie = packet.init + packet.media
    frames = scene.decode_gop(0, best).features.shape[0]
    ways: dict[str, Callable[[], Any]] = {
        "codec": lambda: scene.decoder.features(0, packet),
        "libavcodec": lambda: _decode(movie),
        "nvdec": lambda: _decode(movie, "cuda"),
    }
    figures = {}
    for name, way in ways.items():
        try:
            seconds = []
            for _ in range(rounds):
                start_s = time.perf_counter()
                way()
                seconds.append(time.perf_counter() - start_s)
            figures[name] = 1e3 * min(seconds) / frames
        except (ImportError, OSError, RuntimeError, ValueError, TypeError) as error:
            print(f"decoding with {name} does not work here: {error!r}")
    return figures


def _decode(movie: bytes, hardware_device: str | None = None) -> int:
    """Decode a feature video with libavcodec; the pictures are dropped."""
    import av

    more: dict[str, Any] = {}
    if hardware_device is not None:
        from av.codec.hwaccel import HWAccel

        more["hwaccel"] = HWAccel(hardware_device, allow_software_fallback=False)
    with av.open(io.BytesIO(movie), "r", format="mp4", **more) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def _table(figures: dict[str, Any]) -> Table:
    gpu = figures["hardware"]["gpu"]
    table = Table(title=f"ms on {gpu}, p50 / p99", title_justify="left")
    for name in ("case", "tick", "latency", "raster alone", "tick / raster", "torch tick"):
        table.add_column(name)
    table.add_column("on the device: deform, raster, bytes")
    for name, case in figures["cases"].items():
        share = case["tick"]["p50"] / case["floor_raster"]["p50"]
        keys = ("tick", "latency", "floor_raster")
        stages = (_two(stage) for stage in case["stages_on_device"].values())
        torch_tick = _two(case["torch_tick"]) if "torch_tick" in case else "-"
        cells = [_two(case[key]) for key in keys]
        table.add_row(name, *cells, f"{share:.2f}", torch_tick, ", ".join(stages))
    return table


def _two(times: dict[str, float]) -> str:
    return f"{times['p50']:.2f} / {times['p99']:.2f}"


if __name__ == "__main__":
    main(tyro.cli(Options))
