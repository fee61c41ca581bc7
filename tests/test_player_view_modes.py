"""View modes, splat size, crop and backgrounds: the same for all backends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.app.player.buffer.scene_buffer import still_gop
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.rendering import view_modes
from streamstgs.app.player.rendering.frame_renderer import FrameDeformer, RenderRequest
from streamstgs.app.player.rendering.view_settings import VIEW_MODES, ViewPass, ViewSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.importance import importance_score

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0
SIZE = (64, 36)
UP = torch.tensor([0.0, -1.0, 0.0])
CAMERA = Camera.look_at(torch.tensor([0.0, 0.0, -3.0]), torch.zeros(3), UP, 0.8, *SIZE)


def scripted(location: str, clock: PlaybackClock) -> Playback:
    return Playback(location, PlaybackSettings(), opener=lambda _: ScriptedScene(), clock=clock)


@pytest.fixture(scope="module")
def opened() -> Iterator[ViewerModel]:
    model = ViewerModel(scripted)
    model.open("ball", play=False)
    model.settle(WAIT_S)
    model.transport.seek(0.7)
    yield model
    model.close()


@pytest.fixture(autouse=True)
def plain(opened: ViewerModel) -> Iterator[None]:
    yield
    options = opened.options
    options.mode, options.exposure, options.splat_scale = "color", 0.0, 1.0
    options.crop, options.background = None, "scene"


def one_gaussian(**changes: torch.Tensor) -> Gaussians:
    made = Gaussians(
        means=torch.zeros(1, 3),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.tensor([[0.3, 0.3, 0.01]]),
        opacities=torch.tensor([0.9]),
        colors=torch.tensor([[0.2, 0.4, 0.6]]),
    )
    return replace(made, **changes)


def frame_of(gaussians: Gaussians) -> PlaybackFrame:
    return PlaybackFrame(still_gop(gaussians), 0, 0, Quality(0, 20, 1.0), 0)


def shown(gaussians: Gaussians, **settings: object) -> tuple[Gaussians, RenderSettings]:
    asked = ViewSettings(**settings)  # type: ignore[arg-type]
    return ViewPass().prepared(gaussians, CAMERA, asked, frame_of(gaussians))


@pytest.mark.parametrize("mode", VIEW_MODES)
def test_backends_agree_on_every_mode(opened: ViewerModel, mode: str) -> None:
    opened.options.mode = mode
    pictures = [opened.screenshot(*SIZE, backend=name) for name in ("cpu", "reference")]
    apart = np.abs(pictures[0].astype(int) - pictures[1])
    assert apart.max() <= 2
    assert np.ptp(pictures[0]) > 40


def test_modes_differ_from_each_other(opened: ViewerModel) -> None:
    pictures = []
    for mode in VIEW_MODES:
        opened.options.mode = mode
        pictures.append(opened.screenshot(*SIZE, backend="cpu").astype(int))
    for place, one in enumerate(pictures):
        assert all(np.abs(one - other).max() > 20 for other in pictures[:place])


def test_plain_settings_change_nothing() -> None:
    gaussians, settings = one_gaussian(), RenderSettings()
    passed = ViewPass().prepared(gaussians, CAMERA, settings, frame_of(gaussians))
    assert passed[0] is gaussians
    assert passed[1] is settings
    meta = ScriptedScene().meta
    assert type(RenderOptions().look.settings(meta, (1.0, 1.0))) is RenderSettings


def test_normals_point_to_the_camera_in_its_axes() -> None:
    seen, _ = shown(one_gaussian(), mode="normals")
    assert seen.colors[0].tolist() == pytest.approx([0.5, 0.5, 1.0], abs=1e-5)
    thin_in_x = one_gaussian(
        scales=torch.tensor([[0.01, 0.3, 0.3]]), means=torch.tensor([[-1.0, 0.0, 0.0]])
    )
    seen, _ = shown(thin_in_x, mode="normals")
    assert seen.colors[0].tolist() == pytest.approx([1.0, 0.5, 0.5], abs=1e-5)


def test_points_have_one_size_on_the_screen() -> None:
    far = one_gaussian(means=torch.tensor([[0.0, 0.0, 3.0]]))
    radii = []
    for gaussians, away in ((one_gaussian(), 3.0), (far, 6.0)):
        seen, _ = shown(gaussians, mode="points")
        radii.append(float(seen.scales[0, 0]) / away * float(CAMERA.K[1, 1]))
        assert float(seen.opacities[0]) == 1.0
    assert radii == pytest.approx([view_modes.POINT_PX] * 2, rel=1e-4)


def test_opacity_layers_and_ellipsoids() -> None:
    seen, settings = shown(one_gaussian(), mode="opacity")
    assert torch.allclose(seen.colors, view_modes.heat(torch.tensor([0.9])))
    assert settings.background == (0.0, 0.0, 0.0)
    pair = Gaussians.concatenate([one_gaussian(), one_gaussian()])
    static, moving = view_modes.layers(pair, 1).colors
    assert static[2] > static[0]
    assert moving[0] > moving[2]
    ellipsoid = view_modes.ellipsoids(one_gaussian(opacities=torch.tensor([0.001])))
    assert float(ellipsoid.opacities[0]) == 0.0  # what is not drawn stays so


def test_motion_is_the_speed_of_the_moving_gaussians(opened: ViewerModel) -> None:
    frame = opened.settle(WAIT_S)
    speeds = view_modes.speeds_at(frame.gop, 3.0, 10.0, len(frame.gop.canonical))
    before, after = (frame.gop.dynamic_at(moment).means for moment in (3.0, 4.0))
    torch.testing.assert_close(speeds, 10.0 * (after - before).norm(dim=1))
    assert float(speeds.max()) > 0.0
    still = view_modes.speeds_at(still_gop(one_gaussian()), 0.0, 10.0, 0)
    assert len(still) == 0
    everything = frame.gop.gaussians_at(3.0)
    colors = view_modes.motion(everything, speeds, float(speeds.max())).colors
    assert torch.allclose(colors[: len(frame.gop.static)], torch.tensor(view_modes.DARK))
    fastest = len(frame.gop.static) + int(speeds.argmax())
    assert torch.allclose(colors[fastest], view_modes.heat(torch.tensor([1.0]))[0])


def test_importance_is_that_of_the_view(opened: ViewerModel) -> None:
    frame = opened.settle(WAIT_S)
    gaussians = frame.gop.gaussians_at(0.0)
    camera = opened.camera.to_camera(*SIZE)
    colors = view_modes.importance(gaussians, camera, RenderSettings()).colors
    scores = importance_score(gaussians, camera, RenderSettings())
    assert int(colors[:, 0].argmax()) in torch.topk(scores, 5).indices.tolist()
    order = torch.argsort(scores)
    red = colors[order, 0]
    assert bool((red[1:] >= red[:-1] - 1e-5).all())


def test_crop_and_splat_size(opened: ViewerModel) -> None:
    opened.options.mode = "alpha"
    covered = {}
    for scale in (0.3, 1.0, 2.0):
        opened.options.splat_scale = scale
        covered[scale] = opened.screenshot(*SIZE, backend="cpu").mean()
    assert covered[0.3] < covered[1.0] < covered[2.0]
    opened.options.splat_scale = 1.0
    opened.options.crop = ((-9.0, -9.0, -9.0), (0.0, 9.0, 9.0))
    half = opened.screenshot(*SIZE, backend="cpu").mean(axis=(0, 2))
    assert half[40:].mean() < 0.15 * half[:24].mean()
    opened.crop_here()
    assert opened.options.crop is not None
    (left, *_), (right, *_) = opened.options.crop
    visible = 2 * opened.camera.shown.distance * math.tan(opened.camera.fov_y_rad / 2)
    assert right - left == pytest.approx(visible / 2)


def test_any_background_and_wrong_options(opened: ViewerModel) -> None:
    options = opened.options
    options.background = "#204060"
    assert opened.screenshot(*SIZE, backend="cpu")[0, 0].tolist() == [0x20, 0x40, 0x60]
    assert options.is_plain is False
    for wrong in ("#20406", "#2040zz", "204060", ""):
        with pytest.raises(ValueError, match="#rrggbb"):
            options.background = wrong
    with pytest.raises(ValueError, match="splat size"):
        options.splat_scale = 0.0
    with pytest.raises(ValueError, match="not above the first"):
        options.crop = ((0.0, 0.0, 0.0), (1.0, 0.0, 1.0))


def test_deformer_gives_what_a_window_draws_itself(opened: ViewerModel) -> None:
    frame, deformer = opened.settle(WAIT_S), FrameDeformer()
    camera = opened.camera.to_camera(*SIZE)
    plain = deformer.render(RenderRequest(frame, camera, RenderSettings()))
    normals = deformer.render(RenderRequest(frame, camera, ViewSettings(mode="normals")))
    again = deformer.render(RenderRequest(frame, camera, RenderSettings()))
    assert not torch.equal(plain.gaussians.colors, normals.gaussians.colors)
    assert torch.equal(plain.gaussians.colors, again.gaussians.colors)
    assert type(normals.settings) is RenderSettings
    deformer.close()
