"""View modes, exposure, splat size and crop: what a viewer shows instead of the plain scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:  # they load torch, and a window has its options before that
    from streamstgs.app.player.status import PlaybackFrame
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
    crop: tuple[Point, Point] | None = None


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
        if settings.exposure == 0.0:
            return shown, RenderSettings(settings.background, settings.near)
        gain = 2.0**settings.exposure
        red, green, blue = settings.background
        background = (red * gain, green * gain, blue * gain)
        return _brighter(shown, gain), RenderSettings(background, settings.near)

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
            speeds = self._speeds_of(frame, settings.fps)
            return view_modes.motion(gaussians, speeds, settings.depth_spread)
        if mode == "importance":
            return view_modes.importance(gaussians, camera, settings)
        return gaussians

    def _speeds_of(self, frame: PlaybackFrame, fps: float) -> Tensor:
        from streamstgs.app.player.rendering.view_modes import speeds_at

        if self._speeds is None or self._speeds[0] is not frame:
            self._speeds = frame, speeds_at(frame.gop, frame.frame, fps)
        return self._speeds[1]


def _inside(means: Tensor, box: tuple[Point, Point]) -> Tensor:
    """[N] whether points [N, 3] are in a box."""
    low, high = (means.new_tensor(corner) for corner in box)
    return ((means >= low) & (means <= high)).all(dim=1)


def _brighter(gaussians: Gaussians, gain: float) -> Gaussians:
    """Gaussians whose colours are multiplied, also those of spherical harmonics."""
    from streamstgs.renderer.spherical_harmonics import C0

    sh = gaussians.sh
    if sh is not None:  # a colour is 0.5 + C0 * sh[0] + ...; its constant is multiplied as well
        sh = sh * gain
        sh[:, 0] += 0.5 * (gain - 1.0) / C0
    return replace(gaussians, colors=gaussians.colors * gain, sh=sh)
