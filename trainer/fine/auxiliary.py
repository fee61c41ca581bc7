"""The transformer-guided auxiliary pass with self-distillation (paper Sec. 3.3); training only.

The temporal MLP D_t sees a window of three feature frames. A transformer that sees a Gaussian at
all times of the GOP knows more: f'_i = F(f_i, gamma(t_i), gamma(X)). The image rendered from f'
gets the same colour loss (L_t), and L_sd = |f_i - f'_i| distils the transformer into D_t and the
features. The transformer is not written: playback does not need it.

Where the paper is silent:
- F adds to f, and its last layer starts at zero: training begins with f' = f.
- Each step takes a random batch of Gaussians; the others are rendered without a gradient from L_t,
  so that L_t depends on the batch alone.
- L_sd draws f' to f as well, as it is printed. With f' as a teacher that takes no gradient from it,
  f' leaves f, and the heads follow f' (benchmarks/auxiliary_toy.py).
- L_sd is the mean over the batch and all times of the GOP, which are computed anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from streamstgs.renderer import CanonicalGaussians, DeformationField, Gaussians
from streamstgs.renderer.deformation import sinusoidal_encoding
from streamstgs.trainer.setting_checks import (
    Count,
    CountOrZero,
    Share,
    Weight,
    check_ranges,
    require,
)
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


@dataclass(frozen=True)
class AuxiliaryConfig:
    """The transformer F of the auxiliary pass, and the weights of its losses.

    Args:
        enabled: Run the auxiliary pass.
        every: Steps between passes; 1 runs it in each step.
        batch_size: Gaussians of a pass.
        layers: Internal. Layers of the transformer.
        heads: Internal. Attention heads of a layer; they divide the width.
        width: Internal. Width of the transformer.
        time_frequencies: Internal. Octaves of gamma(t).
        position_frequencies: Internal. Octaves of gamma(X).
        lr: Learning rate at the start; it falls as that of the field does.
        color_weight: Weight of L_t.
        distillation_weight: Weight of L_sd (a_sd of the paper).
        residual_bound: Largest distance of f' from f in each number, in units of the usual size of
            f; 0 sets no bound.
        trains_heads: L_t trains the heads of the field, too; without it they learn from L_c alone,
            and the transformer has to speak as D_t does.
        two_way: L_sd draws f' to f as well, as it is printed in the paper; without it f' is a
            teacher that takes no gradient from L_sd.
        start: Share of the iterations before the first pass.
    """

    enabled: bool = True
    every: Count = 1
    batch_size: Count = 2048
    layers: Count = 2
    heads: Count = 4
    width: Count = 64
    time_frequencies: CountOrZero = 4
    position_frequencies: CountOrZero = 4
    lr: Weight = 1e-3
    color_weight: Weight = 2.0
    distillation_weight: Weight = 0.1
    residual_bound: Weight = 0.0
    trains_heads: bool = True
    two_way: bool = True
    start: Share = 0.0

    def __post_init__(self) -> None:
        group = "gop.auxiliary"
        check_ranges(self, group)
        divides = self.width % self.heads == 0
        require(divides, f"{group}.heads", self.heads, f"a divisor of the width {self.width}")


class TransformerLayer(nn.Module):
    """Pre-norm self-attention over time and a two-layer MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, G, width] -> the same shape."""
        batch, length, width = x.shape
        projected = self.queries_keys_values(self.attention_norm(x))
        split = projected.view(batch, length, 3, self.heads, width // self.heads)
        attended = scaled_dot_product_attention(*split.permute(2, 0, 3, 1, 4).unbind(0))
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.mlp_norm(x))


class AuxiliaryTransformer(nn.Module):
    """F: the codes of a Gaussian at all times of a GOP -> better ones.

    Args:
        code_width: Length of f.
        extent: World units of one unit of gamma's position.
    """

    def __init__(self, code_width: int, extent: float, config: AuxiliaryConfig) -> None:
        super().__init__()
        self.config, self.extent = config, extent
        encoded = 2 * config.time_frequencies + 6 * config.position_frequencies
        self.inlet = nn.Linear(code_width + encoded, config.width)
        self.layers = nn.Sequential(
            *(TransformerLayer(config.width, config.heads) for _ in range(config.layers))
        )
        self.outlet = nn.Linear(config.width, code_width)
        nn.init.zeros_(self.outlet.weight)  # a fresh transformer changes nothing
        nn.init.zeros_(self.outlet.bias)

    def forward(self, codes: Tensor, means: Tensor) -> Tensor:
        """f' of Eq. 5.

        Args:
            codes: [B, G, width] f of B Gaussians at the G times of a GOP.
            means: [B, 3] their canonical centres, world units.
        """
        config, (batch, length, _) = self.config, codes.shape
        times = gop_times(length, codes.device)[:, None]
        gamma_t = sinusoidal_encoding(times, config.time_frequencies).expand(batch, -1, -1)
        gamma_x = sinusoidal_encoding(means / self.extent, config.position_frequencies)
        seen = torch.cat([codes, gamma_t, gamma_x[:, None].expand(-1, length, -1)], dim=-1)
        on_cuda = codes.is_cuda
        with torch.autocast(codes.device.type, torch.bfloat16, enabled=on_cuda):
            change = self.outlet(self.layers(self.inlet(seen))).float()
        if config.residual_bound > 0:
            bound = config.residual_bound * codes.detach().square().mean().sqrt().clamp(min=1e-6)
            change = bound * torch.tanh(change / bound)
        return codes + change


class AuxiliaryPass:
    """The transformer with its optimiser, for one GOP in training."""

    def __init__(
        self, field: DeformationField, config: AuxiliaryConfig, device: torch.device, seed: int
    ) -> None:
        self.config, self.field = config, field
        with torch.random.fork_rng(devices=[]):  # its weights depend on the seed alone
            torch.manual_seed(seed)
            made = AuxiliaryTransformer(field.config.width, field.config.extent, config)
        self.transformer = made.to(device)
        self.optimizer = torch.optim.Adam(
            self.transformer.parameters(), lr=config.lr, fused=device.type == "cuda"
        )

    def is_due(self, iteration: int, iterations: int) -> bool:
        """Whether the step number `iteration` of so many has an auxiliary pass."""
        started = iteration >= self.config.start * iterations
        return started and iteration % self.config.every == 0

    def guided(
        self, canonical: CanonicalGaussians, features: Tensor, frame: int
    ) -> tuple[Gaussians, Tensor]:
        """A batch of B Gaussians as the transformer has it.

        Args:
            canonical: The batch, before it is moved.
            features: [B, E, F] features, clamped and with noise.
            frame: Number of the frame in the GOP.

        Returns:
            The batch at the frame by the codes f', and L_sd.
        """
        student = codes_of_all_times(self.field, features)
        teacher = self.transformer(student, canonical.means.detach())
        with _frozen(self.field.heads, not self.config.trains_heads):
            drawn = self.field.apply_heads(teacher[:, frame], canonical)
        if self.config.two_way:
            return drawn.activate(), (student - teacher).abs().mean()
        return drawn.activate(), distillation_loss(student, teacher)

    def set_progress(self, rate_left: float) -> None:
        """Set the learning rate to this share of that at the start."""
        self.optimizer.param_groups[0]["lr"] = self.config.lr * rate_left

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict:
        return {"transformer": self.transformer.state_dict(), "adam": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.transformer.load_state_dict(state["transformer"])
        self.optimizer.load_state_dict(state["adam"])


@contextmanager
def _frozen(module: nn.Module, frozen: bool) -> Iterator[None]:
    """While the context is open, what is computed has no gradient by the module's weights."""
    if not frozen:
        yield
        return
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def codes_of_all_times(field: DeformationField, features: Tensor) -> Tensor:
    """[B, G, width] f_i of features [B, E, F] at all G times: `temporal_code` for many at once."""
    windows = features.unfold(1, field.config.window, 1)  # [B, G, F, W]
    windowed = windows.transpose(2, 3).flatten(2)  # [B, G, W * F], oldest frame first
    times = gop_times(windowed.shape[1], features.device)[:, None]
    gamma_t = sinusoidal_encoding(times, field.config.time_frequencies)
    return field.temporal(torch.cat([windowed, gamma_t.expand(len(features), -1, -1)], dim=-1))


def gop_times(frames: int, device: torch.device) -> Tensor:
    """[G] time given to the field at each frame, 0..1."""
    return torch.arange(frames, device=device) / frames


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """L_sd: mean |f - f'|; the teacher f' takes no gradient."""
    return (student - teacher.detach()).abs().mean()


def with_batch(gaussians: Gaussians, batch: Tensor, guided: Gaussians) -> Gaussians:
    """All Gaussians at a frame: those of the batch [B] are replaced by `guided`, the others have no
    gradient."""
    new = guided.tensors()
    drawn = {
        name: old.detach().index_copy(0, batch, new[name])
        for name, old in gaussians.tensors().items()
    }
    return Gaussians(**drawn)
