"""A synthetic scene of three textured surfaces without motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from torch import Tensor


@dataclass
class StaticScene:
    """Static Gaussians alone as a `codec.encoder.source.SceneSource`; its one GOP moves nothing."""

    meta: SceneMeta
    static: CanonicalGaussians
    gop_count: int = 1

    def gop(self, index: int) -> TrainedGop:
        config = FieldConfig(features=1, width=1)
        features = torch.zeros(config.window, 0, config.features)
        return TrainedGop(CanonicalGaussians.empty(), features, DeformationField(config), frames=1)


def made_up_scene(count: int) -> StaticScene:
    """A floor, a wall and a sphere; random sizes and rotations, colours of a smooth texture."""
    random = torch.Generator().manual_seed(0)
    along = torch.rand(count, 2, generator=random) * 2 - 1
    parts = [points(along[k::3]) for k, points in enumerate((_floor, _wall, _sphere))]
    means = torch.cat(parts)
    noise = torch.randn(count, 3, generator=random)
    waves = torch.sin(means * torch.tensor([5.0, 7.0, 6.0]) + means.roll(1, dims=-1) * 3.0)
    static = CanonicalGaussians(
        means=means + 0.01 * noise,
        quats=torch.randn(count, 4, generator=random),
        log_scales=math.log(3.0 / count**0.5) + 0.5 * torch.randn(count, 3, generator=random),
        opacity_logits=1.0 + 1.5 * torch.randn(count, generator=random),
        colors=(0.5 + 0.35 * waves + 0.05 * noise).clamp(0, 1),
    )
    return StaticScene(_made_up_meta(), static)


def _floor(along: Tensor) -> Tensor:
    return torch.stack([2 * along[:, 0], torch.ones(len(along)), 2 * along[:, 1]], dim=-1)


def _wall(along: Tensor) -> Tensor:
    return torch.stack([2 * along[:, 0], along[:, 1], torch.full((len(along),), 2.0)], dim=-1)


def _sphere(along: Tensor) -> Tensor:
    turn, height = math.pi * along[:, 0], along[:, 1]
    ring = (1 - height.square()).sqrt()
    return 0.7 * torch.stack([ring * turn.cos(), height, ring * turn.sin()], dim=-1)


def _made_up_meta() -> SceneMeta:
    eyes = ((0.0, -0.5, -4.0), (2.0, -1.0, -3.0), (-1.5, 0.2, -2.5))
    return SceneMeta(
        title="Made-up surfaces",
        fps=24.0,
        up=(0.0, -1.0, 0.0),
        center=(0.0, 0.0, 0.0),
        radius=3.0,
        background=(0.1, 0.2, 0.3),
        width=480,
        height=270,
        presets=tuple(CameraPreset(f"View {k}", eye, (0.0, 0.0, 0.0), 0.7)
                      for k, eye in enumerate(eyes)),
    )  # fmt: skip
