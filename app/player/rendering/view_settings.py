"""View modes, exposure, splat size, crop and background: what is shown beside the plain scene."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from streamstgs.app.player.arguments import finite, point, within
from streamstgs.app.player.errors import ArgumentError
from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:  # they load torch, and a window has its options before that
    from streamstgs.app.player.status import PlaybackFrame
    from streamstgs.codec.package.scene_meta import SceneMeta
    from streamstgs.renderer import Camera, Gaussians
    from torch import Tensor

ViewMode = Literal[
    "color", "alpha", "depth", "normals", "opacity", "points", "ellipsoids", "layers", "motion",
    "importance",
]  # fmt: skip
VIEW_MODES: tuple[ViewMode, ...] = get_args(ViewMode)
EXPOSURE_LIMITS = (-4.0, 4.0)
SPLAT_SCALE_LIMITS = (0.05, 4.0)
Point = tuple[float, float, float]
Box = tuple[Point, Point]
Color = tuple[float, float, float]
BACKGROUNDS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}
SCENE_BACKGROUND = "scene"
_BLACK = (0.0, 0.0, 0.0)
_OWN_COLORS = ("color", "points", "ellipsoids")  # modes that the exposure brightens


@dataclass(frozen=True)
class ViewSettings(RenderSettings):
    """The settings of a renderer together with those of a viewer.

    Backends read what they know of `RenderSettings`; a `ViewPass` does the rest by changing the
    Gaussians, so that every backend supports it.

    Args:
        mode: "color", "alpha" (white where Gaussians cover the background), "depth" (bright is
            near, black is infinitely far), "normals", "opacity" of each Gaussian, "points",
            "ellipsoids", "layers" (static blue, moving orange), "motion" (speed) or "importance".
        exposure: Stops; each doubles the display-encoded brightness of scene and background.
        depth_center: The depth that is shown as middle grey, in world units.
        depth_spread: The distance from there to 73 % and 27 % grey, in world units. What moves so
            far in a second is shown as fast.
        fps: Content frames per second, for speeds.
        splat_scale: Size of the Gaussians, times their own.
        crop: The corners (lowest, highest) of a box in the world; Gaussians whose centres are
            outside are left out. None keeps all.
    """

    mode: ViewMode = "color"
    exposure: float = 0.0
    depth_center: float = 1.0
    depth_spread: float = 1.0
    fps: float = 30.0
    splat_scale: float = 1.0
    crop: Box | None = None


@dataclass(frozen=True)
class Look:
    """What pictures show of a scene, apart from camera and time. It can be stored as JSON.

    Args:
        mode: As of `ViewSettings`.
        exposure: Stops, -4 .. 4; each doubles the brightness of colours.
        splat_scale: Size of the Gaussians, times their own, 0.05 .. 4.
        crop: The corners (lowest, highest) of the box outside of which nothing is shown, or None.
        background: "scene" (as the scene says), "black", "white" or #rrggbb.
        depth_range: Centre and spread of shown depths, as of `ViewSettings`, world units; None
            takes those that fit the camera.

    Raises:
        ArgumentError: A value is out of its range; the message says which values are possible.
    """

    mode: ViewMode = "color"
    exposure: float = 0.0
    splat_scale: float = 1.0
    crop: Box | None = None
    background: str = SCENE_BACKGROUND
    depth_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.mode not in VIEW_MODES:
            names = ", ".join(VIEW_MODES)
            raise ArgumentError(f"There is no mode {self.mode!r}; choose one of {names}.")
        within("The exposure in stops", self.exposure, *EXPOSURE_LIMITS)
        within("The splat size", self.splat_scale, *SPLAT_SCALE_LIMITS)
        if self.crop is not None:
            _check_box(self.crop)
        name = self.background
        if name != SCENE_BACKGROUND and name not in BACKGROUNDS and _rgb(name) is None:
            known = ", ".join([SCENE_BACKGROUND, *BACKGROUNDS])
            raise ArgumentError(f"There is no background {name!r}; choose {known} or #rrggbb.")
        if self.depth_range is not None:
            _check_depths(self.depth_range)

    @property
    def is_plain(self) -> bool:
        """Whether the scene is shown in its own colours over its own background."""
        return self.background == SCENE_BACKGROUND and self.is_unchanged

    @property
    def is_unchanged(self) -> bool:
        """Whether the scene is shown in its own colours and as a whole, over any background."""
        own = self.mode == "color" and self.exposure == 0.0
        return own and self.splat_scale == 1.0 and self.crop is None

    def settings(self, meta: SceneMeta, depth_range: tuple[float, float]) -> RenderSettings:
        """The settings of a renderer for a scene.

        Args:
            depth_range: Used unless this look has one.
        """
        chosen = BACKGROUNDS.get(self.background) or _rgb(self.background) or meta.background
        if self.is_unchanged:
            return RenderSettings(chosen, meta.near, meta.own_background)
        center, spread = self.depth_range or depth_range
        return ViewSettings(
            chosen,
            meta.near,
            meta.own_background,
            self.mode,
            self.exposure,
            center,
            spread,
            meta.fps,
            self.splat_scale,
            self.crop,
        )


def fitting_depths(distance: float, fov_y_rad: float) -> tuple[float, float]:
    """Centre and spread of depths for a camera at a distance from what it looks at."""
    return distance, distance * math.tan(fov_y_rad / 2) / 2


class ViewPass:
    """Changes the Gaussians of frames as a viewer wants them. Belongs to one thread.

    It keeps the speeds of the last frame, so that a camera move does not compute them again.
    """

    def __init__(self) -> None:
        self._speeds: tuple[PlaybackFrame, Tensor] | None = None

    def prepared(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings, frame: PlaybackFrame
    ) -> tuple[Gaussians, RenderSettings]:
        """Gaussians and settings to give to a backend, so that its image shows a view mode.

        Args:
            gaussians: All Gaussians of the frame, the static ones first.
        """
        if not isinstance(settings, ViewSettings):
            return gaussians, settings
        shown = self._shown(gaussians, camera, settings, frame)
        if settings.splat_scale != 1.0:
            shown = replace(shown, scales=shown.scales * settings.splat_scale)
        if settings.crop is not None:
            shown = shown[_inside(shown.means, settings.crop)]
        if settings.mode not in _OWN_COLORS:
            return shown, RenderSettings(_BLACK, settings.near)
        own = settings.own_background if settings.mode == "color" else None
        if settings.exposure == 0.0:
            return shown, RenderSettings(settings.background, settings.near, own)
        gain = 2.0**settings.exposure
        background, own = _gained(settings.background, gain), own and _gained(own, gain)
        return _brighter(shown, gain), RenderSettings(background, settings.near, own)

    def _shown(
        self, gaussians: Gaussians, camera: Camera, settings: ViewSettings, frame: PlaybackFrame
    ) -> Gaussians:
        """The Gaussians of a mode, before size, crop and exposure."""
        from streamstgs.app.player.rendering import view_modes

        mode = settings.mode
        if mode == "alpha":
            return view_modes.coverage(gaussians)
        if mode == "depth":
            center, spread = settings.depth_center, settings.depth_spread
            return view_modes.depth(gaussians, camera, center, spread)
        if mode == "normals":
            return view_modes.normals(gaussians, camera)
        if mode == "opacity":
            return view_modes.opacity(gaussians)
        if mode == "points":
            return view_modes.points(gaussians, camera)
        if mode == "ellipsoids":
            return view_modes.ellipsoids(gaussians)
        if mode == "layers":
            return view_modes.layers(gaussians, len(frame.gop.static))
        if mode == "motion":
            moving = len(gaussians) - len(frame.gop.static)
            speeds = self._speeds_of(frame, settings.fps, moving)
            return view_modes.motion(gaussians, speeds, settings.depth_spread)
        if mode == "importance":
            return view_modes.importance(gaussians, camera, settings)
        return gaussians

    def _speeds_of(self, frame: PlaybackFrame, fps: float, moving: int) -> Tensor:
        from streamstgs.app.player.rendering.view_modes import speeds_at

        kept = self._speeds
        if kept is None or kept[0] is not frame or len(kept[1]) != moving:
            self._speeds = kept = frame, speeds_at(frame.gop, frame.frame, fps, moving)
        return kept[1]


def _check_box(box: Any) -> None:
    """Raise ArgumentError for what is no box."""
    if not isinstance(box, Sequence) or len(box) != 2:
        raise ArgumentError(f"The crop is {box!r}; it must be two corners of a box.")
    low, high = (point("A corner of the crop", corner) for corner in box)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise ArgumentError("The second corner of the box is not above the first in x, y and z.")


def _check_depths(depth_range: Any) -> None:
    """Raise ArgumentError for what is no centre and spread of depths."""
    if not isinstance(depth_range, Sequence) or len(depth_range) != 2:
        raise ArgumentError(f"The depth range is {depth_range!r}; it must be (centre, spread).")
    finite("The centre of the depths", depth_range[0])
    if not finite("The spread of the depths", depth_range[1]) > 0.0:
        raise ArgumentError("The spread of the depths is not above 0.")


def _inside(means: Tensor, box: Box) -> Tensor:
    """[N] whether points [N, 3] are in a box."""
    low, high = (means.new_tensor(corner) for corner in box)
    return ((means >= low) & (means <= high)).all(dim=1)


def _rgb(text: str) -> Color | None:
    """The colour of #rrggbb, 0..1; None if the text is none."""
    if not isinstance(text, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    red, green, blue = (int(text[place : place + 2], 16) / 255.0 for place in (1, 3, 5))
    return (red, green, blue)


def _gained(color: Color, gain: float) -> Color:
    red, green, blue = color
    return (red * gain, green * gain, blue * gain)


def _brighter(gaussians: Gaussians, gain: float) -> Gaussians:
    """Gaussians whose colours are multiplied, also those of spherical harmonics."""
    from streamstgs.renderer.spherical_harmonics import C0

    sh = gaussians.sh
    if sh is not None:  # a colour is 0.5 + C0 * sh[0] + ...; its constant is multiplied as well
        sh = sh * gain
        sh[:, 0] += 0.5 * (gain - 1.0) / C0
    return replace(gaussians, colors=gaussians.colors * gain, sh=sh)
