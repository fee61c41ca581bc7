"""The contract of `renderer.backends.base.Backend`, tested on every backend.

Each test runs once per backend that this machine can run; the others are skipped with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import BackendUnavailable, Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend, to_rgb8
from streamstgs.renderer.backends.reference import ReferenceBackend
from torch import Tensor

from tests.synthetic import random_canonical

BACKGROUND = (0.1, 0.2, 0.3)
SETTINGS = RenderSettings(background=BACKGROUND)
UP = torch.tensor([0.0, -1.0, 0.0])


@pytest.fixture(
    scope="module",
    params=["reference", "cpu", "opengl", pytest.param("gsplat", marks=pytest.mark.gpu)],
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    try:
        chosen = choose_backend(request.param).backend
    except BackendUnavailable as reason:
        pytest.skip(f"{request.param}: {reason}")
    yield chosen
    chosen.close()


def with_sh(gaussians: Gaussians, degree: int, seed: int = 0) -> Gaussians:
    """Random spherical harmonics that change the colour a lot with the direction of view."""
    random = torch.Generator().manual_seed(seed)
    sh = 0.4 * torch.randn(len(gaussians), (degree + 1) ** 2, 3, generator=random)
    return replace(gaussians, sh=sh)


def draw(
    backend: Backend, gaussians: Gaussians, camera: Camera, settings: RenderSettings = SETTINGS
) -> Tensor:
    """The picture on the CPU, after checks of shape, type, device and range."""
    picture = backend.render(gaussians.to(backend.device), camera, settings)
    assert picture.shape == (camera.height, camera.width, 3)
    assert picture.dtype == torch.float32
    assert picture.device.type == backend.device.type
    assert picture.isfinite().all()
    assert picture.min() >= 0
    return picture.cpu()


def assert_agrees(picture: Tensor, expected: Tensor, backend: Backend) -> None:
    """PSNR >= 45 dB for a float backend, >= 40 dB for one of 8 bits."""
    bits = backend.capabilities.output_bits
    error = (picture - expected).square().mean().item()
    psnr = -10 * math.log10(max(error, 1e-12))
    assert psnr >= (40 if bits == 8 else 45), f"{psnr:.1f} dB"


def front_camera(width: int = 64, height: int = 48, distance: float = 3.0) -> Camera:
    eye = torch.tensor([0.3, -0.4, -distance])
    return Camera.look_at(eye, torch.zeros(3), UP, 0.9, width, height)


def straight_camera(width: int = 64, height: int = 48) -> Camera:
    """At the origin, looking along +z; focal lengths 40 and 50 px, principal point (30, 20)."""
    K = torch.tensor([[40.0, 0.0, 30.0], [0.0, 50.0, 20.0], [0.0, 0.0, 1.0]])
    return Camera(torch.eye(4), K, width, height)


def ball(
    mean: tuple[float, float, float],
    scale: float = 0.01,
    opacity: float = 0.9,
    color: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Gaussians:
    """One round Gaussian."""
    return Gaussians(
        means=torch.tensor([mean]),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.full((1, 3), scale),
        opacities=torch.tensor([opacity]),
        colors=torch.tensor([color]),
    )


def background_picture(camera: Camera) -> Tensor:
    return torch.tensor(BACKGROUND).expand(camera.height, camera.width, 3)


def off_center(camera: Camera) -> Camera:
    """Principal point far off the middle and pixels that are not square."""
    shift = torch.tensor([[1.3, 0.0, 9.0], [0.0, 0.8, -7.0], [0.0, 0.0, 0.0]])
    K = camera.K * torch.tensor([[1.3, 1.0, 1.0], [1.0, 0.8, 1.0], [1.0, 1.0, 1.0]])
    K[:2, 2] += shift[:2, 2]
    return replace(camera, K=K)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "camera",
    [
        pytest.param(front_camera(), id="plain"),
        pytest.param(off_center(front_camera()), id="off-centre, oblong pixels"),
        pytest.param(front_camera(97, 61), id="odd size"),
        pytest.param(front_camera(30, 100, 1.8), id="upright and near"),
    ],
)
def test_agrees_with_reference(backend: Backend, camera: Camera, seed: int) -> None:
    scene = random_canonical(800, seed=seed).activate()
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("distance", [3.0, 0.4], ids=["outside the cloud", "inside the cloud"])
def test_spherical_harmonics_agree_with_reference(
    backend: Backend, degree: int, distance: float
) -> None:
    scene = with_sh(random_canonical(800, seed=11).activate(), degree)
    camera = front_camera(distance=distance)
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


@pytest.mark.parametrize(
    ("k", "axis", "sign"), [(1, 1, -1), (2, 2, 1), (3, 0, -1)], ids=["-y", "+z", "-x"]
)
def test_sign_and_order_of_the_first_degree(backend: Backend, k: int, axis: int, sign: int) -> None:
    """Each basis function of degree 1 brightens one side: seen along it, and not against it."""
    sh = torch.zeros(1, 4, 3)
    sh[0, k] = 0.5
    point = replace(ball((0.0, 0.0, 0.0), scale=0.3, opacity=0.95), sh=sh)
    up = torch.eye(3)[(axis + 1) % 3]
    seen = []
    for side in (-1.0, 1.0):  # from the negative side one looks along the positive axis
        eye = torch.zeros(3)
        eye[axis] = 2 * side * sign
        camera = Camera.look_at(eye, torch.zeros(3), up, 0.9, 33, 33)
        seen.append(draw(backend, point, camera, RenderSettings())[16, 16, 0].item())
    along, against = seen
    assert along == pytest.approx(0.95 * (0.5 + 0.4886025 * 0.5), abs=0.02)
    assert against == pytest.approx(0.95 * (0.5 - 0.4886025 * 0.5), abs=0.02)


def test_spherical_harmonics_replace_colors(backend: Backend) -> None:
    green = replace(ball((0.0, 0.0, 2.0), scale=0.3), colors=torch.tensor([[0.0, 1.0, 0.0]]))
    red = replace(green, sh=torch.tensor([[[1.5, -9.0, -9.0]]]))
    camera = straight_camera()
    picture = draw(backend, red, camera, RenderSettings())[20, 30]
    assert picture[0] > 0.8
    assert picture[1] == pytest.approx(0.0, abs=0.002)  # below 0 is clamped
    assert draw(backend, green, camera, RenderSettings())[20, 30, 1] > 0.8  # none are left over


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_broken_spherical_harmonics_are_left_out(backend: Backend, bad: float) -> None:
    camera = straight_camera()
    broken = with_sh(ball((0.0, 0.0, 2.0), scale=0.2), degree=2)
    assert broken.sh is not None
    broken.sh[0, 5, 1] = bad
    picture = draw(backend, broken, camera)
    torch.testing.assert_close(picture, background_picture(camera), atol=0.002, rtol=0)


@pytest.mark.parametrize("degree", [None, 3], ids=["colours", "spherical harmonics"])
@pytest.mark.parametrize(
    "camera",
    [
        pytest.param(front_camera(), id="plain"),
        pytest.param(off_center(front_camera(97, 61)), id="off-centre, odd size"),
        pytest.param(front_camera(distance=0.4), id="inside the cloud"),
    ],
)
def test_channels_agree_with_reference(
    backend: Backend, camera: Camera, degree: int | None
) -> None:
    scene = random_canonical(800, seed=12).activate()
    scene = scene if degree is None else with_sh(scene, degree)
    expected = ReferenceBackend().render_channels(scene, camera, SETTINGS)
    found = backend.render_channels(scene.to(backend.device), camera, SETTINGS)
    size = (camera.height, camera.width)
    assert (found.color.shape, found.alpha.shape, found.depth.shape) == ((*size, 3), size, size)
    for channel in (found.color, found.alpha, found.depth):
        assert channel.dtype == torch.float32
        assert channel.device.type == backend.device.type
        assert channel.isfinite().all()
    assert_agrees(found.color.cpu(), expected.color, backend)
    assert_agrees(found.alpha.cpu(), expected.alpha, backend)
    covered = expected.alpha > 0.02  # of fainter pixels the depth is a quotient of rounding errors
    relative = (found.depth.cpu() - expected.depth).abs()[covered] / expected.depth[covered]
    assert (relative > 2e-3).float().mean() < 2e-3


def test_channels_of_one_gaussian(backend: Backend) -> None:
    """Depth is along the viewing axis, not along the ray, and 0 where there is no Gaussian."""
    z, row, column = 2.5, 30, 46
    center = ((column + 0.5 - 30) / 40 * z, (row + 0.5 - 20) / 50 * z, z)
    scene = ball(center, scale=0.1, opacity=0.8).to(backend.device)
    found = backend.render_channels(scene, straight_camera(), SETTINGS)
    seen = (row, column)
    assert found.depth[seen].item() == pytest.approx(2.5, abs=1e-3)
    assert found.alpha[seen].item() == pytest.approx(0.73, abs=0.02)  # 0.8, anti-aliased
    assert found.depth[40, 5].item() == 0.0
    assert found.alpha[40, 5].item() == 0.0


def test_depth_of_a_half_covered_far_surface(backend: Backend) -> None:
    near = ball((0.0, 0.0, 2.0), scale=50.0, opacity=0.5)
    far = ball((0.0, 0.0, 6.0), scale=50.0, opacity=0.5)
    scene = Gaussians.concatenate([far, near]).to(backend.device)
    found = backend.render_channels(scene, straight_camera(), SETTINGS)
    assert found.alpha[20, 30].item() == pytest.approx(0.75, abs=0.003)
    # weights 0.5 and 0.25: (0.5 * 2 + 0.25 * 6) / 0.75
    assert found.depth[20, 30].item() == pytest.approx(2.5 / 0.75, abs=0.01)


def test_channels_of_an_empty_scene(backend: Backend) -> None:
    camera = front_camera()
    found = backend.render_channels(Gaussians.empty(backend.device), camera, SETTINGS)
    torch.testing.assert_close(found.color.cpu(), background_picture(camera), atol=0.002, rtol=0)
    assert not found.alpha.any()
    assert not found.depth.any()


def test_rgb8_is_the_rounded_picture(backend: Backend) -> None:
    scene = random_canonical(400, seed=13).activate()
    scene = replace(scene, colors=scene.colors * 1.5)  # so that some of it is clipped
    camera = front_camera(97, 61)
    on_device = scene.to(backend.device)
    found = backend.render_rgb8(on_device, camera, SETTINGS)
    assert (found.dtype, found.device.type) == (torch.uint8, backend.device.type)
    expected = to_rgb8(backend.render(on_device, camera, SETTINGS))
    assert (found.int() - expected.int()).abs().max() <= 1


OWN = (0.8, 0.5, 0.2)


@pytest.mark.parametrize("opacity", [0.3, 0.6, 0.85])
def test_another_background_is_not_seen_through_solid_parts(
    backend: Backend, opacity: float
) -> None:
    """Solid parts look as before the scene's own background; what is mostly open shows another."""
    scene = ball((0.0, 0.0, 5.0), scale=100.0, opacity=opacity, color=(0.1, 0.9, 0.4))
    chosen = RenderSettings(BACKGROUND, own_background=OWN)
    picture = draw(backend, scene, straight_camera(), chosen)[20, 30]
    cover = min(1.0, max(opacity, 2.0 * opacity - 0.5))
    expected = (
        opacity * torch.tensor([0.1, 0.9, 0.4])
        + (cover - opacity) * torch.tensor(OWN)
        + (1.0 - cover) * torch.tensor(BACKGROUND)
    )
    torch.testing.assert_close(picture, expected, atol=0.01, rtol=0)
    if opacity > 0.75:
        before_own = draw(backend, scene, straight_camera(), RenderSettings(OWN))[20, 30]
        torch.testing.assert_close(picture, before_own, atol=0.01, rtol=0)


