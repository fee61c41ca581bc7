"""The deformation field: turns temporal features into changes of each Gaussian.

Paper Sec. 3.2: f_i = D_t(concat(e_{i-1}, e_i, e_{i+1}), gamma(t_i)); one small head per attribute
turns f_i (and gamma(X)) into dX, dR, dS, dO, dC, which are added before activation.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from streamstgs.renderer.field_config import FieldConfig
from streamstgs.renderer.gaussians import CanonicalGaussians
from streamstgs.renderer.trajectories import ABSENT_LOGIT
from torch import Tensor, nn

HEAD_WIDTHS = {"means": 3, "quats": 4, "log_scales": 3, "opacity_logits": 1, "colors": 3}


def sinusoidal_encoding(x: Tensor, frequencies: int) -> Tensor:
    """gamma(x): sin and cos of pi 2^k x, k < K = `frequencies`. [..., D] -> [..., 2KD]."""
    octaves = math.pi * 2.0 ** torch.arange(frequencies, device=x.device, dtype=x.dtype)
    angles = (x[..., None] * octaves).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class DeformationField(nn.Module):
    """Temporal MLP D_t (two layers) and one two-layer head per attribute."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.temporal = nn.Sequential(
            nn.Linear(config.input_width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.heads = nn.ModuleDict(
            {name: _head(config.head_input_width, width, out) for name, out in HEAD_WIDTHS.items()}
        )

    def temporal_code(self, windowed: Tensor, time: float | Tensor) -> Tensor:
        """f_i of Eq. 3: [N, W*F] features and the time in the GOP (0..1) -> [N, width]."""
        moment = torch.as_tensor(time, device=windowed.device, dtype=windowed.dtype).reshape(1)
        gamma_t = sinusoidal_encoding(moment, self.config.time_frequencies)
        return self.temporal(torch.cat([windowed, gamma_t.expand(len(windowed), -1)], dim=-1))

    def apply_heads(self, code: Tensor, canonical: CanonicalGaussians) -> CanonicalGaussians:
        """Canonical Gaussians plus the deltas that the heads read from `code` [N, width]."""
        head_input = self._with_positions(code, canonical)
        delta = {name: head(head_input) for name, head in self.heads.items()}
        return CanonicalGaussians(
            means=canonical.means + self.config.extent * delta["means"],
            quats=canonical.quats + delta["quats"],
            log_scales=canonical.log_scales + delta["log_scales"],
            opacity_logits=canonical.opacity_logits + delta["opacity_logits"].squeeze(-1),
            colors=canonical.colors + delta["colors"],
        )

    def opacity_logits(
        self, canonical: CanonicalGaussians, windowed: Tensor, time: float | Tensor
    ) -> Tensor:
        """[N] opacity logits of `forward`, without the work of the other heads."""
        moved = canonical.at(time)
        code = self._with_positions(self.temporal_code(windowed, time), moved)
        logits = moved.opacity_logits + self.heads["opacity_logits"](code).squeeze(-1)
        return logits if moved is canonical else without_absent(logits, moved)

    def _with_positions(self, code: Tensor, canonical: CanonicalGaussians) -> Tensor:
        """[N, head_input_width] input of the heads: f_i and, if the config has it, gamma(X)."""
        if not self.config.position_frequencies:
            return code
        unit = canonical.means / self.config.extent
        encoded = sinusoidal_encoding(unit, self.config.position_frequencies)
        return torch.cat([code, encoded], dim=-1)

    def forward(
        self, canonical: CanonicalGaussians, windowed: Tensor, time: float | Tensor
    ) -> CanonicalGaussians:
        """Gaussians at a time, before activation.

        Args:
            canonical: N Gaussians.
            windowed: [N, W*F] dequantised features of the window, oldest frame first.
            time: position in the GOP, frame index / G, 0..1.
        """
        moved = canonical.at(time)
        found = self.apply_heads(self.temporal_code(windowed, time), moved)
        if moved is canonical:
            return found
        return replace(found, opacity_logits=without_absent(found.opacity_logits, moved))


def without_absent(logits: Tensor, moved: CanonicalGaussians) -> Tensor:
    """[N] opacity logits where the field cannot bring back what its trajectory left absent.

    Args:
        logits: [N] with what the field adds.
        moved: N Gaussians at the time, before the field.
    """
    return torch.where(moved.opacity_logits > ABSENT_LOGIT, logits, moved.opacity_logits)


def _head(inputs: int, width: int, outputs: int) -> nn.Sequential:
    last = nn.Linear(width, outputs)
    nn.init.zeros_(last.weight)  # a fresh field leaves the canonical Gaussians where they are
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), last)
