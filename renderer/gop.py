"""A decoded GOP (group of pictures): all data to draw any of its frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.renderer.deformation import DeformationField
from streamstgs.renderer.gaussians import CanonicalGaussians, Gaussians
from streamstgs.renderer.trajectories import present
from torch import Tensor


@dataclass(frozen=True)
class Gop:
    """A decoded GOP on one device.

    Args:
        static: S activated Gaussians that never move; shared by all GOPs of a scene.
        canonical: M Gaussians that the field moves.
        features: [E, M, F] uint8 codes of the temporal features, E = frames + W - 1.
        feature_offset: [F] value of code 0.
        feature_step: [F] value of one code step.
        field: the deformation field, in eval mode.
        frames: G, number of frames that the GOP shows.
    """

    static: Gaussians
    canonical: CanonicalGaussians
    features: Tensor
    feature_offset: Tensor
    feature_step: Tensor
    field: DeformationField
    frames: int

    @property
    def device(self) -> torch.device:
        return self.features.device

    def windowed_features(self, frame: float) -> Tensor:
        """[M, W*F] dequantised features around a frame of this GOP.

        A fractional frame gets the features interpolated between its two neighbours.
        """
        window = self.field.config.window
        frame = min(max(frame, 0.0), self.frames - 1.0)
        first = int(frame)
        share = frame - first
        codes = self.features[first : first + window].float()
        if share > 0.0:
            codes = torch.lerp(codes, self.features[first + 1 : first + 1 + window].float(), share)
        values = codes * self.feature_step + self.feature_offset  # [W, M, F]
        return values.permute(1, 0, 2).flatten(1)

    @torch.no_grad()
    def dynamic_at(self, frame: float) -> Gaussians:
        """The moving Gaussians at a frame (0 .. frames-1, may be fractional): all M, or, where
        they have trajectories, those that are present at that time, in the same order."""
        if len(self.canonical) == 0:
            return self.canonical.activate()
        time = min(max(frame, 0.0), self.frames - 1.0) / self.frames
        canonical, windowed = self.canonical.at(time), self.windowed_features(frame)
        if self.canonical.trajectories is not None:
            there = present(canonical.opacity_logits)
            canonical, windowed = canonical[there], windowed[there]
        return self.field(canonical, windowed, time).activate()

    def gaussians_at(self, frame: float) -> Gaussians:
        """All Gaussians at a frame: the static ones first, then the moving ones."""
        return Gaussians.concatenate([self.static, self.dynamic_at(frame)])
