"""A scene that does what a test tells it: waits at a gate, fails, writes down what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from codec.errors import Cancelled, CodecError
from codec.source import SceneMeta
from renderer import Gaussians, Gop
from tests.synthetic import SyntheticSource


@dataclass
class ManualClock:
    """A monotonic time that stands still until the test moves it."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class ScriptedScene:
    """Implements `codec.scene.Scene` over `SyntheticSource`.

    Args:
        failures: (GOP, rung) -> what decoding it raises.
        open_gate: while false, decoding waits for `release` (or its cancellation).
    """

    source: SyntheticSource = field(
        default_factory=lambda: SyntheticSource(20, 10, (10, 10, 10, 10, 5), fps=10.0)
    )
    rungs: tuple[int, ...] = (20, 28, 32)
    location: str = "scripted.stgs"
    failures: dict[tuple[int, int], CodecError] = field(default_factory=dict)
    open_gate: bool = True
    decoded: list[tuple[int, int]] = field(default_factory=list)
    started: list[tuple[int, int]] = field(default_factory=list)
    cancellations: list[int] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self._permits = 0

    @property
    def meta(self) -> SceneMeta:
        return self.source.meta

    @property
    def gop_count(self) -> int:
        return self.source.gop_count

    @property
    def frame_count(self) -> int:
        return sum(self.source.frames_per_gop)

    @property
    def duration_s(self) -> float:
        return self.frame_count / self.source.fps

    def gop_frames(self, index: int) -> int:
        return self.source.frames_per_gop[index]

    def gop_start_frame(self, index: int) -> int:
        return sum(self.source.frames_per_gop[:index])

    def gop_start_s(self, index: int) -> float:
        return self.gop_start_frame(index) / self.source.fps

    def segment_bytes(self, index: int, rung: int) -> int:
        return 1000 * (40 - rung)

    def bytes_per_frame(self, rung: int) -> dict[str, float]:
        return {"features": 100.0 * (40 - rung), "total": 100.0 * (40 - rung)}

    def read_static(
        self, device: torch.device | str = "cpu", cancelled: Callable[[], bool] = lambda: False
    ) -> Gaussians:
        return self.source.static.activate().to(device)

    def decode_gop(
        self,
        index: int,
        rung: int,
        device: torch.device | str = "cpu",
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Gop:
        self._pass_gate(index, rung, cancelled)
        if (index, rung) in self.failures:
            raise self.failures[index, rung]
        trained = self.source.gop(index)
        features = trained.features.shape[-1]
        gop = Gop(
            static=self.read_static(device),
            canonical=trained.canonical,
            features=(trained.features * 50 + 128).to(torch.uint8),
            feature_offset=torch.full((features,), -128 / 50),
            feature_step=torch.full((features,), 1 / 50),
            field=trained.field,
            frames=trained.frames,
        )
        self._note(self.decoded, (index, rung))
        return gop

    def release(self, gops: int = 1) -> None:
        """Let that many waiting (or coming) decodes through the closed gate."""
        with self.changed:
            self._permits += gops
            self.changed.notify_all()

    def open_the_gate(self) -> None:
        with self.changed:
            self.open_gate = True
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, 10.0), "the scripted scene waited in vain"

    def close(self) -> None:
        self.closed = True

    def _pass_gate(self, index: int, rung: int, cancelled: Callable[[], bool]) -> None:
        self._note(self.started, (index, rung))
        with self.changed:
            while not (self.open_gate or self._permits):
                if cancelled():
                    self.cancellations.append(index)
                    self.changed.notify_all()
                    raise Cancelled("no longer wanted")
                self.changed.wait(0.005)
            self._permits -= 0 if self.open_gate else 1

    def _note(self, notes: list[tuple[int, int]], entry: tuple[int, int]) -> None:
        with self.changed:
            notes.append(entry)
            self.changed.notify_all()