@pytest.mark.parametrize("size", [(64, 48), (33, 17)])
def test_replaced_background_agrees_with_reference(backend: Backend, size: tuple[int, int]) -> None:
    scene = random_canonical(800, seed=14).activate()
    camera, chosen = front_camera(*size), RenderSettings(BACKGROUND, own_background=OWN)
    expected = ReferenceBackend().render(scene, camera, chosen)
    assert (expected - ReferenceBackend().render(scene, camera, SETTINGS)).abs().max() > 0.05
    assert_agrees(draw(backend, scene, camera, chosen), expected, backend)
    on_device = scene.to(backend.device)
    assert_agrees(backend.render_channels(on_device, camera, chosen).color.cpu(), expected, backend)
    bytes_ = backend.render_rgb8(on_device, camera, chosen)
    assert_agrees(bytes_.cpu().float() / 255.0, expected.clamp(0.0, 1.0), backend)
    # pictures before and after are those of one background
    plain = ReferenceBackend().render(scene, camera, SETTINGS)
    assert_agrees(draw(backend, scene, camera), plain, backend)


def test_own_background_looks_the_same_when_it_is_named(backend: Backend) -> None:
    scene, camera = random_canonical(400, seed=15).activate(), front_camera()
    named = draw(backend, scene, camera, RenderSettings(BACKGROUND, own_background=BACKGROUND))
    torch.testing.assert_close(named, draw(backend, scene, camera), atol=1e-5, rtol=0)


