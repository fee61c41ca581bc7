"""The space in front of the cameras, in which floaters are not wanted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.coarse.free_space import FREE_SHARE, FreeSpace, free_depth
from streamstgs.trainer.coarse.stage import CoarseTraining, SceneGeometry, train_coarse
from streamstgs.trainer.coarse.temporal_median import (
    BackgroundConfig,
    TemporalMedian,
    capture_medians,
)
from streamstgs.trainer.coarse.training_views import MedianViews
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.joint_stage import without_floaters
from streamstgs.trainer.optimization.gaussian_parameters import ATTRIBUTES
from streamstgs.trainer.optimization.rasterizer import rasterize
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.scene_meta import scene_meta
from torch import Tensor

from tests.capture_scene import BACKGROUND, ring_cameras, scene_at, still_blobs

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
NEAR = 0.3
CENTER = (0.0, 0.0, 0.0)
SHELL = 1.75  # radius of the points that were found around the scene
NO_POINTS = torch.zeros(0, 3)


@pytest.fixture
def cameras() -> list[Camera]:
    return ring_cameras(8)


def floater(place: Tensor) -> CanonicalGaussians:
    return CanonicalGaussians(
        means=place[None],
        quats=torch.tensor([[1.0, 0, 0, 0]]),
        log_scales=torch.full((1, 3), math.log(0.3)),
        opacity_logits=torch.full((1,), 3.0),
        colors=torch.full((1, 3), 0.5),
    )


def shell() -> Tensor:
    """[2000, 3] on a sphere: cameras 4.3 away find nothing nearer than 2.5."""
    rng = torch.Generator().manual_seed(1)
    return SHELL * torch.nn.functional.normalize(torch.randn(2000, 3, generator=rng))


def in_front_of(camera: Camera, depth: float) -> Tensor:
    return camera.position + depth * camera.viewmat[2, :3]


def mean_loss(space: FreeSpace, of: CanonicalGaussians) -> float:
    rng = Rng(0, CPU)
    return sum(space.loss(of.activate(), rng).item() for _ in range(16)) / 16


def test_free_depth_is_a_share_of_the_nearest_points(cameras: list[Camera]) -> None:
    points = in_front_of(cameras[0], 3.0).expand(40, 3)
    depths = [(c.viewmat[2, :3] @ points[0] + c.viewmat[2, 3]).item() for c in cameras]
    for camera, depth in zip(cameras, depths, strict=True):
        assert free_depth(points, camera) == pytest.approx(FREE_SHARE * depth, rel=1e-4)
    space = FreeSpace(cameras, CENTER, NEAR, points)
    assert space.far == pytest.approx(FREE_SHARE * min(depths), rel=1e-4)


def test_free_depth_ignores_few_wrong_points(cameras: list[Camera]) -> None:
    far = in_front_of(cameras[0], 3.0).expand(99, 3)
    stray = in_front_of(cameras[0], 0.01)[None]
    assert free_depth(torch.cat([far, stray]), cameras[0]) == free_depth(far, cameras[0])


def test_free_depth_of_few_points_is_zero(cameras: list[Camera]) -> None:
    few = in_front_of(cameras[0], 3.0).expand(10, 3)
    assert free_depth(few, cameras[0]) == 0
    space = FreeSpace(cameras, CENTER, NEAR, few)
    assert mean_loss(space, floater(in_front_of(cameras[0], 1))) == 0


def test_free_space_loss_covers_gaussians_before_cameras_only(cameras: list[Camera]) -> None:
    space = FreeSpace(cameras, CENTER, NEAR, shell())
    assert mean_loss(space, floater(in_front_of(cameras[0], 1.0))) > 3e-4
    assert mean_loss(space, floater(torch.zeros(3))) == 0  # 4.3 away: the scene


def test_free_space_loss_is_the_mean_alpha(cameras: list[Camera]) -> None:
    """By hand: only the floater is drawn, from the place that the same lot chooses."""
    space = FreeSpace(cameras[:2], CENTER, NEAR, shell())
    near, scene = floater(in_front_of(cameras[0], 1.0)).activate(), scene_at(0)
    for seed in range(4):
        camera, far = space.camera_between(Rng(seed, CPU))
        depth = (camera.viewmat[:3, :3] @ near.means[0] + camera.viewmat[:3, 3])[2]
        _, alphas = rasterize(near, [camera], RenderSettings(near=NEAR))
        expected = alphas.mean().item() if NEAR < depth < far else 0.0
        both = Gaussians.concatenate([scene, near])
        assert space.loss(both, Rng(seed, CPU)).item() == pytest.approx(expected)


def test_cameras_between_keep_their_distance() -> None:
    """On straight lines they would lie nearer to the middle of the ring."""
    cameras = ring_cameras(24)
    space, rng = FreeSpace(cameras, CENTER, NEAR, shell()), Rng(0, CPU)
    out = cameras[0].position.norm()
    apart = torch.cdist(space.places, space.places).sort().values[0, 2]
    for _ in range(20):
        camera, far = space.camera_between(rng)
        assert camera.position.norm() == pytest.approx(out.item(), rel=1e-4)
        assert torch.cdist(camera.position[None], space.places).min() <= apart
        assert (camera.width, camera.height) == (8, 6)
        assert torch.allclose(camera.viewmat[2, :3], -camera.position / out, atol=0.15)
        assert far == pytest.approx(
            space.far, abs=0.1
        )  # hardly nearer to the scene than the cameras


def test_free_depth_shrinks_nearer_to_the_scene() -> None:
    """Cameras at 3 and 5 before a scene that is far away: of a place at 4, 1 less than of 5."""
    up = torch.tensor([0.0, 0.0, 1.0])
    pair = [
        Camera.look_at(torch.tensor([x, y, 0.0]), torch.tensor([-9e3, 0, 0]), up, 0.7, 32, 24)
        for x, y in ((5.0, 0.0), (3.0, 1.0))
    ]
    points = torch.tensor([-10.0, 0.5, 0.0]).expand(50, 3)
    space, rng = FreeSpace(pair, (-9e3, 0.0, 0.0), NEAR, points), Rng(0, CPU)
    for _ in range(8):
        camera, far = space.camera_between(rng)
        assert 3 < camera.position[0] < 5
        assert far == pytest.approx(space.far - (5 - camera.position[0].item()), abs=0.01)


def test_cameras_between_opposite_cameras_lie_on_the_line() -> None:
    up = torch.tensor([0.0, 0.0, 1.0])
    pair = [
        Camera.look_at(torch.tensor([x, 0.0, 0.0]), torch.zeros(3), up, 0.7, 32, 24)
        for x in (-3.0, 3.0)
    ]
    space, rng = FreeSpace(pair, CENTER, NEAR, shell()), Rng(0, CPU)
    for _ in range(20):
        camera, _ = space.camera_between(rng)
        assert camera.position.isfinite().all()
        assert torch.allclose(camera.position[1:], torch.zeros(2), atol=1e-4)
        rotation = camera.viewmat[:3, :3]
        assert torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-4)
        assert torch.linalg.det(rotation) > 0


def test_free_space_of_one_camera_is_unknown(cameras: list[Camera]) -> None:
    space = FreeSpace(cameras[:1], CENTER, NEAR, shell())
    assert mean_loss(space, floater(in_front_of(cameras[0], 1))) == 0


def test_free_space_gradient_makes_floaters_transparent(cameras: list[Camera]) -> None:
    stored = floater(in_front_of(cameras[0], 1.0))
    stored.opacity_logits.requires_grad_()
    rng = Rng(0, CPU)
    space = FreeSpace(cameras, CENTER, NEAR, shell())
    sum(space.loss(stored.activate(), rng) for _ in range(16)).backward()
    assert stored.opacity_logits.grad is not None
    assert stored.opacity_logits.grad.item() > 0  # descending makes it more transparent


def test_coarse_stage_fades_a_hidden_floater(cameras: list[Camera]) -> None:
    """It stands before a camera that was held out; the training pictures are not trusted."""
    blank = torch.zeros(24, 32, 3, dtype=torch.uint8)
    medians = [TemporalMedian(blank, torch.zeros(24, 32)) for _ in cameras[1:]]
    training_views = MedianViews(cameras[1:], medians, 0.5, [])
    config = CoarseConfig(
        iterations=60, dropout=0, opacity_reg=0, scale_reg=0, depth_lambda=0,
        density=McmcConfig(refine_stop=0, noise_lr=0),
    )  # fmt: skip

    def opacity(weight: float) -> float:
        space = FreeSpace(cameras[1:], CENTER, NEAR, shell())
        training = CoarseTraining(
            floater(in_front_of(cameras[0], 1.0)),
            training_views,
            SceneGeometry(BACKGROUND, NEAR, 4.0, space),
            replace(config, free_space_reg=weight),
            Rng(0, CPU),
        )
        left = train_coarse(training, lambda *_: None)
        return left.opacity_logits.sigmoid().item()

    assert opacity(0.0) == pytest.approx(torch.tensor(3.0).sigmoid().item())
    assert opacity(1.0) < 0.94


def test_scene_is_not_in_free_space(cameras: list[Camera]) -> None:
    """Though the way from a camera to its neighbours leads nearer to it."""
    rng = Rng(0, CPU)
    space = FreeSpace(cameras, CENTER, NEAR, shell())
    assert all(space.loss(scene_at(0), rng).item() == 0 for _ in range(8))


def test_floater_before_a_held_out_camera_is_found(cameras: list[Camera]) -> None:
    hanging = floater(in_front_of(cameras[0], 1.0)).activate()
    both = Gaussians.concatenate([scene_at(0), hanging])
    space = FreeSpace(cameras[1:], CENTER, NEAR, shell())
    found = space.floaters(both, Rng(0, CPU))
    assert found.tolist() == [False] * 6 + [True]


def test_gaussian_in_a_training_image_is_no_floater(cameras: list[Camera]) -> None:
    """That camera recorded it, or the colour loss would have it gone."""
    seen = floater(in_front_of(cameras[0], 1.0)).activate()
    space = FreeSpace(cameras, CENTER, NEAR, shell())
    assert not space.floaters(seen, Rng(0, CPU)).any()


def test_unknown_free_space_has_no_floaters(cameras: list[Camera]) -> None:
    hanging = floater(in_front_of(cameras[0], 1.0)).activate()
    for space in (
        FreeSpace(cameras[1:], CENTER, NEAR, NO_POINTS),
        FreeSpace(cameras[1:2], CENTER, NEAR, shell()),
    ):
        assert not space.floaters(hanging, Rng(0, CPU)).any()


def test_gaussian_at_a_point_is_no_floater(cameras: list[Camera]) -> None:
    """Though it is one of few that are nearer than all others."""
    place = in_front_of(cameras[0], 1.0)
    found = torch.cat([shell(), place[None]])
    space = FreeSpace(cameras[1:], CENTER, NEAR, found)
    assert not space.floaters(floater(place).activate(), Rng(0, CPU)).any()


def test_walls_of_a_square_room_are_no_floaters() -> None:
    """Between its corners the surface of the cameras is outside of the room."""
    up, rng = torch.tensor([0.0, 0.0, 1.0]), torch.Generator().manual_seed(0)
    places = [(x, y) for x in (-3.0, 0.0, 3.0) for y in (-3.0, 0.0, 3.0) if (x, y) != (0, 0)]
    corners = [
        Camera.look_at(torch.tensor([*p, 1.0]), torch.zeros(3), up, 1.0, 64, 48) for p in places
    ]
    walls = torch.rand(4000, 3, generator=rng) * 6 - 3
    walls[:2000, 0], walls[2000:, 1] = walls[:2000, 0].sign() * 3.05, walls[2000:, 1].sign() * 3.05
    space = FreeSpace(corners, CENTER, NEAR, walls)
    built = CanonicalGaussians(
        walls, torch.tensor([[1.0, 0, 0, 0]]).repeat(4000, 1), torch.full((4000, 3), -3.0),
        torch.ones(4000), torch.zeros(4000, 3),
    )  # fmt: skip
    assert not space.floaters(built.activate(), Rng(0, CPU)).any()
    between = [space.camera_between(Rng(seed, CPU)) for seed in range(50)]
    outside = [far for camera, far in between if camera.position[:2].abs().max() > 3.2]
    assert min(outside) < 1.0 < space.far  # what is before such a place is the wall


@pytest.fixture(scope="module")
def medians(tiny_capture: Path) -> dict[str, TemporalMedian]:
    return capture_medians(open_capture(tiny_capture), BackgroundConfig(), CPU)


@pytest.mark.parametrize(
    ("weight", "recorded", "left"), [(1.0, False, 5), (0.0, False, 6), (1.0, True, 6)]
)
def test_final_static_layer_has_no_floaters(
    weight: float,
    recorded: bool,
    left: int,
    cameras: list[Camera],
    medians: dict[str, TemporalMedian],
    tiny_capture: Path,
    tmp_path: Path,
) -> None:
    """Camera 0 of the capture is held out; a weight of 0 allows everything, and what the others
    recorded from afar is no floater."""
    capture, run = open_capture(tiny_capture), RunDirectory(tmp_path)
    run.write_plan(scene_meta(capture, BACKGROUND, NEAR), [6])
    run.write_points(shell())
    parts = still_blobs(), floater(in_front_of(cameras[0], 1.0))
    static = CanonicalGaussians(*(torch.cat([getattr(p, n) for p in parts]) for n in ATTRIBUTES))
    if recorded:
        medians = {v.name: drawn(static, v.camera) for v in capture.views}
    run.write_medians(medians)
    config = TrainConfig(tiny_capture, tmp_path, coarse=CoarseConfig(free_space_reg=weight))
    assert len(without_floaters(static, config.joint_stage(), capture, run)) == left


def drawn(static: CanonicalGaussians, camera: Camera) -> TemporalMedian:
    picture, _ = rasterize(static.activate(), [camera], RenderSettings(BACKGROUND, NEAR))
    return TemporalMedian(picture[0].mul(255).round().byte(), torch.ones(picture.shape[1:3]))
