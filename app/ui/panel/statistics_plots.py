"""Plots of the last two minutes: frame times, bitrates, buffer, quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from streamstgs.app.player.measuring.history import LENGTH_S, Sample
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.quality_names import bitrate_text, quality_names

T = TypeVar("T")
_PLOT_PX = 40
_GAP_PX = 8
_GAP_S = 1.0  # a line is interrupted where no sample is for so long


@dataclass(frozen=True)
class Line:
    """One line of a plot: where its values come from, and whether it is the main one."""

    value: Callable[[Sample], float | None]
    main: bool = True


@dataclass(frozen=True)
class Plot:
    """One plot: its title, lines, text of the newest values, and least height of the axis."""

    title: str
    lines: tuple[Line, ...]
    newest: str
    least: float


class StatisticsPlots(QWidget):
    """Draws samples. The tooltip over the last plot says why a segment was fetched."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: tuple[Sample, ...] = ()
        self._qualities = 0
        self._plots: tuple[Plot, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Measurements of the last two minutes"))
        self.show_samples((), 0)

    def sizeHint(self) -> QSize:
        return QSize(220, len(self._plots) * self._pitch_px())

    def show_samples(self, samples: Sequence[Sample], qualities: int) -> None:
        """Show samples, the oldest first.

        Args:
            qualities: How many qualities the scene has.
        """
        self._samples, self._qualities = tuple(samples), qualities
        self._plots = plots_of(self._samples, qualities)
        self.setAccessibleDescription(
            "; ".join(f"{plot.title}: {plot.newest}" for plot in self._plots)
        )
        self.update()

    def sample_at(self, x: float) -> Sample | None:
        """The sample under a place of the widget; None before the first one."""
        if not self._samples:
            return None
        time_s = self._samples[-1].time_s - LENGTH_S * (1.0 - x / max(self.width(), 1))
        return min(self._samples, key=lambda sample: abs(sample.time_s - time_s))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            sample = self.sample_at(event.pos().x())
            if sample is not None and sample.reason:
                QToolTip.showText(event.globalPos(), sample.reason, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetrics(self.font())
        for number, plot in enumerate(self._plots):
            top = number * self._pitch_px()
            row = QRectF(0, top, self.width(), metrics.height())
            painter.setPen(QColor(look.muted))
            painter.drawText(row, Qt.AlignmentFlag.AlignLeft, plot.title)
            painter.setPen(QColor(look.text))
            painter.drawText(row, Qt.AlignmentFlag.AlignRight, plot.newest)
            self._draw(painter, plot, QRectF(0, top + metrics.height() + 2, self.width(), _PLOT_PX))

    def _draw(self, painter: QPainter, plot: Plot, place: QRectF) -> None:
        look = theme.current()
        painter.fillRect(place, QColor(look.raised))
        values = [v for s in self._samples for one in plot.lines if (v := one.value(s)) is not None]
        top = max([plot.least, *values]) * 1.05
        for line in sorted(plot.lines, key=lambda line: line.main):
            painter.setPen(QPen(QColor(look.accent if line.main else look.muted), 1.5))
            for points in self._strokes(line, place, top):
                painter.drawPolyline(QPolygonF(points))

    def _strokes(self, line: Line, place: QRectF, top: float) -> list[list[QPointF]]:
        """The parts of a line between interruptions."""
        strokes: list[list[QPointF]] = []
        last_s = -_GAP_S
        for sample in self._samples:
            value = line.value(sample)
            if value is None:
                continue
            if sample.time_s - last_s > _GAP_S or not strokes:
                strokes.append([])
            last_s = sample.time_s
            age = (self._samples[-1].time_s - sample.time_s) / LENGTH_S
            x = place.right() - age * place.width()
            strokes[-1].append(QPointF(x, place.bottom() - value / top * place.height()))
        return strokes

    def _pitch_px(self) -> int:
        return QFontMetrics(self.font()).height() + _PLOT_PX + _GAP_PX + 2


def plots_of(samples: Sequence[Sample], qualities: int) -> tuple[Plot, ...]:
    """The plots of some samples, with the texts of their newest values."""
    times = newest(samples, lambda sample: sample.frame_ms)
    rate = newest(samples, lambda sample: sample.bitrate_bps)
    network = newest(samples, lambda sample: sample.throughput_bps)
    ahead = newest(samples, lambda sample: sample.ahead_s)
    quality = newest(samples, lambda sample: sample.quality)
    dash = "\N{EN DASH}"
    names = quality_names(qualities)
    return (
        Plot(
            tr("Image every"),
            (
                Line(lambda s: s.frame_ms and s.frame_ms[0]),
                Line(lambda s: s.frame_ms and s.frame_ms[1], main=False),
            ),
            dash
            if times is None
            else tr("{median:.0f} ms, 95 %: {slow:.0f} ms", median=times[0], slow=times[1]),
            40.0,
        ),
        Plot(
            tr("Bitrate and network"),
            (Line(lambda s: s.bitrate_bps), Line(lambda s: s.throughput_bps, main=False)),
            " / ".join(dash if value is None else bitrate_text(value) for value in (rate, network)),
            1e5,
        ),
        Plot(
            tr("Loaded ahead"),
            (Line(lambda s: s.ahead_s),),
            dash if ahead is None else f"{ahead:.1f} s",
            2.0,
        ),
        Plot(
            tr("Quality"),
            (Line(lambda s: None if s.quality is None else s.quality + 0.5),),
            names[quality] if quality is not None and quality < len(names) else dash,
            max(qualities, 1),
        ),
    )


def newest(samples: Sequence[Sample], value: Callable[[Sample], T | None]) -> T | None:
    """The newest value that was measured."""
    return next((v for s in reversed(samples) if (v := value(s)) is not None), None)
