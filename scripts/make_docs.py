"""Generates parts of the documentation: `python scripts/make_docs.py keys performance pictures`.

keys          the table of keys in docs/guide/play.md, from the commands of the window
performance   docs/performance.md, from the JSON files in benchmarks/reports
pictures      docs/pictures, from the real window; needs a display (xvfb-run gives one)
film          the pictures of docs/guide/film.md, in the same way
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PLAY_PAGE = ROOT / "docs" / "guide" / "play.md"
PERFORMANCE_PAGE = ROOT / "docs" / "performance.md"
REPORTS = ROOT / "benchmarks" / "reports" / "performance"
PICTURES = ROOT / "docs" / "pictures"
KEYS_BEGIN, KEYS_END = "<!-- keys: begin -->\n", "<!-- keys: end -->\n"
PICTURES_OF_GUIDE = (
    "window", "panel", "statistics", "edge", "compare", "booth-attract", "booth-visitor",
)  # fmt: skip
PICTURE_WIDTH_PX = 1024
JPEG_QUALITY = 80
ROWS = (  # label, group in the figures, name
    ("decode ms per frame", "", "decode_ms_per_frame"),
    ("feature video alone, ms per frame", "", "feature_decode_ms_per_frame"),
    ("upload ms", "", "upload_ms"),
    ("deform ms", "", "deform_ms"),
    ("sort ms, part of rasterise", "", "sort_ms"),
    ("rasterise ms", "", "raster_ms"),
    ("present ms", "", "present_ms"),
    ("whole tick ms", "", "tick_ms"),
    ("seek ms", "", "seek_ms"),
    ("floor: frozen Gaussians rasterised, ms", "floors", "raster_alone_ms"),
    ("floor: libavcodec alone, ms per frame", "floors", "bare_decode_ms_per_frame"),
    ("floor: copy of an image, ms", "floors", "copy_ms"),
    ("tick over rasterising alone", "ratios", "tick_to_raster_alone"),
    ("feature video over libavcodec alone", "ratios", "feature_decode_to_bare"),
    ("content fps", "playback", "content_fps"),
    ("late frames", "playback", "late_frames"),
    ("display fps", "playback", "display_fps"),
    ("first picture s", "first_picture_s", "total"),
    ("memory at its peak, MB", "memory_mb", "resident_peak"),
)
WHOLE = ("late_frames", "resident_peak")
DECIMALS = {"display_fps": 1}
INTRODUCTION = """# Performance

One table for each device. Times are median / 95th / 99th percentile in milliseconds while the
camera moves; a single time is the median. "Content" is frames of the scene per second, "display"
images per second of at most 60. A floor is what a stage cannot take less than, measured in the same
run. A dash is a figure that was not measured, or a stage that the device does not have. Sections on
large scenes, memory, servers, scenes of ten hours and live events follow.

To measure your machine, run `streamstgs bench SCENE --json figures.json`; `streamstgs bench
--compare A.json B.json` tells what changed beyond noise. `python -m benchmarks.performance` writes
the file of a device in `benchmarks/reports/performance`, and `scripts/make_docs.py performance`
makes this page from these files.
"""


def with_keys(page: str) -> str:
    """The page with its table of keys replaced by the present one."""
    from streamstgs.app.ui.commands import markdown

    before, _, rest = page.partition(KEYS_BEGIN)
    _, _, after = rest.partition(KEYS_END)
    return f"{before}{KEYS_BEGIN}\n{markdown()}\n{KEYS_END}{after}"


def performance_page() -> str:
    """docs/performance.md, made of the reports on devices, servers and live events."""
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(REPORTS.glob("*.json"))]
    from scripts.processor_tables import processor_sections
    from scripts.serving_tables import serving_sections

    others = (processor_sections(REPORTS.parent), serving_sections(REPORTS.parent))
    return "\n".join([INTRODUCTION, *map(device_table, reports), *others])


def device_table(report: dict[str, Any]) -> str:
    """The section of one device."""
    runs = report["runs"]
    titles = [f"{run['backend']}, {run['size'][0]} x {run['size'][1]}" for run in runs]
    lines = [
        f"## {report['device']}",
        "",
        f"`{report['command']}`: {report['scene']}.",
        "",
        "| | " + " | ".join(titles) + " |",
        "|---" * (len(runs) + 1) + "|",
    ]
    for label, group, name in ROWS:
        figures = [(run.get(group) or {}) if group else run for run in runs]
        cells = [cell(name, figure.get(name), figure) for figure in figures]
        if any(text != "-" for text in cells):
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    if "start" in report:
        lines += ["", start_table(report["start"])]
    return "\n".join([*lines, *(["", report["note"]] if "note" in report else []), ""])


def cell(name: str, figure: Any, beside: dict[str, Any]) -> str:
    """A figure as the tables show it; a dash where it was not measured."""
    if figure is None:
        return "-"
    if isinstance(figure, dict):
        keys = [key for key in ("median", "p95", "p99") if key in figure]
        return " / ".join(f"{figure[key]:.2f}" for key in keys)
    if name == "content_fps":
        return f"{figure:.1f} of {beside['wanted_content_fps']:g}"
    return f"{figure:,.0f}" if name in WHOLE else f"{figure:.{DECIMALS.get(name, 2)}f}"


def start_table(start: dict[str, dict[str, list[float]]]) -> str:
    """Seconds from the start of the program to what is seen, for each kind of start."""
    events = list(dict.fromkeys(event for kind in start.values() for event in kind))
    lines = ["| start | " + " | ".join(f"{event}, s" for event in events) + " |"]
    lines.append("|---" * (len(events) + 1) + "|")
    for kind, found in start.items():
        cells = [span(found.get(event, [])) for event in events]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def span(seconds: list[float]) -> str:
    """The median of several starts, and their range."""
    if not seconds:
        return "-"
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


def make_pictures() -> None:
    """Photograph the real window on the bundled scene (`scripts/screenshots.py`)."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        script = str(ROOT / "scripts" / "screenshots.py")
        subprocess.run([sys.executable, script, folder], check=True)
        for name in PICTURES_OF_GUIDE:
            with Image.open(Path(folder) / f"{name}.png") as picture:
                height = round(PICTURE_WIDTH_PX * picture.height / picture.width)
                small = picture.convert("RGB").resize((PICTURE_WIDTH_PX, height))
                small.save(PICTURES / f"{name}.jpg", quality=JPEG_QUALITY, optimize=True)


def make_film_pictures() -> None:
    """Photograph the real window while a film is made (`scripts/film_pictures.py`)."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "film_pictures.py")], check=True)


TASKS: dict[str, Callable[[], object]] = {
    "keys": lambda: PLAY_PAGE.write_text(with_keys(PLAY_PAGE.read_text("utf-8")), "utf-8"),
    "performance": lambda: PERFORMANCE_PAGE.write_text(performance_page(), "utf-8"),
    "pictures": make_pictures,
    "film": make_film_pictures,
}


def main() -> int:
    """Run the tasks that are named; returns the exit status."""
    names = sys.argv[1:]
    if not names or not set(names) <= set(TASKS):
        print(__doc__, file=sys.stderr)
        return 2
    for name in names:
        TASKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
