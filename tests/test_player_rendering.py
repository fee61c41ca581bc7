"""The render thread: newest request first, no frame from before a seek, none rendered twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue

import numpy as np
import pytest
import torch
from streamstgs.app.player.rendering.frame_renderer import (
    FrameRenderer,
    RenderedFrame,
    RenderRequest,
    render_rgb8,
)
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends.base import Backend, Capabilities
from streamstgs.renderer.errors import BackendUnavailable
from streamstgs.renderer.thread_pool import ThreadPool

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0
PLAIN = RenderSettings()


class ScriptedBackend(Backend):
    """Paints the frame's first mean and the picture's size; waits at a gate when told to."""

    name = "scripted"
    capabilities = Capabilities()
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.drawn: list[tuple[int, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def render(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> torch.Tensor:
        self.entered.set()
        assert self.gate.wait(WAIT_S)
        self.drawn.append((camera.width, camera.height))
        return torch.full((camera.height, camera.width, 3), float(gaussians.means[0, 0]))


class CountingDeformer:
    """Gaussians whose first mean tells the frame."""

    calls = 0

    def __init__(self, gop: Gop, crew: ThreadPool) -> None:
        self.gop = gop

    def gaussians_at(self, frame: float) -> Gaussians:
        type(self).calls += 1
        means = torch.full((1, 3), frame / 255.0)
        ones = torch.ones(1)
        return Gaussians(means, torch.ones(1, 4), torch.ones(1, 3), ones, torch.ones(1, 3))


@pytest.fixture
def backend() -> ScriptedBackend:
    CountingDeformer.calls = 0
    return ScriptedBackend()


@pytest.fixture
def maker(backend: ScriptedBackend) -> Iterator[RenderThread]:
    made = RenderThread(lambda: FrameRenderer(backend, CountingDeformer))
    yield made
    backend.gate.set()
    assert made.close()


GOP = ScriptedScene().decode_gop(0, ScriptedScene().qualities[-1])


def frame(index: int, serial: int = 0) -> PlaybackFrame:
    return PlaybackFrame(GOP, index, index, Quality(0, 20, 0.0), serial)


def camera(x: float = 0.0, size: tuple[int, int] = (8, 6)) -> Camera:
    up, middle = torch.tensor([0.0, -1.0, 0.0]), torch.zeros(3)
    return Camera.look_at(torch.tensor([x, 0.0, -4.0]), middle, up, 0.8, *size)


def test_a_rendered_frame_is_taken_once(maker: RenderThread) -> None:
    maker.show(frame(3), camera(), PLAIN)
    assert maker.wait(WAIT_S)
    picture = maker.take_frame()
    assert picture is not None
    assert picture.rgb8.shape == (6, 8, 3)
    assert picture.rgb8.dtype == np.uint8
    assert (picture.rgb8 == 3).all()
    assert maker.take_frame() is None


def test_camera_move_renders_without_deforming(
    maker: RenderThread, backend: ScriptedBackend
) -> None:
    shown = frame(3)
    for x in (0.0, 0.5, 1.0):
        maker.show(shown, camera(x), PLAIN)
        assert maker.wait(WAIT_S)
        maker.take_frame()
    assert len(backend.drawn) == 3
    assert CountingDeformer.calls == 1
    maker.show(shown, camera(1.0), PLAIN)  # an equal camera is no change
    maker.show(shown, camera(1.0, (10, 6)), PLAIN)
    assert maker.wait(WAIT_S)
    assert backend.drawn[3:] == [(10, 6)]


def test_only_newest_request_is_rendered(maker: RenderThread, backend: ScriptedBackend) -> None:
    backend.gate.clear()
    maker.show(frame(0), camera(), PLAIN)
    assert backend.entered.wait(WAIT_S)
    for index in (1, 2, 3):
        maker.show(frame(index), camera(), PLAIN)
    backend.gate.set()
    last = None
    while last is None or last.request.frame.frame < 3:
        assert maker.wait(WAIT_S)
        last = maker.take_frame()
    assert len(backend.drawn) == 2
    assert maker.skipped_frames == 2


def test_frame_rendered_from_another_camera_is_not_skipped(
    maker: RenderThread, backend: ScriptedBackend
) -> None:
    backend.gate.clear()
    first, second = frame(0), frame(1)
    maker.show(first, camera(), PLAIN)
    assert backend.entered.wait(WAIT_S)
    maker.show(first, camera(1.0), PLAIN)
    maker.show(second, camera(1.0), PLAIN)
    assert maker.skipped_frames == 0


def test_no_frame_from_before_a_seek(maker: RenderThread, backend: ScriptedBackend) -> None:
    backend.gate.clear()
    maker.show(frame(0, serial=1), camera(), PLAIN)
    assert backend.entered.wait(WAIT_S)
    maker.show(frame(7, serial=2), camera(), PLAIN)
    backend.gate.set()
    assert maker.wait(WAIT_S)
    picture = maker.take_frame()
    assert picture is not None
    assert picture.request.frame.serial == 2


def test_render_once_is_not_skipped_by_newer_requests(
    maker: RenderThread, backend: ScriptedBackend
) -> None:
    backend.gate.clear()
    maker.show(frame(0), camera(), PLAIN)
    assert backend.entered.wait(WAIT_S)
    stills: Queue[RenderedFrame] = Queue()
    maker.render_once(RenderRequest(frame(3), camera(), PLAIN), stills.put)
    maker.show(frame(7), camera(), PLAIN)
    backend.gate.set()
    still = stills.get(timeout=WAIT_S)
    assert still.request.frame.index == 3
    assert (still.rgb8 == 3).all()
    assert maker.wait(WAIT_S)


def test_missing_backend_becomes_an_event() -> None:
    woken = threading.Event()

    def choose() -> FrameRenderer:
        raise BackendUnavailable("no such device")

    maker = RenderThread(choose, on_frame=woken.set)
    assert woken.wait(WAIT_S)
    (event,) = maker.take_events()
    assert event.fatal
    assert "no such device" in event.message
    maker.show(frame(0), camera(), PLAIN)
    assert maker.close()


def test_rgb8_is_rounded_clipped_or_made_by_the_backend() -> None:
    class Bright(ScriptedBackend):
        def render(self, *_: object) -> torch.Tensor:
            return torch.tensor([[[-1.0, 0.5, 7.0]]])

    assert render_rgb8(Bright(), Gaussians.empty(), camera(), RenderSettings()).tolist() == [
        [[0, 128, 255]]
    ]

    class Direct(ScriptedBackend):
        def render_rgb8(self, *_: object) -> torch.Tensor:
            return torch.full((1, 1, 3), 9, dtype=torch.uint8)

    assert render_rgb8(Direct(), Gaussians.empty(), camera(), RenderSettings()).max() == 9


def test_deformer_changes_with_the_gop(backend: ScriptedBackend) -> None:
    source = FrameRenderer(backend, CountingDeformer)
    other = ScriptedScene().decode_gop(1, ScriptedScene().qualities[-1])
    assert source.gaussians(GOP, 4)[1]
    assert not source.gaussians(GOP, 4)[1]
    assert source.gaussians(other, 4)[1]


def test_one_thread_pool_deforms_all_gops(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    before = set(threading.enumerate())
    source, scene = FrameRenderer(backend), ScriptedScene()
    for gop in range(5):
        source.gaussians(scene.decode_gop(gop, scene.quality(20)), 0)
        assert 1 <= len(set(threading.enumerate()) - before) <= 2
    source.close()
    assert set(threading.enumerate()) <= before


def test_images_may_stay_on_the_device(backend: ScriptedBackend) -> None:
    source = FrameRenderer(backend, CountingDeformer, to_host=False)
    picture = source.render(RenderRequest(frame(5), camera(), PLAIN))
    assert isinstance(picture.rgb8, torch.Tensor)
    assert picture.rgb8.dtype == torch.uint8
    assert (picture.rgb8 == 5).all()


def test_gaussians_of_a_rendered_frame_outlive_the_next(backend: ScriptedBackend) -> None:
    source = FrameRenderer(backend, keep_gaussians=True)
    first = source.render(RenderRequest(frame(0), camera(), PLAIN))
    before = first.gaussians.means.clone()
    turned = source.render(RenderRequest(frame(0), camera(1.0), PLAIN))
    other = source.render(RenderRequest(frame(5), camera(), PLAIN))
    assert torch.equal(first.gaussians.means, before)
    assert turned.gaussians is first.gaussians
    assert not torch.equal(other.gaussians.means, before)
    assert torch.allclose(other.gaussians.means, GOP.gaussians_at(5).means, atol=1e-5)
