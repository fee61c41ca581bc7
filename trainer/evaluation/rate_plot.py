"""PSNR over bytes per frame as a picture, one panel for held-out and one for training cameras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw, ImageFont
from streamstgs.codec.output import output_file
from streamstgs.trainer.evaluation.rate_distortion import RatePoint, by_rate, curve_of

PANEL_PX = (560, 400)
MARGIN_PX = (64, 48, 20, 52)  # left, top, right, bottom
FINER = 2  # drawn so many times larger, then scaled down: smooth lines
MEASURES = {"psnr": "", "moving_psnr": ", moving pixels"}
PANELS = {"test": "Held-out cameras", "train": "Training cameras"}
INK, GREY, GRID = (30, 30, 34), (100, 100, 108), (224, 224, 228)
CURVE_COLORS = ((31, 95, 191), (200, 84, 20), (20, 130, 80), (140, 60, 150))
Anchor = Literal["mm", "mt", "rm", "lm", "lb"]


@dataclass(frozen=True)
class Axis:
    """From values to pixels; `low` is at `start_px`."""

    low: float
    high: float
    start_px: float
    end_px: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start_px + share * (self.end_px - self.start_px)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values (1, 2 or 5 times a power of ten apart) within the axis."""
        rough = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


def write_rate_plot(path: Path, evaluations: Sequence[dict[str, Any]]) -> None:
    """Draw the curves of a few evaluations (figures of `evaluate`) into a PNG."""
    panels = [s for s in PANELS if any(curve_of(figures, s) for figures in evaluations)]
    width, height = PANEL_PX
    picture = Image.new("RGB", (width * len(panels) * FINER, height * FINER), "white")
    for k, split in enumerate(panels):
        panel = Panel(picture, k * width, split, evaluations)
        panel.draw()
    with output_file(path) as partial:
        picture.resize((width * len(panels), height), Image.Resampling.LANCZOS).save(partial)


class Panel:
    """The curves of one split."""

    def __init__(
        self, picture: Image.Image, left_px: int, split: str, evaluations: Sequence[dict[str, Any]]
    ) -> None:
        self._pen = ImageDraw.Draw(picture)
        self._left, self._title = left_px, PANELS[split]
        self._curves = [
            (name + said, by_rate(curve_of(figures, split, measure)))
            for name, figures in zip(_names(evaluations), evaluations, strict=True)
            for measure, said in MEASURES.items()
            if curve_of(figures, split, measure)
        ]
        points = [point for _, curve in self._curves for point in curve]
        left, top, right, bottom = MARGIN_PX
        self._x = Axis(
            0.0,
            1.08 * max(p.bytes_per_frame for p in points) / 1000,
            left_px + left,
            left_px + PANEL_PX[0] - right,
        )
        lowest, highest = min(p.psnr for p in points), max(p.psnr for p in points)
        spare = max(0.15 * (highest - lowest), 0.1)
        self._y = Axis(lowest - spare, highest + spare, PANEL_PX[1] - bottom, top)

    def draw(self) -> None:
        self._draw_axes()
        for k, (_, curve) in enumerate(self._curves):
            self._draw_curve(curve, CURVE_COLORS[k % len(CURVE_COLORS)])
        self._draw_legend()

    def _draw_axes(self) -> None:
        for tick in self._x.ticks():
            x = self._x.place(tick)
            self._line([(x, self._y.start_px), (x, self._y.end_px)], GRID)
            self._text((x, self._y.start_px + 6), f"{tick:g}", "mt", GREY)
        for tick in self._y.ticks():
            y = self._y.place(tick)
            self._line([(self._x.start_px, y), (self._x.end_px, y)], GRID)
            self._text((self._x.start_px - 8, y), f"{round(tick, 6):g}", "rm", GREY)
        middle = (self._x.start_px + self._x.end_px) / 2
        self._text((middle, PANEL_PX[1] - 26), "kB per frame, all parts", "mt", INK)
        self._text((self._left + 12, 30), "PSNR dB", "lm", GREY)
        self._text((middle, 20), self._title, "mm", INK, size=16)

    def _draw_curve(self, curve: Sequence[RatePoint], color: tuple[int, int, int]) -> None:
        places = [(self._x.place(p.bytes_per_frame / 1000), self._y.place(p.psnr)) for p in curve]
        self._line(places, color, width=2)
        for x, y in places:
            box = [FINER * v for v in (x - 4, y - 4, x + 4, y + 4)]
            self._pen.ellipse(box, fill=color, outline="white", width=FINER)

    def _draw_legend(self) -> None:
        """Names at the bottom right, where a curve that rises to the right leaves room."""
        for k, (name, curve) in enumerate(reversed(self._curves)):
            if curve:
                color = CURVE_COLORS[(len(self._curves) - 1 - k) % len(CURVE_COLORS)]
                place = (self._x.end_px - 6, self._y.start_px - 14 - 20 * k)
                self._text(place, name, "rm", color)

    def _line(
        self, places: Sequence[tuple[float, float]], color: tuple[int, int, int], width: int = 1
    ) -> None:
        scaled = [(FINER * x, FINER * y) for x, y in places]
        self._pen.line(scaled, fill=color, width=FINER * width, joint="curve")

    def _text(
        self,
        place: tuple[float, float],
        text: str,
        anchor: Anchor,
        color: tuple[int, int, int],
        size: int = 13,
    ) -> None:
        font = ImageFont.load_default(size * FINER)
        self._pen.text(
            (FINER * place[0], FINER * place[1]), text, fill=color, font=font, anchor=anchor
        )


def _names(evaluations: Sequence[dict[str, Any]]) -> list[str]:
    """The file of a scene says more than its title, which both curves share; where files have
    the same name, so does the folder."""
    paths = [Path(str(f.get("scene", f"curve {k + 1}"))) for k, f in enumerate(evaluations)]
    files = [path.name for path in paths]
    if len(set(files)) < len(files):
        files = [f"{path.parent.name}/{path.name}" for path in paths]
    return [name[-48:] for name in files]
