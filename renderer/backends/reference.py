"""3D Gaussian Splatting in small, legible, differentiable PyTorch: the oracle of the tests.

The same mathematics as `gsplat.rasterization(rasterize_mode="antialiased", packed=False)`,
in the order of the formulas: project, sort by depth, blend front to back. The trainer uses it on
machines without CUDA; tests compare every other backend with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from streamstgs.renderer.backends.base import Backend, Capabilities, RenderedChannels
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.compositing import composite
from streamstgs.renderer.gaussians import Gaussians, rotation_matrices
from streamstgs.renderer.settings import (
    ALPHA_MAX,
    ALPHA_MIN,
    DILATION_PX2,
    EXTENT_SIGMA,
    TRANSMITTANCE_MIN,
    RenderSettings,
)
from streamstgs.renderer.spherical_harmonics import evaluate_sh
from torch import Tensor
from torch.utils.checkpoint import checkpoint

FAR = 1e10  # gsplat's far plane
FRUSTUM_MARGIN = 0.3  # of half the picture: the Jacobian is taken no further outside than this
TILE_PX = 32  # pixels are blended tile by tile, with the splats that touch the tile
CHUNK = 512  # splats blended at once in a tile; with TILE_PX it bounds the memory


@dataclass(frozen=True)
class Splats:
    """Gaussians projected to a picture.

    Args:
        means: [V, 2] centres in px; the centre of the top left pixel is (0.5, 0.5).
        conics: [V, 3] inverse of the dilated 2D covariance as (xx, xy, yy), px^-2.
        radii: [V, 2] half sides of the box in px outside which alpha < ALPHA_MIN.
        depths: [V] z in the camera, world units.
        opacities: [V] scaled for anti-aliasing.
        colors: [V, 3] seen from the camera; further channels are blended like colours.
    """

    means: Tensor
    conics: Tensor
    radii: Tensor
    depths: Tensor
    opacities: Tensor
    colors: Tensor

    def __getitem__(self, index: Tensor) -> Splats:
        return Splats(*(values[index] for values in vars(self).values()))


class ReferenceBackend(Backend):
    """Draws with the oracle, on any torch device. Owner: any one thread."""

    name = "reference"
    capabilities = Capabilities()

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    @torch.no_grad()
    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """See `renderer.backends.base.Backend.render`."""
        return rasterize(gaussians, camera, settings)[0]

    @torch.no_grad()
    def render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        """See `renderer.backends.base.Backend.render_channels`."""
        return rasterize_channels(gaussians, camera, settings)


def rasterize(
    gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> tuple[Tensor, Tensor]:
    """Draw Gaussians, differentiable with respect to all their attributes.

    Returns:
        colors: [height, width, 3] over the background.
        alphas: [height, width] how much of the background is covered, 0..1.
    """
    splats = _visible_splats(gaussians, camera, settings)
    picture = _draw(splats, camera)
    alpha = picture[..., 3]
    return composite(picture[..., :3], alpha, settings), alpha


def rasterize_channels(
    gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> RenderedChannels:
    """Colour, alpha and expected depth, differentiable with respect to all attributes."""
    splats = _visible_splats(gaussians, camera, settings)
    told = replace(splats, colors=torch.cat([splats.colors, splats.depths[:, None]], dim=-1))
    light, depth, alpha = _draw(told, camera).split([3, 1, 1], dim=-1)
    color = composite(light, alpha[..., 0], settings)
    return RenderedChannels(color, alpha[..., 0], (depth / alpha.clamp(min=1e-10))[..., 0])


def _visible_splats(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Splats:
    """The splats that can be seen, nearest first."""
    with torch.no_grad():
        visible = is_visible(gaussians, project(gaussians, camera), camera, settings)
    # Project again without the invisible ones, so that their NaNs cannot reach a gradient.
    splats = project(gaussians[visible], camera)
    return splats[torch.argsort(splats.depths.detach(), stable=True)]


def _draw(splats: Splats, camera: Camera) -> Tensor:
    """[height, width, C + 1] C blended channels over black, then alpha."""
    rows = [
        torch.cat([_draw_tile(splats, tile) for tile in row], dim=1)
        for row in _tile_rows(camera, splats.means.device)
    ]
    return torch.cat(rows, dim=0)


def project(gaussians: Gaussians, camera: Camera) -> Splats:
    """EWA projection (Zwicker 2001) with the anti-aliasing of Mip-Splatting (Yu et al. 2024).

    Every Gaussian is projected; `is_visible` tells which ones are drawn.
    """
    viewmat, K = (m.to(gaussians.means) for m in (camera.viewmat, camera.K))
    means = gaussians.means @ viewmat[:3, :3].T + viewmat[:3, 3]  # [N, 3] in the camera
    turns = rotation_matrices(torch.nn.functional.normalize(gaussians.quats, dim=-1))
    axes = viewmat[:3, :3] @ (turns * gaussians.scales[:, None])
    # cov2d = M M^T. By Cauchy-Binet its determinant is the squared length of the cross product of
    # M's rows: no cancellation, so needles do not shine (gsplat: max(0, xx yy - xy^2)).
    first, second = (_jacobian(means, K, camera) @ axes).unbind(1)  # [N, 3] each
    det = torch.linalg.cross(first, second).square().sum(-1)
    xx, xy, yy = (first * first).sum(-1), (first * second).sum(-1), (second * second).sum(-1)
    det_dilated = det + DILATION_PX2 * (xx + yy) + DILATION_PX2**2
    xx, yy = xx + DILATION_PX2, yy + DILATION_PX2
    opacities = gaussians.opacities * torch.sqrt(det / det_dilated + 1e-14)  # finite slope at 0
    return Splats(
        means=means[:, :2] / means[:, 2:] * K.diagonal()[:2] + K[:2, 2],
        conics=torch.stack([yy, -xy, xx], dim=-1) / det_dilated[:, None],
        radii=_extent_sigma(opacities)[:, None] * torch.stack([xx, yy], dim=-1).sqrt(),
        depths=means[:, 2],
        opacities=opacities,
        colors=_seen_colors(gaussians, camera),
    )


def _seen_colors(gaussians: Gaussians, camera: Camera) -> Tensor:
    """[N, 3] colours as the camera sees them."""
    if gaussians.sh is None:
        return gaussians.colors
    return evaluate_sh(gaussians.sh, gaussians.means - camera.position.to(gaussians.means))


def _jacobian(means: Tensor, K: Tensor, camera: Camera) -> Tensor:
    """[N, 2, 3] derivative of the pixel position by the position in the camera.

    Far outside the picture the linear approximation explodes: there the derivative is taken at
    the edge of a frame FRUSTUM_MARGIN wider than the picture (gsplat: Utils.cuh, persp_proj).
    """
    size = means.new_tensor([camera.width, camera.height])
    focal, center = K.diagonal()[:2], K[:2, 2]
    margin = FRUSTUM_MARGIN * 0.5 * size / focal
    z = means[:, 2:]
    slopes = (means[:, :2] / z).clamp(-center / focal - margin, (size - center) / focal + margin)
    straight = torch.diag_embed(focal / z)  # [N, 2, 2]
    return torch.cat([straight, (-focal * slopes / z)[..., None]], dim=-1)


def _extent_sigma(opacities: Tensor) -> Tensor:
    """How many standard deviations out alpha falls to ALPHA_MIN (Radl et al. 2024, B.2)."""
    reach = torch.sqrt(2 * torch.log((opacities.detach() / ALPHA_MIN).clamp(min=1.0)))
    return reach.clamp(max=EXTENT_SIGMA)


def is_visible(
    gaussians: Gaussians, splats: Splats, camera: Camera, settings: RenderSettings
) -> Tensor:
    """[N] bool: in front of the near plane, in the picture, not faint, degenerate or NaN."""
    numbers = [splats.means, splats.conics, splats.radii, splats.colors]
    if gaussians.sh is not None:
        numbers.append(gaussians.sh.flatten(1))
    finite = torch.cat(numbers, dim=-1).isfinite().all(-1) & (gaussians.quats.norm(dim=-1) > 1e-12)
    in_depth = (splats.depths >= settings.near) & (splats.depths <= FAR)
    size = splats.means.new_tensor([camera.width, camera.height])
    inside = (splats.means + splats.radii > 0) & (splats.means - splats.radii < size)
    return finite & in_depth & inside.all(-1) & (splats.opacities >= ALPHA_MIN)


def _tile_rows(camera: Camera, device: torch.device) -> Iterator[list[Tensor]]:
    """Pixel centres [h, w, 2], tile by tile, row by row."""
    x = torch.arange(camera.width, device=device) + 0.5
    y = torch.arange(camera.height, device=device) + 0.5
    for band in y.split(TILE_PX):
        yield [torch.cartesian_prod(part, band).reshape(len(part), len(band), 2).transpose(0, 1)
               for part in x.split(TILE_PX)]  # fmt: skip


def _draw_tile(splats: Splats, pixels: Tensor) -> Tensor:
    """[h, w, C + 1] channels and alpha of sorted splats over the pixels [h, w, 2] of a tile."""
    low, high = pixels[0, 0], pixels[-1, -1]
    touches = (splats.means + splats.radii >= low) & (splats.means - splats.radii <= high)
    splats = splats[touches.all(-1)]
    flat = pixels.reshape(-1, 2)
    color = flat.new_zeros(len(flat), splats.colors.shape[1])
    passed = flat.new_ones(len(flat))  # transmittance if no pixel ever finished
    remaining = passed  # transmittance with the splats that were drawn
    for start in range(0, len(splats.depths), CHUNK):
        index = torch.arange(start, min(start + CHUNK, len(splats.depths)), device=flat.device)
        blended, passed, remaining = checkpoint(
            _blend, splats[index], flat, passed, remaining, use_reentrant=False
        )
        color = color + blended
    return torch.cat([color, 1 - remaining[:, None]], dim=-1).reshape(*pixels.shape[:2], -1)


def _blend(
    splats: Splats, pixels: Tensor, passed: Tensor, remaining: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Front-to-back blending of a chunk: channels [P, C] to add, and both transmittances [P].

    A pixel is finished by the first splat that would leave TRANSMITTANCE_MIN or less; that splat
    and all behind it are not drawn. `passed` also counts the splats that are not drawn: it only
    ever falls, so one comparison tells whether the pixel was finished, in this chunk or before.
    """
    dx, dy = (splats.means[None] - pixels[:, None]).unbind(-1)  # [P, K]
    xx, xy, yy = splats.conics.unbind(-1)
    power = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = (splats.opacities * torch.exp(-power)).clamp(max=ALPHA_MAX)
    alpha = torch.where((power >= 0) & (alpha >= ALPHA_MIN), alpha, 0.0)
    after = passed.detach()[:, None] * torch.cumprod(1 - alpha.detach(), dim=1)
    alpha = torch.where(after > TRANSMITTANCE_MIN, alpha, 0.0)
    left = remaining[:, None] * torch.exp(torch.cumsum(torch.log1p(-alpha), dim=1))  # [P, K]
    before = torch.cat([remaining[:, None], left[:, :-1]], dim=1)
    return (alpha * before) @ splats.colors, after[:, -1], left[:, -1]
