"""Draws with gsplat's CUDA kernels: the fastest backend, and the trainer's rasteriser.

gsplat is imported when it is first needed, and only on machines with a CUDA device: on others it
would start to compile itself and fail.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import torch
from streamstgs.renderer import fused
from streamstgs.renderer.backends.base import Backend, Capabilities, RenderedChannels
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.compositing import composite
from streamstgs.renderer.errors import BackendUnavailable
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import DILATION_PX2, RenderSettings
from streamstgs.renderer.spherical_harmonics import sh_degree
from torch import Tensor

BEHIND = (0.0, 0.0, -1.0)  # a position behind the camera, in its axes: never drawn


class GsplatBackend(Backend):
    """Draws on the CUDA device, where Gaussians and pictures stay. Owner: any one thread.

    Making the first one on a machine may take minutes: gsplat compiles its kernels and keeps them.

    Raises:
        BackendUnavailable: no CUDA device, or gsplat cannot compile its kernels.
    """

    name = "gsplat"
    capabilities = Capabilities()

    def __init__(self) -> None:
        require_gsplat()
        self.device = torch.device("cuda", torch.cuda.current_device())

    def warm_up(self) -> None:
        """See `renderer.backends.base.Backend.warm_up`."""
        up, center = torch.tensor([0.0, -1.0, 0.0]), torch.zeros(3)
        camera = Camera.look_at(torch.tensor([0.0, 0.0, -3.0]), center, up, 0.9, 16, 16)
        ones = partial(torch.ones, device=self.device)
        one = Gaussians(ones(1, 3), ones(1, 4), ones(1, 3), ones(1), ones(1, 3))
        self.render_rgb8(one, camera, RenderSettings())

    @torch.no_grad()
    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """See `renderer.backends.base.Backend.render`. Only gsplat itself waits for the device."""
        drawable = replace(gaussians, means=_hide_broken(gaussians, camera))
        if not settings.replaces_background:
            return rasterize(drawable, [camera], settings)[0][0]
        light, alphas, _ = rasterize(drawable, [camera], RenderSettings(near=settings.near))
        return composite(light[0], alphas[0, ..., 0], settings)

    @torch.no_grad()
    def render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        """See `renderer.backends.base.Backend.render_channels`."""
        drawable = replace(gaussians, means=_hide_broken(gaussians, camera))
        over_black = RenderSettings(near=settings.near)
        colors, alphas, _ = rasterize(drawable, [camera], over_black, depth=True)
        alpha = alphas[0, ..., 0]
        color = composite(colors[0, ..., :3], alpha, settings)
        return RenderedChannels(color, alpha, colors[0, ..., 3])


def require_gsplat() -> None:
    """Raise BackendUnavailable, with the reason, if gsplat cannot draw on this machine."""
    if not torch.cuda.is_available():
        raise BackendUnavailable("no CUDA device")
    if torch.version.cuda is None:
        raise BackendUnavailable("gsplat needs NVIDIA CUDA; this torch is built for another GPU")
    try:
        from gsplat.cuda._backend import _C  # compiles the kernels on first use
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendUnavailable(f"gsplat cannot compile its CUDA kernels: {error}") from error
    if _C is None:
        raise BackendUnavailable("gsplat needs the CUDA toolkit (nvcc) to compile its kernels")


def rasterize(
    gaussians: Gaussians,
    cameras: list[Camera],
    settings: RenderSettings,
    absgrad: bool = False,
    depth: bool = False,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Draw Gaussians from C cameras at once, differentiable with respect to all attributes.

    Args:
        gaussians: on a CUDA device, all finite; channels of `colors` beyond RGB are drawn like
            colours, over 0.
        cameras: of one picture size.
        absgrad: keep absolute gradients in info["means2d"].absgrad (Ye et al. 2024).
        depth: add the expected depth as a fourth channel, world units.

    Returns:
        colors: [C, height, width, 3], further channels, depth last; over the background.
        alphas: [C, height, width, 1].
        info: gsplat's intermediate results, such as "means2d" [C, N, 2] and "radii" [C, N, 2];
            empty when there are no Gaussians.

    Raises:
        BackendUnavailable: there is no CUDA device.
        ValueError: cameras of different sizes, or none; or both `sh` and channels beyond RGB.
    """
    if not torch.cuda.is_available():
        raise BackendUnavailable("no CUDA device")
    width, height = _picture_size(cameras)
    device = gaussians.means.device
    background = _background(settings.background, device).expand(len(cameras), 3)
    further = gaussians.colors.shape[1] - 3
    if further and gaussians.sh is not None:
        raise ValueError("Gaussians with spherical harmonics have no channels beyond RGB")
    background = torch.nn.functional.pad(background, (0, further))
    if len(gaussians) == 0:
        return _empty_pictures(background, width, height, depth)
    from gsplat import rasterization

    return rasterization(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        _seen_colors(gaussians, cameras),
        *_on_device(cameras, device),
        width,
        height,
        near_plane=settings.near,
        eps2d=DILATION_PX2,
        packed=False,
        backgrounds=background,
        render_mode="RGB+ED" if depth else "RGB",
        absgrad=absgrad,
        rasterize_mode="antialiased",
    )


