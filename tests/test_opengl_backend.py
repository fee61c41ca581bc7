"""The OpenGL backend beyond the contract of all backends: limits, sorting, drivers, windows."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.renderer import BackendUnavailable, Camera, Gaussians, RenderError, RenderSettings
from streamstgs.renderer.backends.depth_order import back_to_front
from streamstgs.renderer.backends.reference import ReferenceBackend
from streamstgs.renderer.present import egl_context

from tests.gl_contexts import headless_context
from tests.synthetic import random_canonical

pytest.importorskip("OpenGL")
from streamstgs.renderer.backends import opengl_program
from streamstgs.renderer.backends.opengl import OpenGLBackend

SETTINGS = RenderSettings(background=(0.1, 0.2, 0.3))


@pytest.fixture(scope="module")
def backend() -> Iterator[OpenGLBackend]:
    try:
        backend = OpenGLBackend()
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    yield backend
    backend.close()


def camera_at(x: float, y: float, z: float, width: int = 96, height: int = 64) -> Camera:
    position = torch.tensor([x, y, z])
    return Camera.look_at(
        position, torch.zeros(3), torch.tensor([0.0, -1.0, 0.0]), 0.9, width, height
    )


def splats(*means: tuple[float, float, float], colors: list[list[float]]) -> Gaussians:
    count = len(means)
    return Gaussians(
        means=torch.tensor(means),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1),
        scales=torch.full((count, 3), 0.1),
        opacities=torch.ones(count),
        colors=torch.tensor(colors),
    )


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return -10 * math.log10(max((a - b).square().mean().item(), 1e-12))


@pytest.mark.parametrize("distance", [-3.0, -0.4])  # before the cloud, inside it
def test_agrees_with_reference_within_70_db(backend: OpenGLBackend, distance: float) -> None:
    gaussians = random_canonical(600).activate()
    camera = camera_at(0.3, 0.2, distance)
    expected = ReferenceBackend().render(gaussians, camera, SETTINGS)
    assert psnr(backend.render(gaussians, camera, SETTINGS), expected) > 70


def test_off_centre_lens_and_unequal_focal_lengths(backend: OpenGLBackend) -> None:
    gaussians = random_canonical(300).activate()
    K = torch.tensor([[70.0, 0.0, 20.0], [0.0, 110.0, 50.0], [0.0, 0.0, 1.0]])
    camera = Camera(camera_at(0.0, 0.5, -2.5).viewmat, K, 96, 64)
    expected = ReferenceBackend().render(gaussians, camera, SETTINGS)
    assert psnr(backend.render(gaussians, camera, SETTINGS), expected) > 70


def test_half_floats_agree_within_50_db(backend: OpenGLBackend) -> None:
    gaussians = random_canonical(600).activate()
    camera = camera_at(0.3, 0.2, -3.0)
    expected = backend.render(gaussians, camera, SETTINGS)
    with headless_context():
        program = opengl_program.SplatProgram()  # the window's precision
        program.upload(gaussians)
        program.render_texture(camera, SETTINGS)
        half = torch.from_numpy(program.read_picture())
        program.release()
    assert psnr(half, expected) > 50


def test_top_row_comes_first(backend: OpenGLBackend) -> None:
    gaussians = splats((0.0, -0.8, 0.0), (0.8, 0.0, 0.0), colors=[[1, 0, 0], [0, 1, 0]])
    picture = backend.render(gaussians, camera_at(0.0, 0.0, -3.0), RenderSettings())
    row, column = np.unravel_index(picture[..., 0].argmax().item(), (64, 96))
    assert (row < 20, 46 <= column <= 49) == (True, True)  # red above, y points down
    row, column = np.unravel_index(picture[..., 1].argmax().item(), (64, 96))
    assert (30 <= row <= 33, column > 60) == (True, True)  # green on the right


def test_nearest_splat_covers_the_others(backend: OpenGLBackend) -> None:
    colors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    gaussians = splats((0, 0, 0.5), (0, 0, -0.5), (0, 0, 0), colors=colors)
    for z, nearest in ((-3.0, 1), (3.0, 0)):
        picture = backend.render(gaussians, camera_at(0.0, 0.0, z), RenderSettings())
        assert picture[32, 48].argmax().item() == nearest


def test_more_splats_than_one_instance_holds_are_all_drawn(backend: OpenGLBackend) -> None:
    for count in (127, 128, 129, 300):
        places = [((i % 20) / 10 - 0.95, (i // 20) / 10 - 0.7, 0.0) for i in range(count)]
        gaussians = splats(*places, colors=[[1.0, 1.0, 1.0]] * count)
        small = replace(gaussians, scales=gaussians.scales * 0.2)
        camera = camera_at(0.0, 0.0, -3.0, 192, 128)
        expected = ReferenceBackend().render(small, camera, RenderSettings())
        assert psnr(backend.render(small, camera, RenderSettings()), expected) > 70


def test_broken_gaussians_are_left_out(backend: OpenGLBackend) -> None:
    good = random_canonical(50).activate()
    bad = random_canonical(8, seed=3).activate()
    bad.means[0, 1] = float("nan")
    bad.means[1, 2] = float("inf")
    bad.quats[2] = 0.0
    bad.quats[3, 0] = float("nan")
    bad.scales[4, 2] = float("inf")
    bad.opacities[5] = float("nan")
    bad.colors[6, 0] = float("-inf")
    bad.scales[7] = float("nan")
    camera = camera_at(0.0, 0.0, -3.0)
    mixed = Gaussians.concatenate([bad, good])
    assert torch.equal(
        backend.render(mixed, camera, SETTINGS), backend.render(good, camera, SETTINGS)
    )


def test_drawing_works_after_a_refused_picture(
    backend: OpenGLBackend,
) -> None:
    gaussians = random_canonical(10).activate()
    small = camera_at(0.0, 0.0, -3.0)
    before = backend.render(gaussians, small, SETTINGS)
    with pytest.raises(RenderError, match="limit"):
        backend.render(gaussians, small.resized(1 << 20, 8), SETTINGS)
    assert torch.equal(backend.render(gaussians, small, SETTINGS), before)


def test_two_backends_are_independent(backend: OpenGLBackend) -> None:
    gaussians, camera = random_canonical(50).activate(), camera_at(0.0, 0.0, -3.0)
    before = backend.render(gaussians, camera, SETTINGS)
    other = OpenGLBackend()
    other.render(gaussians, camera_at(1.0, 0.0, -3.0), SETTINGS)
    other.close()
    assert torch.equal(backend.render(gaussians, camera, SETTINGS), before)


def test_sorts_only_after_a_change(backend: OpenGLBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    sorts: list[int] = []

    def counting(depths: np.ndarray, near: float) -> np.ndarray:
        sorts.append(len(depths))
        return back_to_front(depths, near)

    monkeypatch.setattr(opengl_program, "back_to_front", counting)
    first, second = random_canonical(20).activate(), random_canonical(30).activate()
    camera = camera_at(0.0, 0.0, -3.0)
    with headless_context():
        program = opengl_program.SplatProgram()
        target = opengl_program.PictureTarget(opengl_program.GL.GL_RGBA8)
        target.bind(96, 64)
        steps = [(first, camera), (first, camera), (first, camera.resized(48, 32))]
        steps += [(first, camera_at(1.0, 0.0, -3.0)), (second, camera_at(1.0, 0.0, -3.0))]
        counts = []
        for gaussians, view in steps:
            program.upload(gaussians)
            program.draw(view, SETTINGS, target.framebuffer, (0, 0, 96, 64))
            counts.append(len(sorts))
        program.release()
        target.release()
    assert counts == [1, 1, 1, 2, 3]


def test_shown_picture_is_the_read_picture(backend: OpenGLBackend) -> None:
    gaussians, camera = random_canonical(200).activate(), camera_at(0.3, 0.2, -3.0)
    expected = backend.render(gaussians, camera, SETTINGS)
    with headless_context():
        program = opengl_program.SplatProgram()
        program.upload(gaussians)
        target = opengl_program.PictureTarget(opengl_program.GL.GL_RGBA8)
        target.bind(96, 64)
        program.draw(camera, SETTINGS, target.framebuffer, (0, 0, 96, 64))
        shown = target.read()[::-1].copy()  # a window's row 0 is its bottom
        program.release()
        target.release()
    assert psnr(torch.from_numpy(shown), expected) > 45


def test_order_is_farthest_first_up_to_the_near_plane() -> None:
    depths = np.array([2.0, 5.0, 0.005, -1.0, 3.0, 1e12, 0.02], np.float32)
    assert back_to_front(depths, near=0.01).tolist() == [1, 4, 0, 6]
    assert len(back_to_front(depths[:0], near=0.01)) == 0


def test_equal_depths_keep_gsplats_order_mirrored() -> None:
    depths = np.array([2.0, 1.0, 2.0, 2.0], np.float32)
    assert back_to_front(depths, near=0.01).tolist() == [3, 2, 0, 1]


def test_one_outlier_does_not_spoil_the_order() -> None:
    depths = np.append(np.linspace(1.0, 4.0, 500), 1e8).astype(np.float32)
    assert back_to_front(depths, near=0.01).tolist() == [500, *range(499, -1, -1)]


def test_probe_names_the_driver_the_backend_uses(backend: OpenGLBackend) -> None:
    assert egl_context.gl_renderer_name() == backend.capabilities.driver


def test_software_drivers_are_recognised() -> None:
    software = ["llvmpipe (LLVM 15.0.6, 256 bits)", "softpipe", "SWR (LLVM 9)", "GDI Generic"]
    hardware = ["NVIDIA H200/PCIe/SSE2", "Mesa Intel(R) UHD Graphics 620", "AMD Radeon", "Apple M2"]
    assert all(egl_context.is_software_renderer(name) for name in software)
    assert not any(egl_context.is_software_renderer(name) for name in hardware)


def test_missing_libegl_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(egl_context.ctypes, "CDLL", refuse)
    monkeypatch.setattr(egl_context.sys, "platform", "linux")
    assert egl_context.gl_renderer_name() is None
    threads = set(threading.enumerate())
    with pytest.raises(BackendUnavailable, match="libegl1"):
        OpenGLBackend()
    assert set(threading.enumerate()) <= threads


def test_libegl_without_driver_is_named() -> None:
    program = (
        "from streamstgs.renderer import BackendUnavailable\n"
        "from streamstgs.renderer.present.egl_context import gl_renderer_name\n"
        "from streamstgs.renderer.backends.opengl import OpenGLBackend\n"
        "assert gl_renderer_name() is None\n"
        "try: OpenGLBackend()\n"
        "except BackendUnavailable as reason: print('reason:', reason)\n"
    )
    environment = {**os.environ, "__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert "reason: " in done.stdout


def test_refused_opengl_call_is_a_render_error(backend: OpenGLBackend) -> None:
    with headless_context():
        program = opengl_program.SplatProgram()
        program.upload(random_canonical(3).activate())
        camera = camera_at(0.0, 0.0, -3.0)
        with pytest.raises(RenderError, match="OpenGL refuses glBindFramebuffer"):
            program.draw(camera, SETTINGS, 12345, (0, 0, 96, 64))
        program.release()
