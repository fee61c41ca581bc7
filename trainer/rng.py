"""Seeded random numbers: scalars from the host, so that no step waits for a GPU, tensors on it."""

from __future__ import annotations

import torch
from torch import Tensor


class Rng:
    """Random numbers of one training stage; checkpoints keep its state."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.host = torch.Generator().manual_seed(seed)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.device = device

    def integer(self, below: int) -> int:
        """An integer in 0 .. below-1."""
        return int(torch.randint(below, (1,), generator=self.host))

    def share(self) -> float:
        """A number in 0..1."""
        return float(torch.rand(1, generator=self.host))

    def choice(self, count: int, below: int) -> list[int]:
        """`count` different integers in 0 .. below-1 (all of them, if there are fewer)."""
        return torch.randperm(below, generator=self.host)[:count].tolist()

    def permutation(self, count: int) -> Tensor:
        """[count] int64 permutation on the device."""
        return torch.randperm(count, generator=self.host).to(self.device)

    def subset(self, count: int, below: int) -> Tensor:
        """[count] different int64 in 0 .. below-1 (all of them, if fewer), drawn on the device."""
        order = torch.randperm(below, generator=self.generator, device=self.device)
        return order[:count]

    def color(self) -> tuple[float, float, float]:
        """RGB, 0..1."""
        red, green, blue = torch.rand(3, generator=self.host).tolist()
        return (red, green, blue)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers on the device."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in 0..1 on the device."""
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def state_dict(self) -> dict[str, Tensor]:
        return {"host": self.host.get_state(), "device": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.host.set_state(state["host"].cpu())
        self.generator.set_state(state["device"].cpu())
