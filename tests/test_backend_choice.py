"""Choice of a backend: order, reasons, plug-ins, and that importing loads nothing."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from streamstgs.app import doctor
from streamstgs.renderer import BackendUnavailable, backends
from streamstgs.renderer.backends import available_backends, backend_names, choose_backend, plugins
from streamstgs.renderer.backends.base import Backend, Capabilities
from streamstgs.renderer.backends.cpu.backend import CpuBackend
from streamstgs.renderer.backends.reference import ReferenceBackend


class FakeOpenGL(ReferenceBackend):
    """Stands in for the OpenGL backend of a machine with the given driver."""

    name = "opengl"

    def __init__(self, driver: str) -> None:
        super().__init__()
        self.capabilities = Capabilities(driver=driver)
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeGsplat(ReferenceBackend):
    name = "gsplat"


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
def test_cpu_comes_before_software_opengl(machine, driver: str) -> None:
    software = FakeOpenGL(driver)
    machine(gsplat=refuse("no CUDA device"), opengl=lambda: software)
    choice = choose_backend()
    assert isinstance(choice.backend, CpuBackend)
    assert choice.reason == "cpu: no CUDA device; software OpenGL would be slower"
    assert software.closed


def test_reason_names_all_obstacles(machine) -> None:
    machine(gsplat=refuse("no CUDA device"), opengl=refuse("there is no EGL"))
    assert choose_backend().reason == "cpu: no CUDA device; there is no EGL"


def test_missing_module_is_an_obstacle(machine) -> None:
    def load():
        raise ImportError("libGL.so.1: cannot open shared object file")

    machine(gsplat=refuse("no CUDA device"), opengl=load)
    assert "libGL.so.1" in choose_backend().reason
    assert "libGL.so.1" in str(dict(available_backends())["opengl"])


def test_backend_is_chosen_by_name() -> None:
    choice = choose_backend("reference")
    assert isinstance(choice.backend, ReferenceBackend)
    assert choice.reason == "reference: chosen by hand"


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BackendUnavailable, match=r"'vulkan'.*gsplat, opengl, cpu, reference"):
        choose_backend("vulkan")


def test_unavailable_backend_is_refused_by_name(machine) -> None:
    machine(opengl=refuse("there is no EGL"))
    with pytest.raises(BackendUnavailable, match="there is no EGL"):
        choose_backend("opengl")


def test_opengl_is_not_started_without_a_gpu(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> None:
        raise AssertionError("OpenGL was started")

    machine(gsplat=refuse("no CUDA device"), opengl=start)
    monkeypatch.setattr(backends, "GPU_DEVICES", ("/nowhere/render*",))
    monkeypatch.setattr(backends.sys, "platform", "linux")
    assert choose_backend().reason == "cpu: no CUDA device; there is no GPU"


def test_gsplat_without_cuda_names_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendUnavailable, match="no CUDA device"):
        choose_backend("gsplat")


def test_gsplat_on_another_gpu_names_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(BackendUnavailable, match="NVIDIA"):
        choose_backend("gsplat")


def test_gsplat_without_kernels_names_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    without_nvcc = types.ModuleType("gsplat.cuda._backend")
    without_nvcc._C = None  # type: ignore[attr-defined]
    for name in ("gsplat", "gsplat.cuda"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "gsplat.cuda._backend", without_nvcc)
    with pytest.raises(BackendUnavailable, match="nvcc"):
        choose_backend("gsplat")


def test_available_backends_are_in_order_of_preference() -> None:
    names = [name for name, _ in available_backends()]
    assert names == ["gsplat", "opengl", "cpu", "reference"]
    obstacles = dict(available_backends())
    assert obstacles["cpu"] is None
    assert obstacles["reference"] is None


class PluginBackend(ReferenceBackend):
    name = "vulkan"


def not_a_backend() -> object:
    return object()


def raises_an_error() -> object:
    raise ZeroDivisionError("oops")


def refuses() -> object:
    raise BackendUnavailable("no Vulkan driver")


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch):
    """Call it with (name, attribute of this module) of the plug-ins of a machine."""

    def install(*offers: tuple[str, str]) -> None:
        points = [
            EntryPoint(n, f"{__name__}:{attribute}", plugins.GROUP) for n, attribute in offers
        ]
        monkeypatch.setattr(plugins, "entry_points", lambda group: points)

    return install


def test_plugin_is_chosen_by_its_name(offer) -> None:
    offer(("vulkan", "PluginBackend"))
    assert isinstance(choose_backend("vulkan").backend, PluginBackend)
    assert ("vulkan", None) in available_backends()
    assert backend_names() == ["gsplat", "opengl", "cpu", "reference", "vulkan"]


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("not_a_backend", "does not implement"),
        ("raises_an_error", "ZeroDivisionError: oops"),
        ("missing", "AttributeError"),
        ("refuses", "no Vulkan driver"),
    ],
)
def test_broken_plugin_is_reported_and_skipped(offer, attribute: str, reason: str) -> None:
    offer(("vulkan", attribute))
    obstacles = dict(available_backends())
    assert reason in str(obstacles["vulkan"])
    assert obstacles["cpu"] is None
    assert choose_backend("cpu").backend.name == "cpu"
    with pytest.raises(BackendUnavailable, match=reason):
        choose_backend("vulkan")


def test_plugin_cannot_take_the_name_of_another_backend(offer) -> None:
    offer(("cpu", "raises_an_error"), ("vulkan", "PluginBackend"), ("vulkan", "refuses"))
    assert isinstance(choose_backend("cpu").backend, CpuBackend)
    assert isinstance(choose_backend("vulkan").backend, PluginBackend)
    obstacles = dict(available_backends())
    for name, attribute in (("cpu", "raises_an_error"), ("vulkan", "refuses")):
        assert obstacles[name] is None
        assert f"another backend has the name {name}" in str(
            obstacles[f"{name} ({__name__}:{attribute})"]
        )


def test_plugin_of_an_installed_package(tmp_path: Path) -> None:
    """As an installed wheel has it: metadata with entry points beside the module."""
    (tmp_path / "plug.py").write_text(
        "from streamstgs.renderer.backends.reference import ReferenceBackend\n"
        "class Mine(ReferenceBackend):\n    name = 'mine'\n"
    )
    metadata = tmp_path / "plug-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[streamstgs.backends]\nmine = plug:Mine\n")
    script = (
        f"import sys; sys.path.append({str(tmp_path)!r})\n"
        "from streamstgs.renderer.backends import choose_backend\n"
        "print(choose_backend('mine').backend.name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=250, capture_output=True, text=True
    )
    assert done.stdout.strip() == "mine"


def test_doctor_lists_plugins(offer, capsys: pytest.CaptureFixture[str]) -> None:
    offer(("vulkan", "raises_an_error"))
    findings = {finding.about: finding for finding in doctor._backends()}
    assert "is broken: ZeroDivisionError: oops" in findings["vulkan"].answer
    assert not findings["vulkan"].serious


def test_every_backend_implements_the_protocol() -> None:
    for name, obstacle in available_backends():
        if obstacle is None:
            backend = choose_backend(name).backend
            assert isinstance(backend, Backend)
            backend.close()


def test_importing_loads_no_backend() -> None:
    script = (
        "import sys, streamstgs.renderer, streamstgs.renderer.backends\n"
        "loaded = {'gsplat', 'OpenGL', 'numba', 'PySide6'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=250)
