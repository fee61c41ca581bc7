"""Which backend is chosen, with which words, and what it costs to ask."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import torch
from streamstgs.renderer import BackendUnavailable, backends
from streamstgs.renderer.backends import available_backends, choose_backend
from streamstgs.renderer.backends.cpu.backend import CpuBackend
from streamstgs.renderer.backends.reference import ReferenceBackend


class FakeOpenGL:
    """Stands in for the OpenGL backend of a machine with the given driver."""

    name = "opengl"
    device = torch.device("cpu")

    def __init__(self, driver: str) -> None:
        self.renderer_name = driver
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeGsplat:
    name = "gsplat"
    device = torch.device("cpu")


def refuse(words: str):
    def load():
        raise BackendUnavailable(words)

    return load


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Call it with loaders by name; the other backends stay what they are."""

    monkeypatch.setattr(backends, "GPU_DEVICES", ("/dev/null",))

    def use(**loaders) -> None:
        for name, loader in loaders.items():
            monkeypatch.setitem(backends._LOADERS, name, loader)

    return use


def test_cuda_comes_first(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(gsplat=FakeGsplat, opengl=lambda: FakeOpenGL("Radeon"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    choice = choose_backend()
    assert choice.backend.name == "gsplat"
    assert choice.reason == "gsplat: NVIDIA H200 with CUDA"


def test_hardware_opengl_comes_second(machine) -> None:
    machine(gsplat=refuse("no CUDA device"), opengl=lambda: FakeOpenGL("AMD Radeon 780M"))
    choice = choose_backend()
    assert choice.backend.name == "opengl"
    assert choice.reason == "opengl: AMD Radeon 780M"


@pytest.mark.parametrize("driver", ["llvmpipe (LLVM 15.0.6, 256 bits)", "softpipe", "SWRast"])
def test_the_processor_comes_before_software_opengl(machine, driver: str) -> None:
    software = FakeOpenGL(driver)
    machine(gsplat=refuse("no CUDA device"), opengl=lambda: software)
    choice = choose_backend()
    assert isinstance(choice.backend, CpuBackend)
    assert choice.reason == "cpu: no CUDA device; software OpenGL would be slower"
    assert software.closed


def test_the_reason_says_all_obstacles(machine) -> None:
    machine(gsplat=refuse("no CUDA device"), opengl=refuse("there is no EGL"))
    assert choose_backend().reason == "cpu: no CUDA device; there is no EGL"


def test_a_missing_module_is_an_obstacle(machine) -> None:
    def load():
        raise ImportError("libGL.so.1: cannot open shared object file")

    machine(gsplat=refuse("no CUDA device"), opengl=load)
    assert "libGL.so.1" in choose_backend().reason
    assert "libGL.so.1" in str(dict(available_backends())["opengl"])


def test_by_name() -> None:
    choice = choose_backend("reference")
    assert isinstance(choice.backend, ReferenceBackend)
    assert choice.reason == "reference: chosen by hand"


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(BackendUnavailable, match=r"'vulkan'.*gsplat, opengl, cpu, reference"):
        choose_backend("vulkan")


def test_a_backend_that_cannot_run_is_refused_by_name(machine) -> None:
    machine(opengl=refuse("there is no EGL"))
    with pytest.raises(BackendUnavailable, match="there is no EGL"):
        choose_backend("opengl")


def test_without_any_gpu_opengl_is_not_even_started(
    machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> None:
        raise AssertionError("OpenGL was started")

    machine(gsplat=refuse("no CUDA device"), opengl=start)
    monkeypatch.setattr(backends, "GPU_DEVICES", ("/nowhere/render*",))
    monkeypatch.setattr(backends.sys, "platform", "linux")
    assert choose_backend().reason == "cpu: no CUDA device; there is no GPU"


def test_gsplat_without_cuda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendUnavailable, match="no CUDA device"):
        choose_backend("gsplat")


def test_gsplat_on_another_maker_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(BackendUnavailable, match="NVIDIA"):
        choose_backend("gsplat")


def test_gsplat_without_kernels_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    without_nvcc = types.ModuleType("gsplat.cuda._backend")
    without_nvcc._C = None  # type: ignore[attr-defined]
    for name in ("gsplat", "gsplat.cuda"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "gsplat.cuda._backend", without_nvcc)
    with pytest.raises(BackendUnavailable, match="nvcc"):
        choose_backend("gsplat")


def test_available_backends_in_order_of_preference() -> None:
    names = [name for name, _ in available_backends()]
    assert names == ["gsplat", "opengl", "cpu", "reference"]
    obstacles = dict(available_backends())
    assert obstacles["cpu"] is None
    assert obstacles["reference"] is None


def test_importing_loads_no_backend() -> None:
    script = (
        "import sys, renderer, renderer.backends\n"
        "loaded = {'gsplat', 'OpenGL', 'numba', 'PySide6'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)
