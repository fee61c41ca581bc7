"""How a viewer draws: mode, background, resolution, exposure, splat size and crop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.rendering.stereo_layouts import (
    EYE_DISTANCE_LIMITS,
    STEREO_LAYOUTS,
    USUAL_EYE_DISTANCE,
    StereoLayout,
    mono_point,
)
from streamstgs.app.player.rendering.view_settings import (
    EXPOSURE_LIMITS,
    SPLAT_SCALE_LIMITS,
    VIEW_MODES,
    Point,
    ViewMode,
    ViewSettings,
)
from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:  # it loads torch, and a window has its options before that
    from streamstgs.renderer import Camera

BACKGROUNDS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}
SCENE_BACKGROUND = "scene"
SCALE_MIN = 0.1
Color = tuple[float, float, float]
Box = tuple[Point, Point]


class RenderOptions:
    """Options that a person changes while looking. Owner: the thread of the viewer model.

    Every change emits `changed`.

    Example:
        viewer.options.background = "#204060"
        viewer.options.mode = "depth"
    """

    changed = Signal()

    def __init__(self) -> None:
        self._background = SCENE_BACKGROUND
        self._scale: float | None = None
        self._mode: ViewMode = "color"
        self._exposure = 0.0
        self._splat_scale = 1.0
        self._crop: Box | None = None
        self._stereo: StereoLayout = "off"
        self._eye_distance = USUAL_EYE_DISTANCE

    @property
    def mode(self) -> str:
        """What is shown: "color", "alpha", "depth" and others, as of `ViewSettings.mode`."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        known = [one for one in VIEW_MODES if one == mode]
        if not known:
            raise ValueError(f"There is no mode {mode!r}; choose one of {', '.join(VIEW_MODES)}.")
        self._mode = known[0]
        self.changed.emit()

    @property
    def stereo(self) -> str:
        """Two pictures for 3D displays: "off", "side-by-side", "top-bottom" (both squeezed to half
        of their size), or "side-by-side-full" for headsets that a window feeds.
        """
        return self._stereo

    @stereo.setter
    def stereo(self, layout: str) -> None:
        known = [one for one in STEREO_LAYOUTS if one == layout]
        if not known:
            names = ", ".join(STEREO_LAYOUTS)
            raise ValueError(f"There is no stereo layout {layout!r}; choose one of {names}.")
        self._stereo = known[0]
        self.changed.emit()

    @property
    def eye_distance(self) -> float:
        """Between the eyes of a stereo picture, relative to the distance of the camera's target."""
        return self._eye_distance

    @eye_distance.setter
    def eye_distance(self, distance: float) -> None:
        low, high = EYE_DISTANCE_LIMITS
        if not low <= distance <= high:
            raise ValueError(f"The eye distance {distance} is not within {low:g} .. {high:g}.")
        self._eye_distance = distance
        self.changed.emit()

    @property
    def eyes(self) -> tuple[str, float]:
        """Stereo layout and eye distance; they change a picture, and no setting of a renderer."""
        return self._stereo, self._eye_distance

    def mono_point(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """The point of the view between the eyes that a point of the shown picture belongs to."""
        return mono_point(x, y, width, height, self._stereo)

    def picture_camera(self, camera: Camera, convergence: float) -> Camera:
        """The camera of the picture that is shown: the given one, or one with two eyes."""
        if self._stereo == "off":
            return camera
        from streamstgs.app.player.rendering.stereo import stereo_camera

        return stereo_camera(camera, self._stereo, self._eye_distance, convergence)

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

    @property
    def splat_scale(self) -> float:
        """Size of the Gaussians, times their own, 0.05 .. 4."""
        return self._splat_scale

    @splat_scale.setter
    def splat_scale(self, scale: float) -> None:
        low, high = SPLAT_SCALE_LIMITS
        if not low <= scale <= high:
            raise ValueError(f"The splat size {scale} is not within {low:g} .. {high:g}.")
        self._splat_scale = scale
        self.changed.emit()

    @property
    def crop(self) -> Box | None:
        """The corners (lowest, highest) of the box outside of which nothing is shown, or None."""
        return self._crop

    @crop.setter
    def crop(self, crop: Box | None) -> None:
        if crop is not None and not all(low < high for low, high in zip(*crop, strict=True)):
            raise ValueError("The second corner of the box is not above the first in x, y and z.")
        self._crop = crop
        self.changed.emit()

    def reset(self) -> None:
        """Show the scene in its own colours and as a whole; background and resolution stay."""
        self._mode, self._exposure = "color", 0.0
        self._splat_scale, self._crop = 1.0, None
        self.changed.emit()

    @property
    def is_plain(self) -> bool:
        """Whether the scene is shown in its own colours, as its poster is."""
        return self._background == SCENE_BACKGROUND and self._is_unchanged

    @property
    def background(self) -> str:
        """The color behind the scene: "scene" (as the scene says), "black", "white" or #rrggbb."""
        return self._background

    @background.setter
    def background(self, name: str) -> None:
        if name != SCENE_BACKGROUND and name not in BACKGROUNDS and _color(name) is None:
            known = ", ".join([SCENE_BACKGROUND, *BACKGROUNDS])
            raise ValueError(f"There is no background {name!r}; choose {known} or #rrggbb.")
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

    @property
    def _is_unchanged(self) -> bool:
        own = self._mode == "color" and self._exposure == 0.0
        return own and self._splat_scale == 1.0 and self._crop is None

    def settings(
        self,
        background: Color,
        near: float,
        depth_center: float,
        depth_spread: float,
        fps: float = 30.0,
    ) -> RenderSettings:
        """The renderer's settings for a scene with this background and near plane.

        Args:
            depth_center, depth_spread, fps: As of `ViewSettings`.
        """
        background = BACKGROUNDS.get(self._background) or _color(self._background) or background
        if self._is_unchanged:
            return RenderSettings(background, near)
        return ViewSettings(
            background,
            near,
            self._mode,
            self._exposure,
            depth_center,
            depth_spread,
            fps,
            self._splat_scale,
            self._crop,
        )


def _color(text: str) -> Color | None:
    """The colour of #rrggbb, 0..1; None if the text is none."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    red, green, blue = (int(text[place : place + 2], 16) / 255.0 for place in (1, 3, 5))
    return (red, green, blue)
