"""Presenters: pictures from memory reach a framebuffer upright and exact."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from streamstgs.renderer import (
    Camera,
    Gaussians,
    InteropUnavailable,
    RenderError,
    RenderSettings,
)
from streamstgs.renderer.present import make_presenter
from streamstgs.renderer.present.egl_context import EglContext

from tests.gl_contexts import headless_context
from tests.synthetic import random_canonical

pytest.importorskip("OpenGL")
from OpenGL import GL
from streamstgs.renderer.present import cuda_gl
from streamstgs.renderer.present.base import Presenter, display_bytes
from streamstgs.renderer.present.gl_objects import PictureTarget
from streamstgs.renderer.present.gl_program import link_program
from streamstgs.renderer.present.host_copy import HostCopyPresenter
from streamstgs.renderer.present.texture_blit import letterboxed


@pytest.fixture
def gl_context() -> Iterator[EglContext]:
    with headless_context() as context:
        yield context


@pytest.fixture
def host_copy(gl_context: EglContext) -> Iterator[HostCopyPresenter]:
    presenter = HostCopyPresenter()
    yield presenter
    presenter.release()


def random_bytes(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def texture_bytes(texture: int, width: int, height: int) -> np.ndarray:
    """[height, width, 4] uint8 as it lies in the texture, row 0 first."""
    pixels = np.empty((height, width, 4), np.uint8)
    GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
    GL.glGetTexImage(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, pixels)
    return pixels


def blitted(
    presenter: Presenter,
    texture: int,
    size: tuple[int, int],
    viewport: tuple[int, int, int, int],
    flip: bool = False,
) -> np.ndarray:
    """[height, width, 3] uint8 of a framebuffer of `size`, its row 0 (the bottom) first."""
    target = PictureTarget(GL.GL_RGBA8)
    target.bind(*size)
    GL.glClearColor(0.0, 0.0, 1.0, 1.0)
    GL.glClear(GL.GL_COLOR_BUFFER_BIT)
    presenter.blit(texture, target.framebuffer, viewport, flip)
    shown = np.round(target.read() * 255).astype(np.uint8)
    target.release()
    return shown


def test_letterbox_keeps_the_aspect_ratio() -> None:
    assert letterboxed((160, 90), (0, 0, 320, 180)) == (0, 0, 320, 180)
    assert letterboxed((160, 90), (0, 0, 320, 200)) == (0, 10, 320, 180)
    assert letterboxed((90, 160), (10, 20, 320, 160)) == (125, 20, 90, 160)
    assert letterboxed((4000, 1), (0, 0, 100, 100)) == (0, 49, 100, 1)


@pytest.mark.parametrize("size", [(16, 16), (13, 7), (1, 1), (5, 300)])
def test_host_copy_is_exact(host_copy: HostCopyPresenter, size: tuple[int, int]) -> None:
    picture = random_bytes(*size)
    pixels = texture_bytes(host_copy.present(picture), size[1], size[0])
    assert np.array_equal(pixels[..., :3], picture)
    assert (pixels[..., 3] == 255).all()


def test_one_presenter_takes_pictures_of_changing_size(host_copy: HostCopyPresenter) -> None:
    for seed, (height, width) in enumerate([(8, 8), (16, 5), (16, 5), (3, 33)]):
        picture = random_bytes(height, width, seed)
        texture = host_copy.present(torch.from_numpy(picture))
        assert np.array_equal(texture_bytes(texture, width, height)[..., :3], picture)


def test_floats_are_clipped_and_rounded() -> None:
    values = torch.tensor([-1.0, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 9.0])
    picture = values.reshape(2, 1, 3)
    assert display_bytes(picture).flatten().tolist() == [0, 0, 0, 1, 255, 255]
    assert picture.flatten().tolist() == values.tolist()  # the caller's picture is untouched


def test_strided_pictures_are_presented(host_copy: HostCopyPresenter) -> None:
    picture = torch.from_numpy(random_bytes(6, 10)).transpose(0, 1)
    pixels = texture_bytes(host_copy.present(picture), 6, 10)
    assert np.array_equal(pixels[..., :3], picture.numpy())


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3), (4, 4, 3, 1)])
def test_other_shapes_are_refused(host_copy: HostCopyPresenter, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        host_copy.present(torch.zeros(shape))


def test_other_types_are_refused(host_copy: HostCopyPresenter) -> None:
    with pytest.raises(ValueError, match="float or uint8"):
        host_copy.present(torch.zeros(4, 4, 3, dtype=torch.int32))


def test_blit_shows_row_0_on_top(host_copy: HostCopyPresenter) -> None:
    picture = random_bytes(6, 10)
    texture = host_copy.present(picture)
    window = blitted(host_copy, texture, (10, 6), (0, 0, 10, 6))
    assert np.array_equal(window[::-1], picture)
    for_reading = blitted(host_copy, texture, (10, 6), (0, 0, 10, 6), flip=True)
    assert np.array_equal(for_reading, picture)


def test_blit_paints_only_its_viewport(host_copy: HostCopyPresenter) -> None:
    texture = host_copy.present(np.full((4, 4, 3), 255, np.uint8))
    window = blitted(host_copy, texture, (20, 10), (8, 2, 8, 4))
    assert (window[2:6, 10:14] == 255).all()  # the picture, as large as its aspect allows
    assert (window[2:6, 8:10] == 0).all()  # bars
    assert (window[2:6, 14:16] == 0).all()
    window[2:6, 8:16] = (0, 0, 255)
    assert (window == (0, 0, 255)).all()  # the colour from before


def test_blit_resets_the_state_of_other_code(host_copy: HostCopyPresenter) -> None:
    picture = random_bytes(6, 10)
    texture = host_copy.present(picture)
    for switch in (GL.GL_BLEND, GL.GL_DEPTH_TEST, GL.GL_CULL_FACE, GL.GL_STENCIL_TEST):
        GL.glEnable(switch)
    GL.glBlendFunc(GL.GL_ZERO, GL.GL_ONE)
    window = blitted(host_copy, texture, (10, 6), (0, 0, 10, 6))
    assert np.array_equal(window[::-1], picture)


def test_shader_error_holds_the_log(gl_context: EglContext) -> None:
    with pytest.raises(RenderError, match=r"does not compile: .*error"):
        link_program("void main() { nonsense }", "void main() {}")


def test_pictures_on_the_cpu_are_copied(gl_context: EglContext) -> None:
    presenter, reason = make_presenter(torch.device("cpu"))
    assert (presenter.name, reason) == ("host copy", "pictures are drawn on cpu")
    presenter.release()


def test_no_interop_without_an_nvidia_context(gl_context: EglContext) -> None:
    if b"nvidia" in GL.glGetString(GL.GL_VENDOR).lower():
        pytest.skip("OpenGL runs on an NVIDIA GPU")
    with pytest.raises(InteropUnavailable):
        cuda_gl.CudaGlPresenter(torch.device("cuda"))
    presenter, reason = make_presenter(torch.device("cuda"))
    assert presenter.name == "host copy"
    assert reason.startswith("no CUDA-OpenGL interop: ")
    picture = random_bytes(4, 4)
    assert np.array_equal(texture_bytes(presenter.present(picture), 4, 4)[..., :3], picture)
    presenter.release()


def test_context_of_another_vendor_is_named(gl_context: EglContext) -> None:
    if b"nvidia" in GL.glGetString(GL.GL_VENDOR).lower():
        pytest.skip("OpenGL runs on an NVIDIA GPU")
    with pytest.raises(InteropUnavailable, match=r"OpenGL runs on .+, not on the CUDA device"):
        cuda_gl._require_nvidia_context()


def test_missing_context_is_named(gl_context: EglContext) -> None:
    gl_context.release_current()
    with pytest.raises(InteropUnavailable, match="no OpenGL context"):
        cuda_gl._require_nvidia_context()


def cuda_runtime(status: int, devices: list[int]) -> ModuleType:
    """A CUDA runtime whose OpenGL context runs on `devices`, or that fails."""
    code = IntEnum("code", {"cudaSuccess": 0, "cudaErrorOperatingSystem": 304})
    runtime = ModuleType("runtime")
    runtime.cudaGLDeviceList = SimpleNamespace(cudaGLDeviceListAll=1)
    runtime.cudaGLGetDevices = lambda count, which: (code(status), len(devices), devices)
    return runtime


def test_opengl_on_another_gpu_is_refused() -> None:
    cuda_gl._require_shared_gpu(cuda_runtime(0, [0, 1]), 1)
    with pytest.raises(InteropUnavailable, match="not run on CUDA device 1"):
        cuda_gl._require_shared_gpu(cuda_runtime(0, [0]), 1)


def test_failing_cuda_calls_are_named() -> None:
    failing = cuda_runtime(304, [])
    with pytest.raises(InteropUnavailable, match="GLGetDevices failed: cudaErrorOperatingSystem"):
        cuda_gl._require_shared_gpu(failing, 0)
    with pytest.raises(InteropUnavailable, match="cudaSetDevice cannot be called"):
        cuda_gl._checked(failing, "cudaSetDevice", 0)


@pytest.fixture
def cuda_presenter() -> Iterator[Presenter]:
    """On the EGL device that is the CUDA device; skips where the machine refuses interop."""
    with headless_context(cuda_device=torch.cuda.current_device()):
        try:
            presenter = cuda_gl.CudaGlPresenter(torch.device("cuda"))
        except InteropUnavailable as reason:
            pytest.skip(f"interop refused: {reason}")
        yield presenter
        presenter.release()


@pytest.mark.gpu
def test_interop_is_bit_exact_in_every_size(cuda_presenter: Presenter) -> None:
    random = torch.Generator(device="cuda").manual_seed(0)
    for height, width in [(1080, 1920), (7, 13), (7, 13), (360, 640), (1, 1)]:
        picture = torch.rand(height, width, 3, generator=random, device="cuda") * 1.2 - 0.1
        texture = cuda_presenter.present(picture)
        pixels = texture_bytes(texture, width, height)
        assert np.array_equal(pixels[..., :3], display_bytes(picture.cpu()).numpy())
        assert (pixels[..., 3] == 255).all()


@pytest.mark.gpu
def test_interop_and_host_copy_show_the_same(cuda_presenter: Presenter) -> None:
    picture = torch.rand(36, 64, 3, device="cuda")
    host = HostCopyPresenter()
    size, viewport = (64, 36), (0, 0, 64, 36)
    by_interop = blitted(cuda_presenter, cuda_presenter.present(picture), size, viewport)
    assert np.array_equal(by_interop, blitted(host, host.present(picture), size, viewport))
    host.release()


@pytest.mark.gpu
def test_interop_takes_bytes_from_the_host(cuda_presenter: Presenter) -> None:
    picture = random_bytes(9, 5)
    pixels = texture_bytes(cuda_presenter.present(picture), 5, 9)
    assert np.array_equal(pixels[..., :3], picture)


@pytest.mark.gpu
def test_interop_is_chosen_where_it_works(cuda_presenter: Presenter) -> None:
    presenter, reason = make_presenter(torch.device("cuda"))
    assert presenter.name == "CUDA-OpenGL interop", reason
    presenter.release()


@pytest.mark.window
def test_window_shows_the_picture_of_the_backend() -> None:
    """Splats drawn in a QOpenGLWidget, and a picture copied into it: same pixels, upright."""
    from streamstgs.renderer.backends.opengl import OpenGLBackend

    from tests.gl_window import shown_by_host_copy, shown_by_splats

    marker = Gaussians(
        means=torch.tensor([[0.0, -1.3, 0.0]]),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.full((1, 3), 0.2),
        opacities=torch.ones(1),
        colors=torch.tensor([[1.0, 0.0, 0.0]]),
    )
    gaussians = Gaussians.concatenate([random_canonical(200).activate(), marker])
    camera = Camera.look_at(
        *(torch.tensor([0.3, 0.0, -4.0]), torch.zeros(3), torch.tensor([0.0, -1.0, 0.0])),
        *(0.9, 240, 160),
    )
    settings = RenderSettings(background=(0.1, 0.2, 0.3))
    backend = OpenGLBackend()
    picture = backend.render(gaussians, camera, settings)
    backend.close()
    expected = display_bytes(picture).numpy().astype(int)
    assert abs(shown_by_splats(gaussians, camera, settings) - expected).max() <= 3
    assert np.array_equal(shown_by_host_copy(picture), expected)


@pytest.mark.window
def test_offline_drawing_keeps_the_context_of_a_window() -> None:
    """The window's context is current on the thread that asks, probes and presents."""
    from streamstgs.renderer.backends.opengl import OpenGLBackend
    from streamstgs.renderer.present.egl_context import gl_renderer_name

    from tests.gl_window import shown

    camera = Camera(torch.eye(4), torch.eye(3), 24, 16)
    settings = RenderSettings(background=(1.0, 0.5, 0.0))

    def paint(framebuffer: int, viewport: tuple[int, int, int, int]) -> None:
        presenter = HostCopyPresenter()
        assert gl_renderer_name() is not None
        backend = OpenGLBackend()
        picture = backend.render(Gaussians.empty(), camera, settings)
        backend.close()
        presenter.blit(presenter.present(picture), framebuffer, viewport)
        presenter.release()

    assert (shown(paint, 24, 16) == (255, 128, 0)).all()
