"""Settings that the window remembers between runs. Owner: the GUI thread."""

from __future__ import annotations

import json
from pathlib import Path

from platformdirs import user_data_path
from PySide6.QtCore import QByteArray, QSettings
from streamstgs.app.player.camera.scene_view import SceneView
from streamstgs.app.ui.scene_positions import ScenePositions
from streamstgs.app.ui.theme import ThemeChoice
from streamstgs.codec.streaming.address import without_password

APPLICATION_NAME = "StreamSTGS Player"
RECENT_MAX = 10
VIEWS_MAX = 200
_BEST_QP, _WORST_QP = 0, 63


class Preferences:
    """Typed access to the settings store; a damaged value reads as its default."""

    def __init__(self, store: QSettings | None = None) -> None:
        self._store = store or QSettings(APPLICATION_NAME, APPLICATION_NAME)

    def flag(self, key: str, default: bool) -> bool:
        return str(self._store.value(key, default)).lower() in ("true", "1")

    def number(self, key: str, default: float, low: float, high: float) -> float:
        try:
            value = float(str(self._store.value(key, default)))
        except ValueError:
            return default
        return value if low <= value <= high else default

    def text(self, key: str, default: str) -> str:
        return str(self._store.value(key, default))

    def set(self, key: str, value: bool | float | str) -> None:
        self._store.setValue(key, value)

    @property
    def positions(self) -> ScenePositions:
        """Where long scenes were left."""
        return ScenePositions(self._store)

    @property
    def film_folder(self) -> Path:
        """Where the films of scenes are kept: beside a settings file, else with the user's data."""
        if self._store.format() is QSettings.Format.IniFormat:
            return Path(self._store.fileName()).parent / "films"
        return user_data_path(APPLICATION_NAME, appauthor=False) / "films"

    @property
    def ui_scale(self) -> float:
        """The size of texts and controls; 1 is normal."""
        return self.number("ui_scale", 1.0, 1.0, 3.0)

    @property
    def geometry(self) -> QByteArray | None:
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("window/geometry", value)

    @property
    def theme(self) -> ThemeChoice:
        try:
            return ThemeChoice(self.text("theme", ThemeChoice.SYSTEM.value))
        except ValueError:
            return ThemeChoice.SYSTEM

    @property
    def quality_qp(self) -> int | None:
        """The QP of the quality that was chosen by hand; None is automatic."""
        value = self.number("quality_qp", -1.0, _BEST_QP, _WORST_QP)
        return round(value) if value >= _BEST_QP else None

    @quality_qp.setter
    def quality_qp(self, qp: int | None) -> None:
        self._store.setValue("quality_qp", "auto" if qp is None else qp)

    @property
    def speed(self) -> float:
        """Content seconds per second that scenes start with."""
        return self.number("speed", 1.0, 0.1, 8.0)

    @property
    def smooth(self) -> bool:
        """Whether slow motion shows moments between two frames."""
        return self.flag("smooth", True)

    @property
    def loop(self) -> bool:
        """Whether scenes start again at their end."""
        return self.flag("loop", True)

    @property
    def recent(self) -> list[str]:
        """Locations that were opened, the newest first, without passwords."""
        value = self._store.value("recent", [])
        places = value if isinstance(value, list) else [value]
        return [without_password(str(place)) for place in places if place][:RECENT_MAX]

    def remember(self, location: str) -> None:
        """Put a location first in `recent`."""
        location = without_password(location)
        places = [location, *(place for place in self.recent if place != location)]
        self._store.setValue("recent", places[:RECENT_MAX])

    def load_view(self, location: str) -> SceneView:
        """As of `SceneViewStore`."""
        return SceneView.of_json(self._views().get(without_password(location), "{}"))

    def save_view(self, location: str, view: SceneView) -> None:
        """As of `SceneViewStore`; the views of the last scenes are kept."""
        views, key = self._views(), without_password(location)
        views.pop(key, None)
        if view != SceneView():
            views[key] = view.to_json()
        self._store.setValue("views", json.dumps(dict(list(views.items())[-VIEWS_MAX:])))

    def _views(self) -> dict[str, str]:
        try:
            found = json.loads(self.text("views", "{}"))
        except (ValueError, RecursionError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def flush(self) -> None:
        """Write everything to the disk now."""
        self._store.sync()
