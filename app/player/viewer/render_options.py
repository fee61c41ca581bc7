"""How a viewer draws: mode, background, resolution and exposure."""

from __future__ import annotations

from psygnal import Signal
from streamstgs.app.player.rendering.view_settings import (
    EXPOSURE_LIMITS,
    VIEW_MODES,
    ViewMode,
    ViewSettings,
)
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
        viewer.options.mode = "depth"
    """

    changed = Signal()

    def __init__(self) -> None:
        self._background = SCENE_BACKGROUND
        self._scale: float | None = None
        self._mode: ViewMode = "color"
        self._exposure = 0.0

    @property
    def mode(self) -> str:
        """What is shown: "color", "alpha" (coverage of the background) or "depth"."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        known = [one for one in VIEW_MODES if one == mode]
        if not known:
            raise ValueError(f"There is no mode {mode!r}; choose one of {', '.join(VIEW_MODES)}.")
        self._mode = known[0]
        self.changed.emit()

    @property
    def exposure(self) -> float:
        """Stops, -4 .. 4; each doubles the brightness of colours."""
        return self._exposure

    @exposure.setter
    def exposure(self, stops: float) -> None:
        low, high = EXPOSURE_LIMITS
        if not low <= stops <= high:
            raise ValueError(f"The exposure {stops} is not within {low:g} .. {high:g} stops.")
        self._exposure = stops
        self.changed.emit()

    def reset(self) -> None:
        """Show the scene in its own colours again; background and resolution stay."""
        self._mode, self._exposure = "color", 0.0
        self.changed.emit()

    @property
    def is_plain(self) -> bool:
        """Whether the scene is shown in its own colours, as its poster is."""
        own = self._background == SCENE_BACKGROUND and self._mode == "color"
        return own and self._exposure == 0.0

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

    def settings(
        self, background: Color, near: float, depth_center: float, depth_spread: float
    ) -> RenderSettings:
        """The renderer's settings for a scene with this background and near plane.

        Args:
            depth_center, depth_spread: As of `ViewSettings`.
        """
        background = BACKGROUNDS.get(self._background, background)
        if self._mode == "color" and self._exposure == 0.0:
            return RenderSettings(background, near)
        return ViewSettings(
            background, near, self._mode, self._exposure, depth_center, depth_spread
        )
