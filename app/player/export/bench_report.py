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


def bench_table(figures: dict[str, Any]) -> Table:
    """The figures of `bench` as a table for a terminal."""
    width, height = figures["size"]
    title = f"{figures['scene']}, {width}x{height}, {figures['backend_reason']}"
    table = Table(title=title, title_justify="left")
    for name in ("", "median", "p95"):
        table.add_column(name, justify="left" if not name else "right")
    for key in ("decode_ms_per_frame", "deform_ms", "raster_ms", "present_ms"):
        table.add_row(key.replace("_", " "), *_two(figures[key]))
    playing = figures["playback"]
    table.add_section()
    table.add_row("content fps", f"{playing['content_fps']:.1f}", "")
    table.add_row("  wanted", f"{playing['wanted_content_fps']:g}", "")
    table.add_row("display fps", f"{playing['display_fps']:.1f}", "")
    table.add_row("late frames", str(playing["late_frames"]), "")
    table.add_row("first picture s", f"{figures['first_picture_s']['total']:.2f}", "")
    gaussians = figures["gaussians"]
    table.add_row("Gaussians", f"{gaussians['total']:,}", f"{gaussians['moving']:,} moving")
    return table


def hardware() -> dict[str, Any]:
    """The machine and the versions that the figures were measured with."""
    cuda = torch.cuda.is_available()
    return {
        "cpu": _cpu_name(),
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


def _two(stage: dict[str, float] | None) -> tuple[str, str]:
    return (f"{stage['median']:.2f}", f"{stage['p95']:.2f}") if stage else ("none", "")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


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
