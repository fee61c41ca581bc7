"""How the encoder judges qualities and static layers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class QualitySettings:
    """What is drawn to judge a quality or a static layer.

    Args:
        cameras: the first so many presets of the scene, one on the orbit where it has none; 0
            measures nothing.
        height_px: of the pictures; their width keeps the aspect of the capture.
        frames_per_gop: spread evenly over the GOP.
        static_frames_per_gop: the same where static layers are judged.
    """

    cameras: int = 4
    height_px: int = 180
    frames_per_gop: int = 4
    static_frames_per_gop: int = 1
