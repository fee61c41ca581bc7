"""Commands of the camera."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QGuiApplication
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.panel.camera_clipboard import camera_from_json, camera_json
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.app.ui.viewport.viewport import Viewport

_DOUBLE_KEY_S = 0.4
_KEY_ORBIT_PX = 40.0
_KEY_ROLL_RAD = math.radians(5.0)
PRESET_KEYS = 9


class CameraActions:
    """Passes commands on to the camera of the model.

    Args:
        model: Its camera is moved.
        viewport: Gives the size that key steps are relative to.
        toast: Confirms copying and refuses a clipboard without a camera.
        toggle_full_screen: Called when the key of `frame_all` is pressed twice.
    """

    def __init__(
        self,
        model: ViewerModel,
        viewport: Viewport,
        toast: Toast,
        toggle_full_screen: Callable[[], None],
    ) -> None:
        self._model, self._camera = model, model.camera
        self._viewport, self._toast = viewport, toast
        self._toggle_full_screen = toggle_full_screen
        self._last_frame_all_s = 0.0
        self._preset = 0  # the named view that `step_preset` went to last

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        handlers: dict[str, Callable[[], object]] = {
            "frame_all": self._frame_all,
            "reset_camera": self._camera.reset,
            "filmed_side": self._camera.go_to_filmed_side,
            "free_flight": self._toggle_free_flight,
            "fly": self._toggle_fly_mode,
            "copy_camera": self._copy,
            "paste_camera": self._paste,
            "orbit_left": lambda: self._orbit(_KEY_ORBIT_PX, 0),
            "orbit_right": lambda: self._orbit(-_KEY_ORBIT_PX, 0),
            "orbit_up": lambda: self._orbit(0, _KEY_ORBIT_PX),
            "orbit_down": lambda: self._orbit(0, -_KEY_ORBIT_PX),
            "roll_left": lambda: self._camera.roll_by(_KEY_ROLL_RAD),
            "roll_right": lambda: self._camera.roll_by(-_KEY_ROLL_RAD),
            "dolly_in": lambda: self._camera.dolly(1),
            "dolly_out": lambda: self._camera.dolly(-1),
        }
        for number in range(PRESET_KEYS):
            handlers[f"preset_{number + 1}"] = partial(self._model.go_to_preset, number)
        return handlers

    def _orbit(self, dx_px: float, dy_px: float) -> None:
        self._camera.orbit(dx_px, dy_px, (self._viewport.width(), self._viewport.height()))

    def _toggle_fly_mode(self) -> None:
        self._camera.flies = not self._camera.flies

    def _toggle_free_flight(self) -> None:
        self._camera.free_flight = not self._camera.free_flight

    def _frame_all(self) -> None:
        now_s = time.monotonic()
        if now_s - self._last_frame_all_s < _DOUBLE_KEY_S:
            self._toggle_full_screen()
        self._last_frame_all_s = now_s
        self._camera.frame_all()

    def step_preset(self, steps: int) -> None:
        """Go to the next named view of the scene (1) or the one before (-1), in a ring."""
        count = len(self._model.presets)
        if count:
            self._preset = (self._preset + steps) % count
            self._model.go_to_preset(self._preset)

    def _copy(self) -> None:
        if self._camera.available:
            QGuiApplication.clipboard().setText(camera_json(self._camera))
            self._toast.notify(tr("The camera is on the clipboard."))

    def _paste(self) -> None:
        if not self._camera.available:
            return
        try:
            position, target, up, fov_y_rad = camera_from_json(QGuiApplication.clipboard().text())
        except ValueError:
            self._toast.warn(tr("The clipboard holds no camera. Copy one first with Ctrl+Shift+C."))
            return
        if up is None:
            self._camera.look_from(position, target, fov_y_rad)
        else:
            self._camera.look_from_up(position, target, up, fov_y_rad)
