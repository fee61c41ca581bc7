"""How a viewer draws: mode, background, resolution, exposure, splat size and crop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from streamstgs.app.player.rendering.stereo_layouts import (
    EYE_DISTANCE_LIMITS,
    STEREO_LAYOUTS,
    USUAL_EYE_DISTANCE,
    StereoLayout,
    mono_point,
)
from streamstgs.app.player.rendering.view_settings import Box, Look

if TYPE_CHECKING:  # it loads torch, and a window has its options before that
    from streamstgs.renderer import Camera

SCALE_MIN = 0.1


class RenderOptions:
    """Options that a person changes while looking. Owner: the thread of the viewer model.

    Every change emits `changed`.

    Example:
        viewer.options.background = "#204060"
        viewer.options.mode = "depth"
    """

    changed = Signal()

    def __init__(self) -> None:
        self._look = Look()
        self._scale: float | None = None
        self._stereo: StereoLayout = "off"
        self._eye_distance = USUAL_EYE_DISTANCE

    @property
    def look(self) -> Look:
        """Mode, exposure, splat size, crop and background as one value."""
        return self._look

    @look.setter
    def look(self, look: Look) -> None:
        if not isinstance(look, Look):
            raise TypeError(f"{look!r} is no Look")
        self._look = look
        self.changed.emit()

    def _change(self, **values: Any) -> None:
        self.look = replace(self._look, **values)

    @property
    def mode(self) -> str:
        """What is shown: "color", "alpha", "depth" and others, as of `ViewSettings.mode`."""
        return self._look.mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._change(mode=mode)

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
        return self._look.exposure

    @exposure.setter
    def exposure(self, stops: float) -> None:
        self._change(exposure=stops)

    @property
    def splat_scale(self) -> float:
        """Size of the Gaussians, times their own, 0.05 .. 4."""
        return self._look.splat_scale

    @splat_scale.setter
    def splat_scale(self, scale: float) -> None:
        self._change(splat_scale=scale)

    @property
    def crop(self) -> Box | None:
        """The corners (lowest, highest) of the box outside of which nothing is shown, or None."""
        return self._look.crop

    @crop.setter
    def crop(self, crop: Box | None) -> None:
        self._change(crop=crop)

    @property
    def background(self) -> str:
        """The color behind the scene: "scene" (as the scene says), "black", "white" or #rrggbb."""
        return self._look.background

    @background.setter
    def background(self, name: str) -> None:
        self._change(background=name)

    def reset(self) -> None:
        """Show the scene in its own colours and as a whole; background and resolution stay."""
        self.look = Look(background=self.background)

    @property
    def is_plain(self) -> bool:
        """Whether the scene is shown in its own colours, as its poster is."""
        return self._look.is_plain

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
