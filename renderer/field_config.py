"""The shape of a deformation field; loads no torch, since every manifest states one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldConfig:
    """Shape of a deformation field.

    Args:
        features: F, channels of a temporal feature.
        window: W, how many neighbouring feature frames one frame sees; odd.
        width: neurons of each hidden layer.
        time_frequencies: octaves of gamma(t).
        position_frequencies: octaves of gamma(X) given to the heads; 0 leaves it out.
        extent: world units that one unit of the position head's output stands for.
    """

    features: int = 8
    window: int = 3
    width: int = 64
    time_frequencies: int = 4
    position_frequencies: int = 0
    extent: float = 1.0

    @property
    def input_width(self) -> int:
        return self.window * self.features + 2 * self.time_frequencies

    @property
    def head_input_width(self) -> int:
        return self.width + 6 * self.position_frequencies

    @property
    def multiplications(self) -> int:
        """Products that the field takes for one Gaussian in one frame: its weights."""
        temporal = self.input_width * self.width + self.width * self.width
        heads = 5 * self.head_input_width * self.width + 14 * self.width  # 14 numbers come out
        return temporal + heads
