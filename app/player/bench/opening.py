"""Opens a scene and a backend for the benchmark, and times each step up to the first image."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from streamstgs.app.player.bench.report import process_age_s
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends import BackendChoice, choose_backend


class Opening:
    """An open scene with its first GOP, and a backend; `seconds` has the time of each step."""

    def __init__(
        self, location: str, backend: str | None, size: tuple[int, int], qp: int | None
    ) -> None:
        self.size = size
        self.seconds: dict[str, float] = {}
        self.owns_backend = True
        age_s = process_age_s()
        if age_s is not None:
            self.seconds["start_of_program"] = age_s
        with self._step("backend"):
            self.choice: BackendChoice = choose_backend(backend)
            self.choice.backend.warm_up()
        with self._step("open"):
            self.scene: Scene = open_scene(location)
        qualities = self.scene.qualities
        self.quality = qualities[-1] if qp is None else self.scene.quality(qp)
        device = self.choice.backend.device
        with self._step("static"):
            self.scene.read_static(device)
        with self._step("decode"):
            self.gop: Gop = self.scene.decode_gop(0, self.quality, device)
        self.path = OrbitPath.of(self.scene.meta, self.scene.duration_s)
        self.render_settings = RenderSettings(self.scene.meta.background, self.scene.meta.near)
        self.renderer = FrameRenderer(self.choice.backend)
        with self._step("deform"):
            gaussians, _ = self.renderer.gaussians(self.gop, 0)
            finish(device)
        with self._step("raster"):
            self.draw(gaussians, self.camera_at(0.0))
            finish(device)
        self.seconds["total"] = sum(self.seconds.values())
        self.gaussians = {
            "static": len(self.gop.static),
            "moving": len(self.gop.canonical),
            "total": len(gaussians),
        }

    @property
    def device(self) -> torch.device:
        return self.choice.backend.device

    def camera_at(self, time_s: float) -> Camera:
        """The moving camera of the benchmark."""
        return self.path.camera_at(time_s, *self.size)

    def draw(self, gaussians: Gaussians, camera: Camera) -> Any:
        """The image as the backend returns it fastest: with 8 bits where it offers that."""
        backend = self.choice.backend
        render = backend.render_rgb8 if backend.capabilities.writes_rgb8 else backend.render
        return render(gaussians, camera, self.render_settings)

    def close(self) -> None:
        """Let go of the scene and of the backend."""
        self.scene.close()
        self.renderer.close()
        if self.owns_backend:
            self.choice.backend.close()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start_s


def finish(device: torch.device) -> None:
    """Wait for the device, before a time is taken."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
