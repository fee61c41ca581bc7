"""The vertical axis and the opening view of a scene, as a person chose them.

Splat files hardly ever tell either, so a player guesses; what is corrected once is remembered for
the location of the scene.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from psygnal import Signal
from streamstgs.app.player.arguments import FARTHEST
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.framing import FOV_LIMITS_RAD, Vector
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta

OPENING = "Opening view"  # name of the preset
UNIT_LENGTHS = (0.99, 1.01)


@dataclass(frozen=True)
class SceneView:
    """What a person changed of a scene.

    Args:
        up: Unit vector that points up in the world; None for that of the scene.
        opening: Camera that the scene opens with; None for its own.
    """

    up: Vector | None = None
    opening: CameraPreset | None = None

    def applied(self, meta: SceneMeta) -> SceneMeta:
        """The description of a scene with these changes; guessed presets follow the axis."""
        if self.up is not None and self.up != meta.up:
            from streamstgs.codec.formats.guessed_meta import with_up

            meta = with_up(meta, self.up)
        if self.opening is not None:
            meta = replace(meta, presets=(self.opening, *meta.presets))
        return meta

    def to_json(self) -> str:
        """A text that `of_json` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def of_json(text: str) -> SceneView:
        """The view of a text; one without changes if the text is damaged."""
        try:
            found = json.loads(text)
            up, opening = found["up"], found["opening"]
            up = None if up is None else _vector(up)
            if up is not None and not UNIT_LENGTHS[0] < math.hypot(*up) < UNIT_LENGTHS[1]:
                return SceneView()
            return SceneView(up, None if opening is None else _preset(opening))
        except (ValueError, TypeError, KeyError):
            return SceneView()


def _preset(found: dict[str, object]) -> CameraPreset:
    position, target = _vector(found["position"]), _vector(found["target"])
    low, high = FOV_LIMITS_RAD
    fov_y_rad = min(max(float(str(found["fov_y_rad"])), low), high)
    if position == target or not math.isfinite(fov_y_rad):
        raise ValueError("no view")
    return CameraPreset(OPENING, position, target, fov_y_rad)


def _vector(found: object) -> Vector:
    if not isinstance(found, list) or len(found) != 3:
        raise ValueError("no vector")
    x, y, z = (float(value) for value in found)
    if not all(abs(value) <= FARTHEST for value in (x, y, z)):
        raise ValueError("no vector")
    return x, y, z


class SceneViewStore(Protocol):
    """Remembers the views of scenes by location."""

    def load_view(self, location: str) -> SceneView:
        """The view of a scene; one without changes if none was saved."""
        ...

    def save_view(self, location: str, view: SceneView) -> None:
        """Remember the view of a scene."""
        ...


class ViewsInMemory:
    """Implements `SceneViewStore` for as long as the program runs."""

    def __init__(self) -> None:
        self._views: dict[str, SceneView] = {}

    def load_view(self, location: str) -> SceneView:
        """As of `SceneViewStore`."""
        return self._views.get(location, SceneView())

    def save_view(self, location: str, view: SceneView) -> None:
        """As of `SceneViewStore`."""
        self._views[location] = view


class ViewedScene(Protocol):
    """A scene that is shown, such as `viewer.open_scene.OpenScene`."""

    location: str
    view: SceneView

    @property
    def meta(self) -> SceneMeta | None:
        """Facts about the scene, with the changes of `view`; None until it is open."""
        ...


class SceneViewChoice:
    """Changes the view of the shown scene. Owner: the thread of the viewer model.

    Args:
        shown: Returns the shown scene; None without one.
        camera: Its pose becomes the opening view.
        store: Remembers views.
        show_opening: Gives the camera the opening view of the shown scene.
    """

    changed = Signal()  # the shown scene has another axis or other presets

    def __init__(
        self,
        shown: Callable[[], ViewedScene | None],
        camera: CameraController,
        store: SceneViewStore,
        show_opening: Callable[[], None],
    ) -> None:
        self._shown, self._camera, self._store = shown, camera, store
        self._show_opening = show_opening

    @property
    def view(self) -> SceneView:
        """What is changed of the shown scene."""
        scene = self._shown()
        return SceneView() if scene is None else scene.view

    @property
    def up(self) -> Vector | None:
        """The chosen unit vector that points up; None for that of the scene.

        Writing it shows the opening view again.
        """
        return self.view.up

    @up.setter
    def up(self, up: Vector | None) -> None:
        self._change(replace(self.view, up=up), moves=True)

    def keep_opening(self) -> None:
        """Open the scene with the present view of the camera from now on."""
        if self._shown() is not None and self._camera.available:
            view = self._camera.view
            preset = CameraPreset(OPENING, self._camera.position, view.pivot, view.fov_y_rad)
            self._change(replace(self.view, opening=preset), moves=False)

    def forget(self) -> None:
        """Show the scene as it tells by itself, with its own opening view."""
        self._change(SceneView(), moves=True)

    def enter(self, scene: ViewedScene) -> None:
        """Give a scene that is shown from now on what was remembered for it."""
        scene.view = self._store.load_view(scene.location)

    def _change(self, view: SceneView, moves: bool) -> None:
        scene = self._shown()
        if scene is None or view == scene.view:
            return
        scene.view = view
        self._store.save_view(scene.location, view)
        if moves:
            self._show_opening()
        self.changed.emit()
