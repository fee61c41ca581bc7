"""Keys of the fly mode: W A S D, Q E and Shift, while the picture has the focus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from streamstgs.app.player.camera.moves.fly import FlyKey
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.viewport.viewport import Viewport

KEYS = {
    Qt.Key.Key_W: FlyKey.FORWARD,
    Qt.Key.Key_S: FlyKey.BACK,
    Qt.Key.Key_A: FlyKey.LEFT,
    Qt.Key.Key_D: FlyKey.RIGHT,
    Qt.Key.Key_E: FlyKey.UP,
    Qt.Key.Key_Q: FlyKey.DOWN,
}
_OTHERS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class FlyKeys(QObject):
    """Passes held keys on to the model; other commands with these keys rest in fly mode.

    Owner: the GUI thread.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._camera, self._fly, self._viewport = model.camera, model.fly, viewport
        model.camera.fly_mode_changed.connect(self._mode_changed)

    def _mode_changed(self, flies: bool) -> None:
        """Listen to keys in fly mode only."""
        self._fly.stop()
        if flies:
            self._viewport.installEventFilter(self)
            self._viewport.setFocus()
        else:
            self._viewport.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of flying; the commands that share them do not get them."""
        kind = event.type()
        if kind in (QEvent.Type.FocusOut, QEvent.Type.WindowDeactivate):
            self._fly.stop()  # the release of a key goes elsewhere
            return False
        if not isinstance(event, QKeyEvent):
            return False
        if event.key() == Qt.Key.Key_Shift:
            self._fly.fast = kind != QEvent.Type.KeyRelease
            return False
        direction = KEYS.get(Qt.Key(event.key()))
        if direction is None or event.modifiers() & _OTHERS:
            return False
        if kind == QEvent.Type.ShortcutOverride:
            event.accept()
        elif kind == QEvent.Type.KeyPress:
            self._fly.press(direction)
        elif kind == QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._fly.release(direction)
        return True
