"""What a benchmark reports beside its figures: a table for a person, and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

STAGES = (
    "decode_ms_per_frame",
    "feature_decode_ms_per_frame",
    "upload_ms",
    "deform_ms",
    "sort_ms",
    "raster_ms",
    "present_ms",
    "tick_ms",
    "seek_ms",
)


def bench_table(figures: dict[str, Any]) -> Table:
    """The figures of `bench` as a table for a terminal."""
    width, height = figures["size"]
    title = f"{figures['scene']}, {width}x{height}, {figures['backend_reason']}"
    table = Table(title=title, title_justify="left")
    for name in ("", "median", "p95", "p99"):
        table.add_column(name, justify="left" if not name else "right")
    for key in STAGES:
        table.add_row(_words(key), *_three(figures[key]))
    table.add_section()
    for key, floor in figures["floors"].items():
        table.add_row(f"floor: {_words(key)}", *_three(floor))
    for key, ratio in figures["ratios"].items():
        table.add_row(f"ratio: {_words(key)}", "none" if ratio is None else f"{ratio:.2f}")
    table.add_section()
    _add_single_figures(table, figures)
    return table


def _add_single_figures(table: Table, figures: dict[str, Any]) -> None:
    playing, memory = figures["playback"], figures["memory_mb"]
    table.add_row("content fps", f"{playing['content_fps']:.1f}")
    table.add_row("  wanted", f"{playing['wanted_content_fps']:g}")
    table.add_row("display fps", f"{playing['display_fps']:.1f}")
    table.add_row("late frames", str(playing["late_frames"]))
    table.add_row("first picture s", f"{figures['first_picture_s']['total']:.2f}")
    for key, size in memory.items():
        table.add_row(f"memory, {_words(key)} MB", "none" if size is None else f"{size:,.0f}")
    gaussians = figures["gaussians"]
    table.add_row("Gaussians", f"{gaussians['total']:,}", f"{gaussians['moving']:,} moving")


def hardware() -> dict[str, Any]:
    """The machine and the versions that the figures were measured with."""
    cuda = torch.cuda.is_available()
    return {
        "cpu": _cpu_name(),
        "vectors": _vectors(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torch_threads": torch.get_num_threads(),
        "commit": _commit(),
    }


def process_age_s() -> float | None:
    """Seconds since this process started, imports included; None where the system hides it."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _three(stage: dict[str, float] | None) -> tuple[str, ...]:
    if stage is None:
        return ("none",)
    return tuple(f"{stage[key]:.2f}" for key in ("median", "p95", "p99"))


def _words(key: str) -> str:
    return key.replace("_", " ")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _vectors() -> str | None:
    """The widest vector instructions of the processor; None where the system hides them."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return None
    for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON")):
        if flag in flags:
            return name
    return None


def _commit() -> str | None:
    """The version of the working tree that runs; None where it is no checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
