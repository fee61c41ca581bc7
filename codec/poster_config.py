"""How the encoder makes a poster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PosterSettings:
    """How a poster is made.

    Args:
        width_px: of the poster at most; 0 makes none.
        quality: of the JPEG, 0..100; less where it gets too long otherwise.
        most_bytes: what it should not exceed.
        window_aspects: the poster fills windows between these aspect ratios (width / height).
        most_margin: but is at most so many times as wide or high as the capture's own picture.
    """

    width_px: int = 1280
    quality: int = 85
    most_bytes: int = 100_000
    window_aspects: tuple[float, float] = (9 / 16, 1.85)
    most_margin: float = 3.2
