"""A scene that does what a test tells it: waits at a gate, fails, writes down what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from streamstgs.app.player.playback import Playback
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.errors import Cancelled, CodecError, CorruptSegment
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.packets import FeaturePacket, Keyframe, KeyframePacket
from streamstgs.codec.quality import Quality, quality_with_qp
from streamstgs.codec.streaming.adaptive import GopLadder, Ladder
from streamstgs.codec.streaming.transport import Listener, RequestProgress, ignore_progress
from streamstgs.renderer import Gaussians, Gop

from tests.synthetic import SyntheticSource


@dataclass
class ManualClock:
    """A monotonic time that stands still until the test moves it."""

    now_s: float = 100.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.now_s += seconds


@dataclass
class ScriptedNetwork:
    """A line of some throughput in simulated time: what passes moves the clock.

    Args:
        listener: told as a transport would.
        cancelled: names of parts that were given up on the way.
        passed_bytes: of the last part.
        on_request: called with this and the name of a part before it comes; may wait or change it.
        passing: held while a part passes, so that a test moves the clock only in between.
        settle: called with the token of a part before each step; waits until the player has acted
            on what passed.
    """

    clock: ManualClock
    bps: float
    listener: Listener = ignore_progress
    latency_s: float = 0.04
    step_s: float = 0.1
    requests: int = 0
    cancelled: list[str] = field(default_factory=list)
    on_request: Callable[[ScriptedNetwork, str], None] = lambda line, name: None
    passed_bytes: int = 0
    passing: threading.Lock = field(default_factory=threading.Lock)
    settle: Callable[[CancelToken], None] = lambda cancel: None

    def pass_bytes(self, name: str, count: int, cancel: CancelToken) -> None:
        """Take the time that so many bytes take; raises Cancelled."""
        self.requests += 1
        self.on_request(self, name)
        with self.passing:
            self._pass(name, count, cancel)

    def _pass(self, name: str, count: int, cancel: CancelToken) -> None:
        self._tell(name, "waiting", 0)
        self.clock.advance(self.latency_s)
        passed = 0.0
        self._tell(name, "receiving", 0)
        while passed < count:
            self.settle(cancel)
            if cancel.cancelled:
                self.cancelled.append(name)
                self.passed_bytes = int(passed)
                self._tell(name, "cancelled", int(passed))
                raise Cancelled(name)
            seconds = min(self.step_s, 8 * (count - passed) / self.bps)
            self.clock.advance(seconds)
            passed += max(self.bps * seconds / 8, 1.0)
            self._tell(name, "receiving", min(int(passed), count))
        self._tell(name, "done", count)

    def _tell(self, name: str, state: Any, received: int) -> None:
        first_byte_s = None if state == "waiting" else self.latency_s
        step = RequestProgress(self.requests, name, state, received, 0.0, first_byte_s, tries=1)
        self.listener(step)


@dataclass
class ScriptedScene:
    """Implements `codec.scene.Scene` over `SyntheticSource`.

    Args:
        failures: (GOP, QP) -> its outcome: CorruptSegment when it is decoded, any other
            error when it is fetched.
        open_gate: while false, decoding waits for `release` (or its cancellation).
        static_layers: into how many parts the static Gaussians are divided.
        static_parts: what came of layers before they were cancelled; asking again continues them.
        network: what everything is fetched through.
        kept: (GOP, QP) that a disk has, and -1 - layer for static layers.
        fetched: (GOP, QP) in order; static layer k as (-1 - k, -1), keyframes as (GOP, -1).
    """

    source: SyntheticSource = field(
        default_factory=lambda: SyntheticSource(20, 10, (10, 10, 10, 10, 5), fps=10.0)
    )
    qps: tuple[int, ...] = (20, 28, 32)
    location: str = "scripted.stgs"
    failures: dict[tuple[int, int], CodecError] = field(default_factory=dict)
    open_gate: bool = True
    decoded: list[tuple[int, int]] = field(default_factory=list)
    started: list[tuple[int, int]] = field(default_factory=list)
    cancellations: list[int] = field(default_factory=list)
    closed: bool = False
    static_layers: int = 1
    static_bytes: int = 3000
    network: ScriptedNetwork | None = None
    kept: set[tuple[int, int] | int] = field(default_factory=set)
    fetched: list[tuple[int, int]] = field(default_factory=list)
    static_parts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self._permits = 0
        self._gops: dict[int, TrainedGop] = {}

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

    @property
    def gop_times(self) -> GopTimes:
        return GopTimes.of(self.source.frames_per_gop)

    def gop_frames(self, index: int) -> int:
        return self.source.frames_per_gop[index]

    def gop_start_frame(self, index: int) -> int:
        return sum(self.source.frames_per_gop[:index])

    first_gop = 0
    live = None

    def is_listed(self, index: int) -> bool:
        return True

    def page_span(self, index: int) -> range:
        return range(self.gop_count)

    def own_static(self, index: int) -> None:
        """All GOPs share the static layers."""

    def _segment_bytes(self, qp: int) -> int:
        return 1000 * (40 - qp)

    @property
    def qualities(self) -> tuple[Quality, ...]:
        return tuple(
            Quality(k, qp, 8 * 100.0 * (40 - qp) * self.source.fps, 60.0 - qp)
            for k, qp in enumerate(reversed(self.qps))
        )

    def quality(self, qp: int) -> Quality:
        return quality_with_qp(self.qualities, qp)

    def bytes_per_frame(self, quality: Quality) -> dict[str, float]:
        size = 100.0 * (40 - quality.qp)
        return {"features": size, "total": size}

    sound = None
    read_sound = None

    def ladder(self) -> Ladder:
        qps = tuple(reversed(self.qps))
        sizes = [self._segment_bytes(qp) - 3000 for qp in qps]
        quality = tuple(60.0 - qp for qp in qps)
        gops = tuple(
            GopLadder(self.gop_frames(gop) / self.source.fps, 2500, 500, tuple(sizes), quality)
            for gop in range(self.gop_count)
        )
        layers = self.static_layers
        static_db = (*(20.0 + 5 * k for k in range(layers)), 100.0)
        return Ladder(qps, gops, (self.static_bytes,) * layers, static_db)

    # what a server does

    def expect(
        self,
        static: Iterable[int] = (),
        keyframe: int | None = None,
        features: tuple[int, Quality] | None = None,
        static_gop: int | None = None,
        held: int = 0,
    ) -> None:
        """A script needs no plan."""

    def fetch_static(
        self, layer: int, cancel: CancelToken = NEVER, gop: int | None = None
    ) -> bytes:
        missing = self.static_bytes - self.static_parts.get(layer, 0)
        try:
            self._fetch((-1 - layer, -1), missing, cancel)
        except Cancelled:
            if self.network is not None:
                came = self.static_bytes - missing + self.network.passed_bytes
                self.static_parts[layer] = came
            raise
        return bytes([layer])

    def fetch_keyframe(self, index: int, cancel: CancelToken = NEVER) -> KeyframePacket:
        self._fetch((index, -1), 3000, cancel)
        return KeyframePacket((bytes(2500),), bytes(500))

    def fetch_features(
        self,
        index: int,
        quality: Quality,
        cancel: CancelToken = NEVER,
        held: tuple[bytes, ...] = (),
    ) -> FeaturePacket:
        size = self._segment_bytes(quality.qp) - 3000
        self._fetch((index, quality.qp), size, cancel)
        return FeaturePacket(quality, b"", bytes(size))

    def is_static_kept(self, layer: int) -> bool:
        return -1 - layer in self.kept

    def kept_qualities(self, index: int) -> tuple[Quality, ...]:
        return tuple(quality for quality in self.qualities if (index, quality.qp) in self.kept)

    def _fetch(self, part: tuple[int, int], size: int, cancel: CancelToken) -> None:
        if cancel.cancelled:
            raise Cancelled("no longer wanted")
        self._note(self.fetched, part)
        error = self.failures.get(part)
        if error is not None and not isinstance(error, CorruptSegment):
            raise error
        if self.network is not None and part not in self.kept:
            self.network.pass_bytes(str(part), size, cancel)

    # what decodes

    @property
    def decoder(self) -> ScriptedScene:
        return self

    def _trained(self, gop: int) -> TrainedGop:
        if gop not in self._gops:
            self._gops[gop] = self.source.gop(gop)
        return self._gops[gop]

    def static(
        self, layer: int, data: bytes, cancel: CancelToken = NEVER, gop: int | None = None
    ) -> Gaussians:
        everything = self.source.static.activate()
        share = -(-len(everything) // self.static_layers)
        return everything[slice(layer * share, (layer + 1) * share)]

    def keyframe(self, gop: int, packet: KeyframePacket, cancel: CancelToken = NEVER) -> Keyframe:
        trained = self._trained(gop)
        return Keyframe(trained.canonical, trained.field)

    def features(
        self, gop: int, packet: FeaturePacket, cancel: CancelToken = NEVER
    ) -> torch.Tensor:
        self._pass_gate(gop, packet.quality.qp, cancel)
        if (gop, packet.quality.qp) in self.failures:
            raise self.failures[gop, packet.quality.qp]
        codes = (self._trained(gop).features * 50 + 128).to(torch.uint8)
        self._note(self.decoded, (gop, packet.quality.qp))
        return codes

    def assemble(
        self,
        gop: int,
        static: Gaussians,
        keyframe: Keyframe,
        codes: torch.Tensor,
        device: torch.device | str = "cpu",
    ) -> Gop:
        channels = codes.shape[-1]
        return Gop(
            static=static,
            canonical=keyframe.canonical,
            features=codes,
            feature_offset=torch.full((channels,), -128 / 50),
            feature_step=torch.full((channels,), 1 / 50),
            field=keyframe.field,
            frames=self.gop_frames(gop),
        )

    # both at once, as films and measurements want it

    def read_static(
        self, device: torch.device | str = "cpu", cancel: CancelToken = NEVER
    ) -> Gaussians:
        return self.source.static.activate().to(device)

    def decode_gop(
        self,
        index: int,
        quality: Quality,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> Gop:
        packet = self.fetch_features(index, quality, cancel)
        keyframe = self.keyframe(index, self.fetch_keyframe(index, cancel))
        codes = self.features(index, packet, cancel)
        return self.assemble(index, self.read_static(device), keyframe, codes, device)

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

    def _pass_gate(self, index: int, qp: int, cancel: CancelToken) -> None:
        self._note(self.started, (index, qp))
        with self.changed:
            while not (self.open_gate or self._permits):
                if cancel.cancelled:
                    self.cancellations.append(index)
                    self.changed.notify_all()
                    raise Cancelled("no longer wanted")
                self.changed.wait(0.005)
            self._permits -= 0 if self.open_gate else 1

    def _note(self, notes: list[tuple[int, int]], entry: tuple[int, int]) -> None:
        with self.changed:
            notes.append(entry)
            self.changed.notify_all()


def gop_of(frame: PlaybackFrame) -> int:
    """Which GOP of a `ScriptedScene` shows a frame: those before the last have ten frames."""
    return frame.index // 10


def decoded_gops(playback: Playback) -> int:
    """How many GOPs are decoded now."""
    assert playback.opened is not None
    gops = range(playback.opened.timeline.gop_count)
    return sum(playback._pipeline.get(gop) is not None for gop in gops)