@lru_cache(maxsize=8)
def _background(color: tuple[float, float, float], device: torch.device) -> Tensor:
    """[3] RGB on a device; nobody may write to it."""
    return torch.tensor(color).to(device)


def _on_device(cameras: list[Camera], device: torch.device) -> tuple[Tensor, Tensor]:
    """[C, 4, 4] view matrices and [C, 3, 3] intrinsics, sent at once."""
    rows = [torch.cat([camera.viewmat.flatten(), camera.K.flatten()]) for camera in cameras]
    sent = torch.stack(rows).to(device, non_blocking=True)
    viewmats, intrinsics = sent.split([16, 9], dim=1)
    return viewmats.reshape(-1, 4, 4), intrinsics.reshape(-1, 3, 3)


def _seen_colors(gaussians: Gaussians, cameras: list[Camera]) -> Tensor:
    """[N, D] colours that are the same from everywhere, or [C, N, 3] as each camera sees them.

    gsplat could evaluate spherical harmonics itself, but it would invert the view matrices on the
    device to find the cameras, and the host would wait for that.
    """
    if gaussians.sh is None:
        return gaussians.colors
    from gsplat import spherical_harmonics

    positions = torch.stack([camera.position for camera in cameras])
    positions = positions.to(gaussians.means.device, non_blocking=True)
    directions = gaussians.means[None] - positions[:, None]  # [C, N, 3]
    sh = gaussians.sh.expand(len(cameras), *gaussians.sh.shape)
    return (spherical_harmonics(sh_degree(gaussians.sh), directions, sh) + 0.5).clamp(min=0.0)


def _picture_size(cameras: list[Camera]) -> tuple[int, int]:
    sizes = {(camera.width, camera.height) for camera in cameras}
    if len(sizes) != 1:
        raise ValueError(f"cameras drawn at once need one picture size, not {sorted(sizes)}")
    return sizes.pop()


def _empty_pictures(
    background: Tensor, width: int, height: int, depth: bool
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    if depth:
        background = torch.cat([background, torch.zeros_like(background[:, :1])], dim=-1)
    colors = background[:, None, None].expand(-1, height, width, -1).contiguous()
    return colors, torch.zeros_like(colors[..., :1]), {}


def _hide_broken(gaussians: Gaussians, camera: Camera) -> Tensor:
    """[N, 3] means, those of broken Gaussians moved behind the camera.

    The projection kernel tests the depth first, so the NaN of a hidden Gaussian is never used.
    Unlike selecting the sound ones, hiding needs no answer from the device.
    """
    place = camera.viewmat[:3, :3].T @ (torch.tensor(BEHIND) - camera.viewmat[:3, 3])
    if _is_plain(gaussians) and fused.runs_on(gaussians.means):
        from streamstgs.renderer.fused.pixels import sound_means

        x, y, z = place.tolist()  # the camera is on the host
        return sound_means(gaussians, (x, y, z))
    light = gaussians.colors if gaussians.sh is None else gaussians.sh.flatten(1)
    parts = (gaussians.means, gaussians.quats, gaussians.scales, light)
    finite = torch.stack([part.sum(-1) for part in parts] + [gaussians.opacities]).sum(0).isfinite()
    sound = finite & (gaussians.quats.square().sum(-1) > 1e-24)
    return torch.where(sound[:, None], gaussians.means, place.to(gaussians.means))


def _is_plain(gaussians: Gaussians) -> bool:
    """Whether the attributes lie in memory as the kernels read them."""
    values = gaussians.tensors().values()
    packed = all(value.is_contiguous() and value.dtype == torch.float32 for value in values)
    return packed and gaussians.sh is None and gaussians.colors.shape[1] == 3 and len(gaussians) > 0
