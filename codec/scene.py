"""A scene opened for playing: any GOP at any rung, from a file, a directory or a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from codec.source import SceneMeta
from renderer import Gaussians, Gop


@dataclass(frozen=True)
class OpenSettings:
    """How a scene is read.

    Args:
        decode_threads: threads of the video decoder.
    """

    decode_threads: int = 1


class Scene(Protocol):
    """One open scene. `decode_gop` and `read_static` belong to one reader thread; the
    properties and byte counts may be read from any other thread at the same time."""

    location: str
    meta: SceneMeta
    rungs: tuple[int, ...]  # QPs of the ladder, best quality (lowest QP) first
    gop_count: int
    frame_count: int
    duration_s: float

    def gop_frames(self, index: int) -> int:
        """G, how many content frames a GOP shows."""
        ...

    def gop_start_frame(self, index: int) -> int:
        """Index in the scene of a GOP's first content frame."""
        ...

    def gop_start_s(self, index: int) -> float:
        """Content time of a GOP's first frame."""
        ...

    def segment_bytes(self, index: int, rung: int) -> int:
        """Bytes to fetch for one GOP at a rung: keyframe, field weights and feature video."""
        ...

    def bytes_per_frame(self, rung: int) -> dict[str, float]:
        """Bytes per content frame at a rung over the whole scene: static, keyframes, fields,
        features, manifest and their total."""
        ...

    def read_static(self, device: torch.device | str = "cpu") -> Gaussians:
        """The Gaussians that never move, activated; read once and kept.

        Raises:
            CodecError: MissingSegment, CorruptSegment or SceneUnreachable.
        """
        ...

    def decode_gop(
        self,
        index: int,
        rung: int,
        device: torch.device | str = "cpu",
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Gop:
        """Fetch and decode one GOP.

        Args:
            index: 0 .. gop_count - 1.
            rung: one of `rungs`.
            device: where the planes shall be.
            cancelled: asked between chunks and frames; true raises Cancelled soon.

        Raises:
            CodecError: MissingSegment, CorruptSegment, SceneUnreachable or Cancelled.
            IndexError, KeyError: no such GOP or rung.
        """
        ...

    def close(self) -> None:
        """Let go of the file or the connection."""
        ...


# def open_scene(location: str | Path, settings: OpenSettings = OpenSettings()) -> Scene
__all__ = ["OpenSettings", "Path", "Scene"]
