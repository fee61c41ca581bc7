"""The report of `streamstgs doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from streamstgs.app import display, doctor
from streamstgs.app.doctor import Finding


def install_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole search path of programs."""
    if sys.platform == "win32":
        pytest.skip("the programs are shell scripts")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def nvidia(programs: Path) -> Path:
    install_program(programs, "nvidia-smi", "echo NVIDIA H200, 580.65.06")
    return programs


def by_name(findings) -> dict[str, Finding]:
    return {finding.about: finding for finding in findings}


def test_machine_without_nvidia_needs_no_remedy(programs: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    findings = by_name(doctor._devices())
    assert findings["NVIDIA driver"].answer.startswith("none")
    assert not any(finding.remedy or finding.serious for finding in findings.values())


def test_broken_driver_counts_as_none(programs: Path) -> None:
    install_program(programs, "nvidia-smi", "echo 'could not communicate with the driver'; exit 9")
    assert doctor.nvidia_driver() is None


def test_torch_for_cpu_beside_an_nvidia_gpu_names_the_command(nvidia: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    findings = by_name(doctor._devices())
    assert findings["NVIDIA driver"].answer == "NVIDIA H200, 580.65.06"
    assert "pip install" in findings["CUDA device"].remedy


def test_bundle_beside_an_nvidia_gpu_names_the_other_installation(
    nvidia: Path, monkeypatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "pip or uv" in by_name(doctor._devices())["CUDA device"].remedy


def test_missing_library_of_the_window_names_the_packages() -> None:
    errors = (
        "Traceback (most recent call last):\nImportError: libEGL.so.1: cannot open shared object"
    )
    assert "apt-get install" in display._reason(errors)
    assert "apt-get" not in display._reason("could not connect to display :99")


def test_old_driver_is_to_be_updated(nvidia: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert by_name(doctor._devices())["CUDA device"].remedy.endswith("CUDA 13.0")


@pytest.fixture
def gsplat(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package gsplat that is found before any other."""
    folder = tmp_path_factory.mktemp("packages") / "gsplat"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.delitem(sys.modules, "gsplat", raising=False)
    return folder


def test_gsplat_without_compiler_says_how_to_build_a_wheel(nvidia: Path, gsplat: Path) -> None:
    remedy = doctor._gsplat_kernels().remedy
    assert "pip wheel" in remedy
    assert "--no-binary gsplat" in remedy  # the wheel of the package index has no kernels
    assert "CUDA toolkit" in remedy


def test_gsplat_with_compiler_says_how_to_build_in_advance(nvidia: Path, gsplat: Path) -> None:
    install_program(nvidia, "nvcc", "exit 0")
    finding = doctor._gsplat_kernels()
    assert finding.answer.startswith("compiled at the first use")
    assert finding.remedy.endswith(doctor.GSPLAT_BUILD)


def test_gsplat_with_kernels_needs_no_compiler(nvidia: Path, gsplat: Path) -> None:
    (gsplat / "csrc.cpython-312-x86_64-linux-gnu.so").touch()
    assert doctor._gsplat_kernels() == Finding("gsplat kernels", "built in advance")


def test_missing_package_is_serious_and_names_the_command(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("surely-not-installed",))
    finding = next(doctor._packages())
    assert finding.serious
    assert finding.remedy.startswith("pip install")


def test_missing_opengl_names_the_libraries(monkeypatch) -> None:
    from streamstgs.renderer.present import egl_context

    monkeypatch.setattr(egl_context, "gl_renderer_name", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    (finding,) = doctor._opengl()
    assert "libegl1" in finding.remedy
    assert not finding.serious


def test_cache_that_does_not_exist_is_not_made(monkeypatch, tmp_path: Path) -> None:
    from streamstgs.codec.streaming import disk_cache

    monkeypatch.setattr(disk_cache, "cache_directory", lambda: tmp_path / "deep" / "cache")
    findings = by_name(doctor._cache())
    assert findings["size"].answer.startswith("0 MiB")
    assert list(tmp_path.iterdir()) == []


def test_report_hides_the_home_directory(monkeypatch, capsys, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(
        doctor, "_CHECKS", {"Part": lambda: iter([Finding("file", f"{tmp_path}/x", remedy="mend")])}
    )
    assert doctor.examine() == 0
    report = capsys.readouterr().out
    assert "~/x" in report
    assert str(tmp_path) not in report
    assert "-> mend" in report


def test_serious_finding_fails_the_command(monkeypatch, capsys) -> None:
    monkeypatch.setattr(doctor, "_CHECKS", {"Part": lambda: iter([Finding("x", "no", True)])})
    assert doctor.examine() == 1
    assert "1 serious" in capsys.readouterr().out
