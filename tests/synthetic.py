"""A small made-up scene: a static wall of splats and a ball that circles before it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from streamstgs.renderer.trajectories import Trajectories


def random_canonical(count: int, seed: int = 0, spread: float = 1.0) -> CanonicalGaussians:
    """`count` Gaussians of random shape and colour in a cube of half side `spread`."""
    random = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    return CanonicalGaussians(
        means=(uniform(count, 3) * 2 - 1) * spread,
        quats=torch.nn.functional.normalize(torch.randn(count, 4, generator=random), dim=-1),
        log_scales=math.log(0.05) + 0.5 * (uniform(count, 3) - 0.5),
        opacity_logits=3.0 * uniform(count),
        colors=uniform(count, 3),
    )


@dataclass(frozen=True)
class SyntheticSource:
    """Implements `codec.encoder.source.SceneSource`.

    The field is untouched random weights but for the position head, whose output follows two of
    the features: those hold the circle, so pictures of different frames differ visibly.
    """

    static_count: int = 300
    dynamic_count: int = 200
    frames_per_gop: tuple[int, ...] = (8, 8, 5)
    fps: float = 24.0

    @property
    def meta(self) -> SceneMeta:
        return SceneMeta(
            title="Synthetic ball",
            fps=self.fps,
            up=(0.0, -1.0, 0.0),
            center=(0.0, 0.0, 0.0),
            radius=3.0,
            background=(0.1, 0.2, 0.3),
            width=320,
            height=180,
            licence="CC0-1.0",
            attribution="made by the test suite",
            presets=(CameraPreset("Front", (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), 0.7),),
        )

    @property
    def static(self) -> CanonicalGaussians:
        return random_canonical(self.static_count, seed=1)

    @property
    def gop_count(self) -> int:
        return len(self.frames_per_gop)

    def gop(self, index: int) -> TrainedGop:
        config = FieldConfig(features=4, width=16, time_frequencies=2)
        frames = self.frames_per_gop[index]
        count = frames + config.window - 1
        start = sum(self.frames_per_gop[:index])
        angle = 2 * math.pi * (start + torch.arange(count)) / sum(self.frames_per_gop)
        features = torch.zeros(count, self.dynamic_count, config.features)
        features[:, :, 0] = angle.cos()[:, None]
        features[:, :, 1] = angle.sin()[:, None]
        features[:, :, 2] = torch.linspace(-0.2, 0.2, self.dynamic_count)
        return TrainedGop(
            canonical=random_canonical(self.dynamic_count, seed=2 + index, spread=0.3),
            features=features,
            field=_circling_field(config),
            frames=frames,
        )


def trajectories(count: int, seed: int = 5) -> Trajectories:
    """Random ones that live for about a fifth of the GOP."""
    random = torch.Generator().manual_seed(seed)
    return Trajectories(
        velocities=torch.randn(count, 3, generator=random),
        centers=torch.rand(count, generator=random),
        log_extents=torch.full((count,), 0.1).log() + 0.3 * torch.randn(count, generator=random),
    )


@dataclass(frozen=True)
class PathSource(SyntheticSource):
    """The synthetic scene, whose moving Gaussians have trajectories."""

    def gop(self, index: int) -> TrainedGop:
        gop = super().gop(index)
        paths = trajectories(self.dynamic_count, seed=index)
        return replace(gop, canonical=replace(gop.canonical, trajectories=paths))


def _circling_field(config: FieldConfig) -> DeformationField:
    torch.manual_seed(7)
    field = DeformationField(config).eval()
    torch.nn.init.normal_(field.heads["means"][-1].weight, std=0.5)
    return field
