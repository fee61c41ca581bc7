"""The figures of `bench` as a person reads them."""

from __future__ import annotations

from typing import Any

from rich.table import Table


def bench_table(figures: dict[str, Any]) -> Table:
    """The figures for a person."""
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


def _two(stage: dict[str, float] | None) -> tuple[str, str]:
    return (f"{stage['median']:.2f}", f"{stage['p95']:.2f}") if stage else ("none", "")