@pytest.mark.parametrize("stretch", [0.02, 0.3, 3.0], ids=["dust", "needles", "big"])
def test_agrees_on_extreme_sizes(backend: Backend, stretch: float) -> None:
    scene = random_canonical(500, seed=3).activate()
    scene = replace(scene, scales=scene.scales * torch.tensor([stretch, 1.0, 1.0 / stretch**0.5]))
    camera = front_camera()
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


def test_agrees_with_the_camera_inside_the_cloud(backend: Backend) -> None:
    scene = random_canonical(800, seed=4).activate()
    camera = Camera.look_at(torch.tensor([0.1, 0.0, 0.2]), torch.ones(3), UP, 1.2, 64, 48)
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


def test_agrees_when_opaque_surfaces_end_pixels(backend: Backend) -> None:
    scene = random_canonical(800, seed=5).activate()
    scene = replace(scene, opacities=torch.full_like(scene.opacities, 0.97))
    camera = front_camera()
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 1), (17, 15), (16, 16), (65, 33)])
def test_all_picture_sizes(backend: Backend, size: tuple[int, int]) -> None:
    scene = random_canonical(400, seed=6).activate()
    camera = front_camera(64, 48).resized(*size)
    assert_agrees(
        draw(backend, scene, camera), ReferenceBackend().render(scene, camera, SETTINGS), backend
    )


