"""Points: into pictures and back, from files, on what moves, and on surfaces between others."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.renderer import Camera, CanonicalGaussians
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.trainer.datasets import CapturedView, load_frames, open_capture
from streamstgs.trainer.datasets.readers import ImageFolderReader
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.fine.moving_start import _bounds
from streamstgs.trainer.points.dynamic_points import HullConfig, SampleFrame, moving_points
from streamstgs.trainer.points.initial_points import (
    InitialPointsConfig,
    fill_up,
    found_points,
    initial_points,
)
from streamstgs.trainer.points.plane_sweep import SweepConfig, swept_points
from streamstgs.trainer.points.point_cloud import (
    PointCloud,
    gaussians_from_points,
    neighbour_distance,
    normals,
    read_ply,
    surfels_from_points,
    write_ply,
)
from streamstgs.trainer.points.projection import inside, project, sample, unproject
from streamstgs.trainer.points.triangulation import triangulate
from streamstgs.trainer.rng import Rng
from torch import Tensor

from tests.capture_scene import ring_cameras

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.fixture
def rng() -> Rng:
    return Rng(0, CPU)


# Projection


def test_a_point_on_the_axis_lands_in_the_middle() -> None:
    camera = ring_cameras(4)[0]
    pixels, depth = project(torch.zeros(1, 3), camera)
    assert pixels[0].tolist() == pytest.approx([camera.width / 2, camera.height / 2], abs=1e-4)
    assert depth.item() == pytest.approx(math.hypot(4, 1.5))


def test_unprojecting_what_was_projected_gives_the_point_back(rng: Rng) -> None:
    points = rng.uniform(50, 3) * 2 - 1
    for camera in ring_cameras(5):
        pixels, depth = project(points, camera)
        assert torch.allclose(unproject(pixels, depth, camera), points, atol=1e-5)


def test_inside_is_in_front_and_in_the_picture() -> None:
    camera = Camera(torch.eye(4), torch.tensor([[10.0, 0, 5], [0, 10, 4], [0, 0, 1]]), 10, 8)
    points = torch.tensor([[0.0, 0, 1], [0, 0, -1], [0.6, 0, 1], [0, -0.5, 1], [-0.5, 0, 1]])
    assert inside(*project(points, camera), camera).tolist() == [True, False, False, False, True]


def test_sampling_takes_the_pixel_that_holds_the_point() -> None:
    image = torch.arange(12).reshape(3, 4)
    pixels = torch.tensor([[0.5, 0.5], [3.9, 0.1], [1.0, 2.99], [-7.0, 99.0]])
    assert sample(image, pixels).tolist() == [0, 3, 9, 8]


# Files


def test_points_survive_a_file(tmp_path: Path, rng: Rng) -> None:
    points = PointCloud(rng.normal(20, 3), rng.uniform(20, 3))
    write_ply(tmp_path / "points.ply", points)
    found = read_ply(tmp_path / "points.ply")
    assert torch.equal(found.positions, points.positions)
    assert torch.allclose(found.colors, points.colors, atol=0.51 / 255)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("colors", ["uchar", "ushort", "float", "none", "f_dc"])
def test_points_of_other_programs_are_read(
    tmp_path: Path, form: str, line_end: str, colors: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = ">" if form == "binary_big_endian" else "<"
    names = [f"f_dc_{k}" for k in range(3)] if colors == "f_dc" else ["red", "green", "blue"]
    kinds = {"uchar": "u1", "ushort": order + "u2", "float": order + "f4", "f_dc": order + "f4"}
    most = {"uchar": 255, "ushort": 65535, "float": 1.0, "f_dc": 0.5 / 0.28209479177387814}
    layout = [(k, order + "f4") for k in "xyz"]
    layout += [(k, kinds[colors]) for k in names] if colors != "none" else []
    vertices = np.zeros(2, layout)
    vertices["x"], vertices["z"] = (1.5, -2), (0.25, 8)
    if colors != "none":
        vertices[names[1]] = most[colors]
    properties = [f"property float {k}" for k in "xyz"]
    kind = "float" if colors == "f_dc" else colors
    properties += [f"property {kind} {k}" for k in names] if colors != "none" else []
    header = ["ply", f"format {form} 1.0", "comment by hand", "element vertex 2", *properties]
    text = line_end.join([*header, "end_header", ""]).encode()
    rows = line_end.join(" ".join(str(v) for v in row) for row in vertices).encode()
    path = tmp_path / "points.ply"
    path.write_bytes(text + (rows if form == "ascii" else vertices.tobytes()))
    found = read_ply(path)
    assert found.positions.tolist() == [[1.5, 0, 0.25], [-2, 0, 8]]
    low = {"none": 0.5, "f_dc": 0.5}.get(colors, 0.0)
    high = 0.5 if colors == "none" else 1.0
    assert torch.allclose(found.colors, torch.tensor([[low, high, low]] * 2), atol=1e-6)
    assert ("no colours" in caplog.text) == (colors == "none")


def ply(header: str, body: bytes = b"") -> bytes:
    return f"ply\nformat binary_little_endian 1.0\n{header}\nend_header\n".encode() + body


XYZ = "property float x\nproperty float y\nproperty float z"
RGB = "property uchar red\nproperty uchar green\nproperty uchar blue"
VERTEX = np.array([(1, 2, 3, 255, 0, 51)], [(k, "<f4") for k in "xyz"] + [(k, "u1") for k in "rgb"])


def test_faces_after_the_vertices_are_passed_over(tmp_path: Path) -> None:
    header = f"comment by hand\nelement vertex 1\n{XYZ}\n{RGB}\nelement face 1\n"
    header += "property list uchar int vertex_indices"
    path = tmp_path / "mesh.ply"
    path.write_bytes(ply(header, VERTEX.tobytes() + b"\3" + bytes(12)))
    found = read_ply(path)
    assert found.positions.tolist() == [[1, 2, 3]]
    assert found.colors[0].tolist() == pytest.approx([1, 0, 0.2])


def test_points_that_are_nowhere_are_left_out(tmp_path: Path) -> None:
    vertices = np.repeat(VERTEX, 3)
    vertices["x"][0], vertices["z"][2] = np.nan, np.inf
    path = tmp_path / "points.ply"
    path.write_bytes(ply(f"element vertex 3\n{XYZ}\n{RGB}", vertices.tobytes()))
    assert len(read_ply(path)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no ply",
        b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n",
        b"ply\nformat binary_little_endian 1.0\nelement vertex 1\n",
        b"ply\n" + b"comment " * 10_000 + b"\nend_header\n",
        ply(""),
        ply(f"element vertex -1\n{XYZ}\n{RGB}", VERTEX.tobytes()),
        ply(f"element vertex 999999999999\n{XYZ}\n{RGB}", VERTEX.tobytes()),
        ply(f"element vertex many\n{XYZ}\n{RGB}"),
        ply(f"element vertex\n{XYZ}\n{RGB}"),
        ply(f"element vertex 1\n{RGB}", VERTEX.tobytes()),
        b"ply\nformat ascii 1.0\nelement vertex 9999\n" + XYZ.encode() + b"\nend_header\n1 2 3",
        ply(f"element vertex 1\n{XYZ}\n{XYZ}\n{RGB}", bytes(99)),
        ply(f"element vertex 1\nproperty quad x\n{RGB}", bytes(99)),
        ply(f"element vertex 1\nproperty list uchar int x\n{RGB}", bytes(99)),
        ply(f"element vertex 2\n{XYZ}\n{RGB}", VERTEX.tobytes()),
        ply("element vertex 1\nproperty float \u00e9"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "points.ply"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=r"points\.ply"):
        read_ply(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere\.ply"):
        read_ply(tmp_path / "nowhere.ply")


# Gaussians from points


def test_gaussians_are_as_wide_as_their_points_are_apart() -> None:
    grid = torch.cartesian_prod(*[torch.arange(4.0)] * 3) * 0.25
    made = gaussians_from_points(PointCloud(grid, torch.rand(64, 3)), opacity=0.3).activate()
    assert torch.allclose(made.scales, torch.full((64, 3), 0.25))
    assert torch.allclose(made.opacities, torch.tensor(0.3))
    assert torch.equal(made.means, grid)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_points_make_finite_gaussians(count: int) -> None:
    positions = torch.arange(count * 3.0).reshape(count, 3)
    assert len(neighbour_distance(positions)) == count
    made = gaussians_from_points(PointCloud(positions, torch.zeros(count, 3)), opacity=0.5)
    assert made.log_scales.isfinite().all()


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (4096.0, -8192.0, 2048.0)])
def test_how_far_points_are_apart_does_not_depend_on_the_origin(
    place: tuple[float, float, float],
) -> None:
    grid = torch.cartesian_prod(*[torch.arange(4.0)] * 3) * 0.25 + torch.tensor(place)
    assert neighbour_distance(grid).tolist() == [0.25] * 64
    plane = grid[grid[:, 2] == grid[0, 2]]
    assert torch.allclose(normals(plane), torch.tensor([0.0, 0, 1]), atol=1e-4)


def test_things_near_a_camera_are_seen_in_any_unit() -> None:
    camera = Camera(torch.eye(4), torch.tensor([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]]), 32, 24)
    places = torch.tensor([[1e-5, 0.0, 1e-4], [0.0, 0.0, -1e-4]])
    pixels, depth = project(places, camera)
    assert pixels[0].tolist() == pytest.approx([19.0, 12.0])
    assert inside(pixels, depth, camera).tolist() == [True, False]


def test_normals_of_a_few_points() -> None:
    assert normals(torch.eye(3)).isfinite().all()


# What moves

SPHERE, RADIUS = torch.tensor([0.3, -0.2, 0.1]), 0.35


def sphere_seen_by(cameras: list[Camera]) -> SampleFrame:
    """A green sphere moves; nothing static stands before it."""
    masks = []
    for camera in cameras:
        rows, columns = torch.meshgrid(
            torch.arange(camera.height) + 0.5, torch.arange(camera.width) + 0.5, indexing="ij"
        )
        pixels = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
        rays = unproject(pixels, torch.ones(len(pixels)), camera) - camera.position
        rays = torch.nn.functional.normalize(rays, dim=1)
        away = SPHERE - camera.position
        distance = (away - (rays @ away)[:, None] * rays).norm(dim=1)
        masks.append((distance < RADIUS).reshape(camera.height, camera.width))
    green = torch.tensor([0, 255, 0], dtype=torch.uint8)
    return SampleFrame(
        images=[green * m[..., None] for m in masks],
        masks=masks,
        depths=[torch.full(m.shape, 1e6) for m in masks],
    )


BOUNDS = (torch.full((3,), -1.0), torch.full((3,), 1.0))
HULL = HullConfig(candidates=30_000)


def check_on_sphere(points: PointCloud, count: int) -> None:
    assert len(points) == count
    distance = (points.positions - SPHERE).norm(dim=1)
    assert distance.max() < RADIUS * 1.5  # the hull of eight small pictures is a little larger
    assert distance.mean() < RADIUS
    assert torch.allclose(points.colors.mean(dim=0), torch.tensor([0.0, 1, 0]), atol=1e-3)


def test_the_hull_finds_what_moves_and_nothing_else(rng: Rng) -> None:
    cameras = ring_cameras(8)
    check_on_sphere(moving_points(cameras, sphere_seen_by(cameras), BOUNDS, 500, HULL, rng), 500)


def test_a_camera_behind_something_static_has_no_vote(rng: Rng) -> None:
    cameras = ring_cameras(8)
    observed = sphere_seen_by(cameras)
    observed.masks[2][:] = False
    assert len(moving_points(cameras, observed, BOUNDS, 100, HULL, rng)) == 0
    observed.depths[2][:] = 1.0  # a wall before the camera
    check_on_sphere(moving_points(cameras, observed, BOUNDS, 100, HULL, rng), 100)


def test_a_static_layer_that_hides_everything_is_not_believed(rng: Rng) -> None:
    cameras = ring_cameras(8)
    observed = sphere_seen_by(cameras)
    hazy = replace(observed, depths=[torch.full_like(d, 0.5) for d in observed.depths])
    check_on_sphere(moving_points(cameras, hazy, BOUNDS, 100, HULL, rng), 100)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_cameras_find_what_moves_where_two_of_them_see_it(count: int, rng: Rng) -> None:
    """The last camera looks away; of eight or so, two would not be enough."""
    cameras = ring_cameras(8)[:count]
    cameras[2:] = [replace(c, viewmat=torch.diag(torch.tensor([-1.0, 1, -1, 1])) @ c.viewmat)
                   for c in cameras[2:]]  # fmt: skip
    found = moving_points(cameras, sphere_seen_by(cameras), BOUNDS, 100, HULL, rng)
    assert len(found) == 100
    assert (found.positions - SPHERE).norm(dim=1).median() < 2 * RADIUS
    assert [HullConfig().least_cameras(c) for c in (2, 3, 5, 6, 27)] == [2, 2, 2, 3, 3]


def test_cameras_that_look_outwards_need_two_that_see_motion(rng: Rng) -> None:
    """Eight cameras of which six do not see the place."""
    cameras = ring_cameras(8)
    cameras[2:] = [replace(c, viewmat=torch.diag(torch.tensor([-1.0, 1, -1, 1])) @ c.viewmat)
                   for c in cameras[2:]]  # fmt: skip
    found = moving_points(cameras, sphere_seen_by(cameras), BOUNDS, 100, HULL, rng)
    assert len(found) == 100
    assert (found.positions - SPHERE).norm(dim=1).median() < 2 * RADIUS


def test_nothing_moves_nothing_is_found(rng: Rng) -> None:
    cameras = ring_cameras(8)
    observed = sphere_seen_by(cameras)
    still = replace(observed, masks=[torch.zeros_like(m) for m in observed.masks])
    assert len(moving_points(cameras, still, BOUNDS, 100, HULL, rng)) == 0


@pytest.mark.parametrize("logit", [3.0, -9.0])
def test_bounds_hold_the_scene_also_when_all_is_transparent(logit: float) -> None:
    count = 400
    means = torch.rand(count, 3, generator=torch.Generator().manual_seed(0))
    gaussians = CanonicalGaussians(
        means, torch.ones(count, 4), torch.zeros(count, 3),
        torch.full((count,), logit), torch.zeros(count, 3),
    ).activate()  # fmt: skip
    lower, upper = _bounds(gaussians, torch.tensor([0.5, 0.5, 2.0]), 1.0)
    assert lower.tolist() == pytest.approx([0, 0, 0], abs=0.1)
    assert upper.tolist() == pytest.approx([1, 1, 2.2], abs=0.1)  # what the cameras look at, too


# The start of the static layer


def plane_camera() -> Camera:
    """Looks along z at a plane that is 4 away."""
    K = torch.tensor([[40.0, 0, 24], [0, 40, 18], [0, 0, 1]])
    viewmat = torch.eye(4)
    viewmat[2, 3] = 4
    return Camera(viewmat, K, 48, 36)


def test_filling_up_lifts_pixels_to_the_depth_of_their_neighbours(rng: Rng) -> None:
    camera = plane_camera()
    positions = torch.cat([rng.uniform(10, 2) * 2 - 1, torch.zeros(10, 1)], dim=1)
    sparse = PointCloud(positions, torch.zeros(10, 3))
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).expand(36, 48, 3)
    filled = fill_up(sparse, 100, [camera, camera], [red, red], 0.0, rng)
    assert len(filled) == 110
    assert torch.equal(filled.positions[:10], positions)
    assert filled.positions[10:, 2].abs().max() < 1e-4
    assert (filled.colors[10:] == torch.tensor([1.0, 0, 0])).all()
    assert inside(*project(filled.positions, camera), camera).all()


def test_a_camera_that_sees_no_points_adds_none(rng: Rng) -> None:
    sparse = PointCloud(torch.full((5, 3), -100.0), torch.zeros(5, 3))
    picture = torch.zeros(36, 48, 3, dtype=torch.uint8)
    assert len(fill_up(sparse, 50, [plane_camera()], [picture], 0.0, rng)) == 5


def test_points_of_the_capture_come_before_triangulation(tiny_capture: Path, rng: Rng) -> None:
    capture = open_capture(tiny_capture)
    picture = torch.zeros(36, 48, 3, dtype=torch.uint8)
    medians = [picture] * len(capture.split("train"))
    found = found_points(capture, medians, InitialPointsConfig(), rng)
    assert len(found) == 60
    cameras = [v.camera for v in capture.split("train")]
    # the guesses are dealt out evenly to seven cameras
    for most, fill, expected in ((20, 0, 20), (200, 0, 60), (200, 130, 130), (100, 130, 95)):
        config = InitialPointsConfig(fill=fill)
        assert len(initial_points(found, most, cameras, medians, config, rng)) == expected


def textured_view(camera: Camera, texture: Tensor) -> np.ndarray:
    """A picture of the plane z = 0 with a smooth texture over -2..2."""
    rows, columns = torch.meshgrid(
        torch.arange(camera.height) + 0.5, torch.arange(camera.width) + 0.5, indexing="ij"
    )
    pixels = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
    rays = unproject(pixels, torch.ones(len(pixels)), camera) - camera.position
    hits = camera.position - rays * (camera.position[2] / rays[:, 2])[:, None]
    places = (hits[:, :2] / 2).reshape(1, camera.height, camera.width, 2)
    colors = torch.nn.functional.grid_sample(texture, places, align_corners=False)
    return (colors[0].permute(1, 2, 0) * 255).byte().numpy()


def plane_views(texture: Tensor) -> tuple[tuple[CapturedView, ...], list[np.ndarray]]:
    """Four cameras above the plane z = 0, and what they see."""
    up, size = torch.tensor([0.0, 1.0, 0.0]), (240, 180)
    places = [[-0.5, -0.3, 3.0], [0.5, -0.3, 3.0], [0.0, 0.5, 3.2], [0.3, 0.2, 2.8]]
    cameras = [Camera.look_at(torch.tensor(p), torch.zeros(3), up, 0.8, *size) for p in places]
    views = tuple(
        CapturedView(str(k), "train", camera, ImageFolderReader(str(k), (), *size))
        for k, camera in enumerate(cameras)
    )
    return views, [textured_view(camera, texture) for camera in cameras]


@pytest.mark.skipif(find_spec("pycolmap") is None, reason="pycolmap is not installed")
def test_triangulated_points_lie_on_the_textured_plane(rng: Rng) -> None:
    coarse = rng.uniform(1, 3, 48, 48)
    texture = torch.nn.functional.interpolate(coarse, size=(400, 400), mode="bicubic").clamp(0, 1)
    views, pictures = plane_views(texture)
    points = triangulate(views, pictures)
    assert len(points) > 40
    assert points.positions[:, 2].abs().median() < 0.02
    seen = points.positions[points.positions[:, 2].abs() < 0.02]
    places = (seen[:, :2] / 2).reshape(1, 1, -1, 2)
    expected = torch.nn.functional.grid_sample(texture, places, align_corners=False)[0, :, 0].T
    found = points.colors[points.positions[:, 2].abs() < 0.02]
    assert (found - expected).abs().mean() < 0.1


def test_swept_points_lie_on_the_textured_plane(rng: Rng) -> None:
    coarse = rng.uniform(1, 3, 48, 48)
    texture = torch.nn.functional.interpolate(coarse, size=(400, 400), mode="bicubic").clamp(0, 1)
    views, pictures = plane_views(texture)
    points = swept_points(
        [v.camera for v in views], [torch.from_numpy(p) for p in pictures], 3.0, SWEEP, rng
    )
    assert len(points) > 40
    assert points.positions[:, 2].abs().median() < 0.02
    assert points.positions[:, 2].abs().quantile(0.9) < 0.1


def test_flat_pictures_and_lone_cameras_have_nothing_to_sweep(rng: Rng) -> None:
    cameras = [v.camera for v in plane_views(torch.zeros(1, 3, 8, 8))[0]]
    flat = [torch.full((180, 240, 3), 128, dtype=torch.uint8)] * len(cameras)
    assert len(swept_points(cameras, flat, 3.0, SWEEP, rng)) == 0
    noise = [(rng.uniform(180, 240, 3) * 255).byte()]
    assert len(swept_points(cameras[:1], noise, 3.0, SWEEP, rng)) == 0


def test_without_pycolmap_points_are_swept(
    tiny_capture: Path, rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamstgs.trainer.points.initial_points.find_spec", lambda _: None)
    capture = replace(open_capture(tiny_capture), points_path=None)
    medians = [f[0] for f in load_frames(capture.split("train"), [0])]
    points = found_points(capture, medians, InitialPointsConfig(sweep=SWEEP), rng)
    assert points.positions.isfinite().all()
    assert points.positions.shape == points.colors.shape


SWEEP = SweepConfig(pixels=60, depths=32, patch_px=7)


@pytest.mark.skipif(find_spec("pycolmap") is None, reason="pycolmap is not installed")
def test_pictures_without_features_give_no_points() -> None:
    views, pictures = plane_views(torch.full((1, 3, 8, 8), 0.5))
    assert len(triangulate(views, pictures)) == 0


# Surfaces


def tilted_plane(rng: Rng) -> tuple[Tensor, Tensor]:
    """400 points of a plane, and its normal."""
    normal = torch.nn.functional.normalize(torch.tensor([0.6, -0.3, 0.5]), dim=0)
    flat = rng.uniform(400, 3) * 4 - 2
    return flat - (flat @ normal)[:, None] * normal, normal


def test_normals_of_a_plane(rng: Rng) -> None:
    points, normal = tilted_plane(rng)
    assert torch.allclose(normals(points), normal.expand(400, 3), atol=1e-3)
    assert (normals(-points)[:, 2] >= 0).all()


def test_surfels_are_thin_along_the_normal(rng: Rng) -> None:
    points, normal = tilted_plane(rng)
    cloud = PointCloud(points, torch.zeros(400, 3))
    surfels, round_ones = surfels_from_points(cloud, 0.5), gaussians_from_points(cloud, 0.5)
    thin = rotation_matrices(surfels.activate().quats)[:, :, 2]
    assert torch.allclose(thin, normal.expand(400, 3), atol=1e-3)
    assert torch.equal(surfels.log_scales[:, :2], round_ones.log_scales[:, :2])
    assert (surfels.log_scales[:, 2] < round_ones.log_scales[:, 2] - 1).all()
    assert surfels.quats.norm(dim=1).allclose(torch.ones(400))


def test_a_surface_that_faces_down_needs_no_turn(rng: Rng) -> None:
    points = rng.uniform(400, 3) * torch.tensor([4.0, 4.0, 0.0])
    surfels = surfels_from_points(PointCloud(points, torch.zeros(400, 3)), 0.5)
    assert torch.allclose(surfels.quats, torch.tensor([1.0, 0, 0, 0]).expand(400, 4), atol=1e-5)
