"""How a viewer draws: mode, background, resolution and exposure."""

from __future__ import annotations

from psygnal import Signal
from streamstgs.renderer import RenderSettings

BACKGROUNDS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}
SCENE_BACKGROUND = "scene"
SCALE_MIN = 0.1
Color = tuple[float, float, float]


class RenderOptions:
    """Options that a person changes while looking. Owner: the thread of the viewer model.

    Every change emits `changed`.

    Example:
        viewer.options.background = "white"
        viewer.options.scale = 0.5
    """

    changed = Signal()

    def __init__(self) -> None:
        self._background = SCENE_BACKGROUND
        self._scale: float | None = None

    @property
    def background(self) -> str:
        """The color behind the scene: "scene" (as the scene says), "black" or "white"."""
        return self._background

    @background.setter
    def background(self, name: str) -> None:
        if name != SCENE_BACKGROUND and name not in BACKGROUNDS:
            known = ", ".join([SCENE_BACKGROUND, *BACKGROUNDS])
            raise ValueError(f"There is no background {name!r}; choose one of {known}.")
        self._background = name
        self.changed.emit()

    @property
    def scale(self) -> float | None:
        """The share of the window's pixels that are rendered, 0.1 .. 1; None adapts it."""
        return self._scale

    @scale.setter
    def scale(self, scale: float | None) -> None:
        if scale is not None and not SCALE_MIN <= scale <= 1.0:
            raise ValueError(f"The scale {scale} is not within {SCALE_MIN} .. 1.")
        self._scale = scale
        self.changed.emit()

    def settings(self, background: Color, near: float) -> RenderSettings:
        """The renderer's settings for a scene with this background and near plane."""
        return RenderSettings(BACKGROUNDS.get(self._background, background), near)
