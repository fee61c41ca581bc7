"""The controls of a comparison over the picture: what, how, PSNR, and the handle of the split."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.fields import Choice
from streamstgs.app.ui.panel.quality_names import quality_names
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card
from streamstgs.app.ui.viewport.viewport import Viewport

LAYOUTS = {
    "split": mark("Split"),
    "side": mark("Side by side"),
    "difference": mark("Difference (x 4)"),
}
_HANDLE_PX = 24
_KEY_STEP = 0.02
_KEYS = {Qt.Key.Key_Left: -_KEY_STEP, Qt.Key.Key_Right: _KEY_STEP}


class CompareBar(QWidget):
    """Lies at the upper edge of a viewport while something is compared. Owner: the GUI thread.

    Args:
        model: Its comparison is shown and changed.
        viewport: The parent.
    """

    end_wanted = Signal()

    def __init__(self, model: ViewerModel, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._model, self._viewport = model, viewport
        self.setStyleSheet(OVERLAY_STYLE)
        self.layouts, self.others = Choice(), Choice()
        self.psnr = QLabel()
        self.handle = SplitHandle(model, viewport)
        self._lay_out()
        viewport.installEventFilter(self)
        viewport.top_edge.add(self)
        model.comparison.measured.connect(self._show_psnr)
        self.hide()

    def _lay_out(self) -> None:
        for layout, name in LAYOUTS.items():
            self.layouts.addItem(tr(name), layout)
        self.layouts.setAccessibleName(tr("Layout of the comparison"))
        self.others.setAccessibleName(tr("Compared with"))
        self.layouts.activated.connect(
            lambda _: setattr(self._model.comparison, "layout", self.layouts.currentData())
        )
        self.others.activated.connect(lambda _: self._choose_other())
        end = QPushButton(tr("End"))
        end.setAccessibleName(tr("End the comparison"))
        end.setAutoDefault(False)
        end.clicked.connect(self.end_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(theme.GRID_PX)
        for widget in (self.layouts, self.others, self.psnr, end):
            row.addWidget(widget)

    def refresh(self) -> None:
        """Show the comparison as it is; hide everything without one."""
        comparison = self._model.comparison
        self.setVisible(comparison.active)
        self.handle.setVisible(comparison.active and comparison.layout == "split")
        if not comparison.active:
            self.psnr.clear()
            return
        self.layouts.setCurrentIndex(self.layouts.findData(comparison.layout))
        self._fill_others()
        self._place()
        self.raise_()

    def _fill_others(self) -> None:
        """Offer the qualities of the scene, or the cameras of the capture."""
        comparison, available = self._model.comparison, self._model.quality.available
        self.others.clear()
        if comparison.quality is not None:
            for quality, name in zip(available, quality_names(len(available)), strict=True):
                self.others.addItem(name, quality)
            self.others.setCurrentIndex(comparison.quality.index)
        elif comparison.cameras:
            for name in comparison.cameras:
                self.others.addItem(name, name)
            self.others.setCurrentText(comparison.label)
        else:
            self.others.addItem(comparison.label.rstrip("/").rpartition("/")[2], None)
        self.others.setEnabled(self.others.count() > 1)

    def _choose_other(self) -> None:
        comparison, chosen = self._model.comparison, self.others.currentData()
        if comparison.quality is not None:
            comparison.with_quality(chosen)
        elif comparison.cameras:
            comparison.with_camera(chosen)

    def _show_psnr(self, psnr_db: float) -> None:
        self.psnr.setText(tr("PSNR {decibels:.1f} dB", decibels=psnr_db))
        self._place()

    def _place(self) -> None:
        self.adjustSize()
        self._viewport.top_edge.place()
        self.handle.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the viewport."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # the camera stays

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)


class SplitHandle(QWidget):
    """The line between both sides: drag it, or move it with Left and Right while it has the focus.

    Args:
        model: Its comparison knows where the line is.
        viewport: The parent.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._model, self._viewport = model, viewport
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Split of the comparison"))
        self.hide()

    def place(self) -> None:
        """Follow the split and the size of the viewport."""
        x = round(self._model.comparison.share * self._viewport.width())
        self.setGeometry(x - _HANDLE_PX // 2, 0, _HANDLE_PX, self._viewport.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            x = self.mapToParent(event.position().toPoint()).x()
            self._model.comparison.share = x / max(self._viewport.width(), 1)

    def event(self, event: QEvent) -> bool:
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._model.comparison.share += step

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.width() // 2
        painter.fillRect(middle - 1, 0, 2, self.height(), QColor(theme.OVERLAY_TEXT))
        colour = theme.DARK.accent if self.hasFocus() else theme.OVERLAY_TEXT
        painter.setBrush(QColor(colour))
        painter.setPen(QColor(theme.DARK.window))
        painter.drawEllipse(middle - 6, self.height() // 2 - 6, 12, 12)
