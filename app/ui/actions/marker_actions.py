"""Commands of markers and of the repeated part (A-B loop)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget
from streamstgs.app.player.film.markers import NAME_MAX, Marker
from streamstgs.app.player.viewer.transport import Transport
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.actions.file_actions import show_dialog
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.transport.timecode import format_time
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.codec.streaming.address import without_password


class MarkerActions:
    """Edits the markers of the shown scene, and remembers them for the next time.

    Args:
        window: Parent of dialogs and menus; its transport bar shows the markers.
        model: Its markers and its repeated part are edited.
        preferences: Keep the markers of each scene.
        toast: Tells what was done.
    """

    def __init__(
        self, window: QWidget, model: ViewerModel, preferences: Preferences, toast: Toast
    ) -> None:
        self._window, self._model, self._toast = window, model, toast
        self._preferences = preferences
        self._key = ""  # where the markers of the scene are kept
        self._part_start_s: float | None = None  # of a part whose end is still to come
        model.markers.changed.connect(self._keep)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "add_marker": self._add,
            "name_marker": self._ask_for_name,
            "remove_marker": self._remove,
            "marker_before": lambda: self._go(forward=False),
            "marker_after": lambda: self._go(forward=True),
            "ping_pong": lambda: self._transport.set_bounces(not self._transport.bounces),
            "part_start": self._start_part,
            "part_end": self._end_part,
            "part_off": self._end_repeating,
        }

    def enter_scene(self, location: str) -> None:
        """Take the markers that were kept for a scene."""
        plain = without_password(location)
        self._key = f"markers/{hashlib.sha256(plain.encode()).hexdigest()[:32]}"
        self._part_start_s = None
        if not self._model.markers.read_json(self._preferences.text(self._key, "[]")):
            self._model.markers.clear()

    def show_menu(self, index: int, place: QPoint) -> None:
        """Show what can be done with a marker.

        Args:
            index: Of the marker.
            place: On the screen.
        """
        menu = QMenu(self._window)
        menu.addAction(tr("Name…")).triggered.connect(partial(self._ask_for_name, index))
        menu.addAction(tr("Remove")).triggered.connect(partial(self._remove, index))
        menu.popup(place)

    @property
    def _transport(self) -> Transport:
        return self._model.transport

    @property
    def _frame_s(self) -> float | None:
        """The time of the frame at the position; None without a scene."""
        status = self._model.status
        return status.frame / status.fps if status is not None and status.fps > 0.0 else None

    def _keep(self) -> None:
        if self._key:
            self._preferences.set(self._key, self._model.markers.to_json())

    # --- markers ----------------------------------------------------------------------------------

    def _add(self) -> None:
        time_s, markers = self._frame_s, self._model.markers
        if time_s is None or markers.at(time_s) is not None:
            return
        taken = {marker.name for marker in markers}
        names = (tr("Marker {number}", number=n) for n in range(1, len(markers) + 2))
        name = next(name for name in names if name not in taken)
        markers.add(Marker(time_s, name))
        where = format_time(time_s)
        self._toast.notify(tr("{name} at {time}. Shift+M names it.", name=name, time=where))

    def _here(self, index: int | None) -> int | None:
        """The index of a marker: the given one, else the one at the position."""
        time_s = self._frame_s
        if index is None and time_s is not None:
            index = self._model.markers.at(time_s)
        if index is None or index >= len(self._model.markers):
            self._toast.notify(tr("There is no marker at this frame. M adds one."))
            return None
        return index

    def _ask_for_name(self, index: int | None = None, *_: object) -> None:
        place = self._here(index)
        if place is None:
            return
        marker = self._model.markers[place]
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("Name marker"))
        dialog.setLabelText(tr("Name of the marker at {time}", time=format_time(marker.time_s)))
        dialog.setTextValue(marker.name)
        dialog.textValueSelected.connect(lambda text: self._name(marker, text))
        show_dialog(dialog)

    def _name(self, marker: Marker, name: str) -> None:
        self._model.markers.add(Marker(marker.time_s, name.strip()[:NAME_MAX]))

    def _remove(self, index: int | None = None, *_: object) -> None:
        place = self._here(index)
        if place is not None:
            self._model.markers.remove(place)

    def _go(self, forward: bool) -> None:
        time_s, markers = self._frame_s, self._model.markers
        if time_s is None:
            return
        goal = markers.after(time_s) if forward else markers.before(time_s)
        if goal is not None:
            self._transport.seek(goal.time_s)
        elif forward:
            self._toast.notify(tr("There is no marker after this frame. M adds one."))
        else:
            self._toast.notify(tr("There is no marker before this frame. M adds one."))

    # --- the repeated part ------------------------------------------------------------------------

    def _start_part(self) -> None:
        time_s, part_s = self._frame_s, self._transport.part_s
        if time_s is None:
            return
        self._part_start_s = time_s
        if part_s is not None and time_s < part_s[1]:
            self._transport.set_part((time_s, part_s[1]))
        start = format_time(time_s)
        self._toast.notify(tr("Repeats from {start}. Shift+B sets the end.", start=start))

    def _end_part(self) -> None:
        status = self._model.status
        if self._frame_s is None or status is None:
            return
        end_s = self._frame_s + 1.0 / status.fps  # this frame is the last of the part
        start_s = self._transport.part_s[0] if self._transport.part_s else self._part_start_s or 0.0
        if start_s >= self._frame_s:
            self._toast.warn(tr("The end of the part is not after its start. Go to a later frame."))
            return
        self._transport.set_part((start_s, end_s))
        start, end = format_time(start_s), format_time(end_s)
        self._toast.notify(
            tr("Repeats {start} to {end}. Shift+Backspace ends it.", start=start, end=end)
        )

    def _end_repeating(self) -> None:
        self._part_start_s = None
        self._transport.set_part(None)
