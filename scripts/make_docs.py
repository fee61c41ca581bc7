"""Generates parts of the documentation: `python scripts/make_docs.py keys performance pictures`.

keys          the table of keys in docs/guide/play.md, from the commands of the window
performance   docs/performance.md, from the JSON files in benchmarks/reports/performance
pictures      docs/pictures, from the real window; needs a display (xvfb-run gives one)
film          the pictures of docs/guide/film.md, in the same way
"""

from __future__ import annotations

import json
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
PICTURES_OF_GUIDE = ("window", "panel", "statistics", "booth-attract", "booth-visitor")
PICTURE_WIDTH_PX = 1024
JPEG_QUALITY = 80
ROWS = (
    ("decode ms per frame", "decode_ms_per_frame"),
    ("deform ms", "deform_ms"),
    ("rasterise ms", "raster_ms"),
    ("present ms", "present_ms"),
)
INTRODUCTION = """# Performance

One table for each device. All times are medians in milliseconds while the camera moves. "Content"
is frames of the scene per second, "display" images per second of at most 60. To measure your
machine, run `streamstgs bench SCENE --json figures.json`. `scripts/make_docs.py performance` makes
this page from `benchmarks/reports/performance`.
"""


def with_keys(page: str) -> str:
    """The page with its table of keys replaced by the present one."""
    from streamstgs.app.ui.commands import markdown

    before, _, rest = page.partition(KEYS_BEGIN)
    _, _, after = rest.partition(KEYS_END)
    return f"{before}{KEYS_BEGIN}\n{markdown()}\n{KEYS_END}{after}"


def performance_page() -> str:
    """docs/performance.md, made of all reports."""
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(REPORTS.glob("*.json"))]
    return "\n".join([INTRODUCTION, *map(device_table, reports)])


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
    for label, key in ROWS:
        lines.append(f"| {label} | " + " | ".join(median(run[key]) for run in runs) + " |")
    playing = [run["playback"] for run in runs]
    content = [f"{p['content_fps']:.1f} of {p['wanted_content_fps']:g}" for p in playing]
    lines.append("| content fps | " + " | ".join(content) + " |")
    lines.append("| display fps | " + " | ".join(f"{p['display_fps']:.1f}" for p in playing) + " |")
    return "\n".join([*lines, *(["", report["note"]] if "note" in report else []), ""])


def median(stage: dict[str, float] | None) -> str:
    """A time as the tables show it; a dash where it was not measured."""
    return "-" if stage is None else f"{stage['median']:.2f}"


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