def test_empty_scene_is_background(backend: Backend) -> None:
    camera = front_camera()
    picture = draw(backend, Gaussians.empty(), camera)
    torch.testing.assert_close(picture, background_picture(camera), atol=0.002, rtol=0)


@pytest.mark.parametrize(("column", "row"), [(10, 5), (50, 40), (30, 20), (0, 47)])
def test_gaussian_is_brightest_at_its_pixel(backend: Backend, column: int, row: int) -> None:
    """A point at the centre of pixel (column, row) is brightest there: no flip, no half pixel."""
    z = 2.0
    mean = ((column + 0.5 - 30) / 40 * z, (row + 0.5 - 20) / 50 * z, z)
    picture = draw(backend, ball(mean, scale=0.02), straight_camera())
    brightness = picture.sum(-1)
    peak = int(brightness.argmax())
    assert (peak % 64, peak // 64) == (column, row)
    if column > 0 and row < 47:  # its neighbours see the same
        torch.testing.assert_close(
            brightness[row, column - 1], brightness[row, column + 1], atol=0.01, rtol=0
        )
        torch.testing.assert_close(
            brightness[row - 1, column], brightness[row + 1, column], atol=0.01, rtol=0
        )


def test_brightness_of_one_gaussian(backend: Backend) -> None:
    """At its centre: opacity times the anti-aliasing factor sqrt(det / det of the dilated)."""
    scale, z = 0.05, 2.0
    picture = draw(backend, ball((0.0125 * z, 0.01 * z, z), scale, 0.8), straight_camera())
    # cov = J diag(s^2) J^T with J = [[fx/z, 0, -fx x/z^2], [0, fy/z, -fy y/z^2]]
    jacobian = torch.tensor([[20.0, 0.0, -20 * 0.0125], [0.0, 25.0, -25 * 0.01]])
    cov = scale**2 * jacobian @ jacobian.T
    factor = (torch.det(cov) / torch.det(cov + 0.3 * torch.eye(2))).sqrt().item()
    alpha = 0.8 * factor
    expected = torch.tensor(BACKGROUND) * (1 - alpha) + alpha
    torch.testing.assert_close(picture[20, 30], expected, atol=0.005, rtol=0)


def test_needle_has_the_orientation_of_its_quaternion(backend: Backend) -> None:
    """A needle turned by +30 degrees about z (x right, y down) falls from left to right."""
    half_angle = math.radians(30) / 2
    needle = replace(
        ball((0.0, 0.0, 2.0)),
        quats=torch.tensor([[math.cos(half_angle), 0.0, 0.0, math.sin(half_angle)]]),
        scales=torch.tensor([[0.4, 0.03, 0.03]]),
    )
    K = torch.tensor([[50.0, 0.0, 32.0], [0.0, 50.0, 24.0], [0.0, 0.0, 1.0]])
    picture = draw(backend, needle, Camera(torch.eye(4), K, 64, 48)).sum(-1)
    across, down = round(8 * math.cos(math.pi / 6)), round(8 * math.sin(math.pi / 6))
    on_axis = picture[24 + down, 32 + across] + picture[24 - down, 32 - across]
    mirrored = picture[24 - down, 32 + across] + picture[24 + down, 32 - across]
    assert on_axis > mirrored + 0.5


@pytest.mark.parametrize("angle_degrees", [0, 30, 45, 100])
@pytest.mark.parametrize("aspect", [300, 3000, 30000])
def test_long_needles_are_not_lost(backend: Backend, aspect: int, angle_degrees: int) -> None:
    """xx yy - xy^2 of a slanted needle cancels in float32; its squared cross product does not."""
    if backend.name == "gsplat" and aspect > 300:
        pytest.xfail("gsplat computes the determinant with cancellation")
    half_angle = math.radians(angle_degrees) / 2
    length = 40.0
    needle = replace(
        ball((0.0, 0.0, 2.0), opacity=0.9),
        quats=torch.tensor([[math.cos(half_angle), 0.0, 0.0, math.sin(half_angle)]]),
        scales=torch.tensor([[length, length / aspect, length / aspect]]),
    )
    K = torch.tensor([[50.0, 0.0, 32.5], [0.0, 50.0, 24.5], [0.0, 0.0, 1.0]])
    camera = Camera(torch.eye(4), K, 64, 48)
    exact = needle.map(lambda t: t.double())
    exact_camera = replace(camera, viewmat=camera.viewmat.double(), K=K.double())
    expected = ReferenceBackend().render(exact, exact_camera, SETTINGS)
    assert (expected - background_picture(camera)).abs().max() > 0.01  # it can be seen at all
    assert_agrees(draw(backend, needle, camera), expected, backend)


@pytest.mark.parametrize("z", [-2.0, 0.0, 0.005])
def test_behind_the_near_plane_is_not_drawn(backend: Backend, z: float) -> None:
    camera = straight_camera()
    picture = draw(backend, ball((0.0, 0.0, z), scale=0.5), camera)
    torch.testing.assert_close(picture, background_picture(camera), atol=0.002, rtol=0)


def test_near_plane_of_the_settings_is_used(backend: Backend) -> None:
    camera = straight_camera()
    point = ball((0.0, 0.0, 2.0), scale=0.2)
    beyond = draw(backend, point, camera, RenderSettings(BACKGROUND, near=1.9))
    nearer = draw(backend, point, camera, RenderSettings(BACKGROUND, near=2.1))
    assert beyond[20, 30].sum() > 2.0
    torch.testing.assert_close(nearer, background_picture(camera), atol=0.002, rtol=0)


def test_huge_gaussian_covers_the_picture(backend: Backend) -> None:
    camera = straight_camera()
    picture = draw(backend, ball((0.0, 0.0, 5.0), scale=100.0, opacity=0.5), camera)
    expected = 0.5 * background_picture(camera) + 0.5
    torch.testing.assert_close(picture, expected, atol=0.01, rtol=0)


def test_values_above_white_are_kept(backend: Backend) -> None:
    if backend.capabilities.output_bits == 8:
        pytest.skip("8 bits end at white")
    bright = ball((0.0, 0.0, 2.0), scale=0.3, opacity=0.9, color=(3.0, 0.0, 0.0))
    assert draw(backend, bright, straight_camera())[20, 30, 0] > 2.0


def broken_gaussians() -> Gaussians:
    """Each would be in the middle of the picture if it were whole; none may be drawn."""
    whole = ball((0.0, 0.0, 2.0), scale=0.2)
    nan, inf = float("nan"), float("inf")
    broken = [replace(whole, quats=torch.zeros(1, 4)), replace(whole, scales=torch.zeros(1, 3))]
    for name in ("means", "quats", "scales", "opacities", "colors"):
        for bad in (nan, inf):
            value = getattr(whole, name).clone()
            value[..., -1] = bad
            if name == "opacities" and bad == inf:
                continue  # clamped to ALPHA_MAX by contract of the formula, or left out: either
            broken.append(replace(whole, **{name: value}))
    return Gaussians.concatenate(broken)


def test_broken_gaussians_are_left_out(backend: Backend) -> None:
    camera = straight_camera()
    broken = broken_gaussians()
    for i in range(len(broken)):
        picture = draw(backend, broken[i : i + 1], camera)
        torch.testing.assert_close(picture, background_picture(camera), atol=0.002, rtol=0)


def test_broken_gaussians_do_not_change_sound_ones(backend: Backend) -> None:
    camera = front_camera()
    whole = random_canonical(200, seed=8).activate()
    mixed = Gaussians.concatenate([broken_gaussians(), whole, broken_gaussians()])
    assert_agrees(
        draw(backend, mixed, camera), ReferenceBackend().render(whole, camera, SETTINGS), backend
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["near first", "far first"])
def test_nearer_gaussian_hides_the_farther(backend: Backend, order: tuple[int, int]) -> None:
    near = ball((0.0, 0.0, 2.0), scale=0.3, opacity=0.95, color=(1.0, 0.0, 0.0))
    far = ball((0.0, 0.0, 3.0), scale=0.5, opacity=0.95, color=(0.0, 1.0, 0.0))
    scene = Gaussians.concatenate([near, far])[torch.tensor(order)]
    red, green, _ = draw(backend, scene, straight_camera())[20, 30].tolist()
    assert red > 0.8
    assert green < 0.2


def test_order_with_a_distant_outlier(backend: Backend) -> None:
    """Sorting sees differences of 1/20,000 of the depth range, such as before a distant sky."""
    red = ball((0.0, 0.0, 2.05), scale=0.3, opacity=0.95, color=(1.0, 0.0, 0.0))
    green = ball((0.0, 0.0, 2.0), scale=0.3, opacity=0.95, color=(0.0, 1.0, 0.0))
    far_away = ball((500.0, 0.0, 1000.0), scale=500.0, opacity=0.5)
    picture = draw(backend, Gaussians.concatenate([red, far_away, green]), straight_camera())
    assert picture[20, 30, 1] > 0.8


def test_images_do_not_depend_on_earlier_ones(backend: Backend) -> None:
    """Buffers that are kept from picture to picture leave no trace."""
    large, small = (random_canonical(n, seed=n).activate() for n in (900, 50))
    first = draw(backend, small, front_camera(40, 30))
    draw(backend, large, front_camera(97, 61))
    torch.testing.assert_close(draw(backend, small, front_camera(40, 30)), first, atol=1e-5, rtol=0)


def test_inputs_are_not_changed(backend: Backend) -> None:
    scene = with_sh(random_canonical(50).activate(), degree=1).to(backend.device)
    before = scene.clone()
    backend.render(scene, front_camera(), SETTINGS)
    backend.render_channels(scene, front_camera(), SETTINGS)
    for name, values in scene.tensors().items():
        torch.testing.assert_close(values, before.tensors()[name], atol=0, rtol=0)
