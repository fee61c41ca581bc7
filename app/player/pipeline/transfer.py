"""A transfer: the parts of a segment or a static layer, fetched one after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from streamstgs.app.player.pipeline.scheduler import TransferInfo
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import InFlight, LayerInFlight, SegmentInFlight


class PartThread:
    """Runs calls one after the other in a daemon thread, which starts with the first call.

    Python waits at its end for the threads of a `ThreadPoolExecutor`, also for one that hangs.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="fetch-part", daemon=True)

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Queue a call; the future gets its result or its error."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                result = call(*args)
            except BaseException as error:  # the thread boundary
                future.set_exception(error)
            else:
                future.set_result(result)

        if self._thread.ident is None:
            self._thread.start()
        self._calls.put(run)
        return future

    def close(self, timeout_s: float | None = None) -> None:
        """Wait for the end of the calls and of the thread."""
        self._calls.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while call := self._calls.get():
            call()


@dataclass(frozen=True)
class LayerPart:
    """A static layer. The transport keeps received bytes of a cancelled one and continues it.

    Args:
        shown_with: A GOP that is shown with the layer; None for the layers of scene.json.
    """

    layer: int
    shown_with: int | None = None

    def fetch(self, scene: Scene, cancel: CancelToken) -> bytes:
        return scene.fetch_static(self.layer, cancel, self.shown_with)


@dataclass(frozen=True)
class KeyframePart:
    """Field of a GOP, and the part of its keyframe that is the same for all qualities."""

    gop: int

    def fetch(self, scene: Scene, cancel: CancelToken) -> KeyframePacket:
        return scene.fetch_keyframe(self.gop, cancel)


@dataclass(frozen=True)
class FeaturesPart:
    """What a GOP has at one quality beside the shared keyframe.

    Args:
        held: Keyframe layers that are buffered with another quality.
    """

    gop: int
    quality: Quality
    held: tuple[bytes, ...] = ()

    def fetch(self, scene: Scene, cancel: CancelToken) -> FeaturePacket:
        return scene.fetch_features(self.gop, self.quality, cancel, self.held)


@dataclass(frozen=True)
class PagePart:
    """The page that lists a GOP."""

    gop: int

    def fetch(self, scene: Scene, cancel: CancelToken) -> bool:
        scene.fetch_page(self.gop, cancel)
        return True


Part = LayerPart | KeyframePart | FeaturesPart | PagePart


class TransferProgress:
    """Bytes and time of one transfer, and when to review it. Belongs to the fetch thread.

    Args:
        every_s: Seconds between two reviews.
    """

    def __init__(
        self, probe: ThroughputProbe, monotonic: Callable[[], float], every_s: float
    ) -> None:
        self._probe = probe
        self._monotonic = monotonic
        self._every_s = every_s
        self._began_s = self._reviewed_s = monotonic()
        self._bytes_before = probe.total_bytes
        self._place: int | None = None  # GOP at the position
        self._rests_since_s = self._began_s

    def begin_review(self) -> bool:
        """Whether a review is due; if so, the next one is due after `every_s`."""
        now_s = self._monotonic()
        if now_s - self._reviewed_s < self._every_s:
            return False
        self._reviewed_s = now_s
        return True

    def follow(self, place: int) -> bool:
        """Note the GOP at the position; returns True once it has been unchanged for `every_s`."""
        now_s = self._monotonic()
        if place != self._place:
            self._place, self._rests_since_s = place, now_s
        return now_s - self._rests_since_s >= self._every_s

    @property
    def elapsed_s(self) -> float:
        """Seconds from the start to the last review."""
        return self._reviewed_s - self._began_s

    @property
    def received_bytes(self) -> int:
        return self._probe.total_bytes - self._bytes_before

    def discard_received(self) -> None:
        """Count from zero, because the received bytes are of no use."""
        self._bytes_before = self._probe.total_bytes

    def count_at_least(self, size_bytes: int) -> None:
        """Count bytes that need not be fetched as received."""
        self._bytes_before = min(self._bytes_before, self._probe.total_bytes - size_bytes)


