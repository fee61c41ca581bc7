"""View modes and exposure: what a viewer shows instead of the plain colours of a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:  # they load torch, and a window has its options before that
    from streamstgs.renderer import Camera, Gaussians
    from torch import Tensor

ViewMode = Literal["color", "alpha", "depth"]
VIEW_MODES: tuple[ViewMode, ...] = get_args(ViewMode)
EXPOSURE_LIMITS = (-4.0, 4.0)
_BLACK = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class ViewSettings(RenderSettings):
    """The settings of a renderer together with those of a viewer.

    Backends read what they know of `RenderSettings`; `prepared` does the rest by recolouring the
    Gaussians, so that every backend supports it.

    Args:
        mode: "color", "alpha" (white where Gaussians cover the background) or "depth" (bright is
            near, black is infinitely far).
        exposure: Stops; each doubles the display-encoded brightness of scene and background.
        depth_center: The depth that is shown as middle grey, in world units.
        depth_spread: The distance from there to 73 % and 27 % grey, in world units.
    """

    mode: ViewMode = "color"
    exposure: float = 0.0
    depth_center: float = 1.0
    depth_spread: float = 1.0


def prepared(
    gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> tuple[Gaussians, RenderSettings]:
    """Gaussians and settings to give to a backend, so that its image shows a view mode."""
    if not isinstance(settings, ViewSettings):
        return gaussians, settings
    if settings.mode == "alpha":
        return gaussians.painted(gaussians.colors.new_ones(len(gaussians), 3)), replace(
            settings, background=(0.0, 0.0, 0.0)
        )
    if settings.mode == "depth":
        grey = _nearness(gaussians.means, camera, settings)
        return gaussians.painted(grey), replace(settings, background=_BLACK)
    if settings.exposure == 0.0:
        return gaussians, settings
    gain = 2.0**settings.exposure
    red, green, blue = settings.background
    background = (red * gain, green * gain, blue * gain)
    return _brighter(gaussians, gain), replace(settings, background=background)


def _nearness(means: Tensor, camera: Camera, settings: ViewSettings) -> Tensor:
    """[N, 3] grey of each Gaussian: a sigmoid of its depth, bright is near."""
    viewmat = camera.viewmat.to(means.device)
    depth = means @ viewmat[2, :3] + viewmat[2, 3]
    grey = ((settings.depth_center - depth) / settings.depth_spread).sigmoid()
    return grey[:, None].expand(-1, 3).contiguous()


def _brighter(gaussians: Gaussians, gain: float) -> Gaussians:
    """Gaussians whose colours are multiplied, also those of spherical harmonics."""
    from streamstgs.renderer.spherical_harmonics import C0

    sh = gaussians.sh
    if sh is not None:  # a colour is 0.5 + C0 * sh[0] + ...; its constant is multiplied as well
        sh = sh * gain
        sh[:, 0] += 0.5 * (gain - 1.0) / C0
    return replace(gaussians, colors=gaussians.colors * gain, sh=sh)