class Transfer:
    """Fetches a list of parts one after the other. Belongs to the fetch thread.

    While a part is in flight the owner may cancel the transfer, or change its quality: a keyframe
    continues then, features start again.

    Args:
        scene: Where parts are fetched from.
        info: What is fetched.
        parts: In the order of fetching.
        progress: Of this transfer.
        size_bytes: Of everything, at the present quality.
        kept_bytes: Of parts that need not be fetched.
        thread: Where parts are fetched.
        closing: Cancels every part.
        on_done: Called in that thread when a part is done.
    """

    def __init__(
        self,
        scene: Scene,
        info: TransferInfo,
        parts: list[Part],
        progress: TransferProgress,
        size_bytes: int,
        kept_bytes: int,
        thread: PartThread,
        closing: CancelToken,
        on_done: Callable[[], None],
    ) -> None:
        self._scene = scene
        self.info = info
        self._parts = deque(parts)
        self.progress = progress
        self._size_bytes = size_bytes
        self._thread = thread
        self._closing = closing
        self._on_done = on_done
        self._cancel = CancelToken(closing)  # of the part in flight
        self._future: Future[Any] | None = None
        self._restarts = False  # the part in flight was cancelled to be fetched at `info.quality`
        self._kept_bytes = kept_bytes
        progress.count_at_least(kept_bytes)

    def start_part(self) -> Part | None:
        """Begin to fetch the next part; None if no part is left."""
        if not self._parts:
            return None
        self._expect()
        part = self._parts[0]
        self._cancel, self._restarts = CancelToken(self._closing), False
        self._future = self._thread.submit(part.fetch, self._scene, self._cancel)
        self._future.add_done_callback(lambda _: self._on_done())
        return part

    @property
    def is_part_done(self) -> bool:
        return self._future is None or self._future.done()

    @property
    def is_cancelled(self) -> bool:
        """Whether the part in flight was told to end."""
        return self._cancel.cancelled

    def finish_part(self, part_bytes: int) -> Any:
        """The content of the part that is done; None if it is to be fetched at another quality.

        Args:
            part_bytes: Size of the part, counted as received wherever it came from.

        Raises:
            CodecError: The part cannot be fetched, or the transfer was cancelled.
        """
        assert self._future is not None
        try:
            content = self._future.result()
        except Cancelled:
            if not self._restarts or self._closing.cancelled:
                raise
            self.progress.discard_received()
            self.progress.count_at_least(self._kept_bytes)
            return None
        self._parts.popleft()
        self._kept_bytes += part_bytes
        self.progress.count_at_least(self._kept_bytes)
        return content

    def cancel(self) -> None:
        """End the transfer: `finish_part` will raise Cancelled, unless the part is done before."""
        self._restarts = False
        self._cancel.cancel()

    def change_quality(self, quality: Quality, size_bytes: int) -> None:
        """Fetch the features at another quality.

        Args:
            size_bytes: Of everything, at this quality.
        """
        assert self.info.gop is not None
        in_flight, last = self._parts[0], self._parts.pop()
        assert isinstance(last, FeaturesPart)
        features = replace(last, quality=quality)
        self._parts.append(features)
        self.info = TransferInfo(self.info.gop, None, quality, self.info.serial, self.info.is_new)
        self._size_bytes = size_bytes
        if isinstance(in_flight, FeaturesPart):
            self._restarts = True
            self._cancel.cancel()
        else:
            self._expect()

    def flight(self) -> InFlight:
        """The transfer as the adaptive policy sees it."""
        info, elapsed_s = self.info, self.progress.elapsed_s
        if info.layer is not None:
            return LayerInFlight(info.layer, self.received_bytes, elapsed_s)
        assert info.gop is not None
        assert info.quality is not None
        return SegmentInFlight(info.gop, info.quality.index, self.received_bytes, elapsed_s)

    @property
    def received_bytes(self) -> int:
        """Of all parts, those that were not fetched included; of a layer never quite all."""
        received = self.progress.received_bytes
        return received if self.info.layer is None else min(received, self._size_bytes - 1)

    @property
    def is_mostly_received(self) -> bool:
        """Whether at least half of the bytes were received."""
        return 2 * self.progress.received_bytes >= self._size_bytes

    def _expect(self) -> None:
        """Tell the scene which parts follow, so that it asks a server for all of them at once."""
        layers, keyframe, features, held = [], None, None, 0
        static_gop: int | None = None
        for part in self._parts:
            match part:
                case LayerPart(layer, shown_with):
                    layers.append(layer)
                    static_gop = shown_with
                case KeyframePart(gop):
                    keyframe = gop
                case FeaturesPart(gop, quality, kept):
                    features, held = (gop, quality), len(kept)
        self._scene.expect(layers, keyframe, features, static_gop, held)
