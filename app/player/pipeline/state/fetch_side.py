"""What the fetch thread and the transport tell the pipeline, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from streamstgs.app.player.buffer.packet_queue import StoredGop
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.buffer.static_stock import StaticStock
from streamstgs.app.player.phases import PipelineEvent, PipelinePhase
from streamstgs.app.player.pipeline.fetch_view import FetchView, PlayTarget
from streamstgs.app.player.pipeline.state.locked_state import FETCHING, LockedState
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.translation import tr
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment, Throughput


class FetchSide(LockedState):
    """Opens the scene and stores packets. Called by the fetch thread and the transport."""

    def publish(self, buffer: SceneBuffer, target: PlayTarget) -> None:
        """Make a scene the open one, with a first target: fetching begins at once."""
        with self._changed:
            self._phase.handle(PipelineEvent.OPENED)
            self._buffer, self._target = buffer, target
            self._touch()

    def grow(self, opened: OpenedScene) -> None:
        """Make known that the open scene, a live one, has more GOPs or has ended."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.opened = opened
            self._touch()

    def replace_scene(self, message: str) -> None:
        """Report that another scene replaced the open one, which will be opened next."""
        with self._changed:
            self._phase.handle(PipelineEvent.REPLACED)
            self._report(message)

    def fetch_view(self, throughput: Throughput | None) -> tuple[int, FetchView]:
        """A snapshot for the scheduler, and its version."""
        with self._changed:
            buffer, target = self._buffer, self._target
            assert buffer is not None
            assert target is not None
            first_gop = buffer.opened.timeline.first_gop
            if target.gop < first_gop:  # it is gone; playback has not noticed yet
                target = replace(target, gop=first_gop)
            qualities = buffer.opened.qualities
            best = qualities[max(len(qualities) - 1 - self._excluded_qualities, 0)]
            view = FetchView.of(buffer, target, self._position_s, best)
            sought = self._served != target.serial
            return self._version, replace(
                view, sought=sought, throughput=throughput, decode_s=self._decode_s
            )

    def begin_step(self, step: FetchSegment | FetchLayer) -> None:
        """Record what is fetched now."""
        with self._changed:
            self._step = step
            if isinstance(step, FetchSegment):
                self._segment_step = step

    def end_step(self) -> None:
        """Record that nothing is in flight."""
        with self._changed:
            self._touch()

    def stored_keyframe(self, gop: int) -> KeyframePacket | None:
        """The keyframe of a GOP, if it is stored."""
        with self._changed:
            stored = self._buffer.packets.get(gop) if self._buffer else None
            return stored.keyframe if stored else None

    def stored_layers(self, gop: int) -> tuple[bytes, ...]:
        """The keyframe layers that are stored with the features of a GOP."""
        with self._changed:
            stored = self._buffer.packets.get(gop) if self._buffer else None
            return stored.features.layers if stored and stored.features else ()

    def put_keyframe(self, gop: int, packet: KeyframePacket) -> None:
        """Store the keyframe of a GOP."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.packets.put_keyframe(gop, packet)
            self._touch()

    def put_segment(self, gop: int, keyframe: KeyframePacket, features: FeaturePacket) -> bool:
        """Store a complete GOP; False if there was no room for it."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.packets.put(gop, StoredGop(keyframe, features))
            self._buffer.trim(self._target.gop if self._target else gop)
            self._touch()
            return self._buffer.packets.get(gop) is not None

    def knows_period(self, gop: int) -> bool:
        """Whether it is known with which static layers a GOP is shown."""
        with self._changed:
            return self._buffer is not None and self._buffer.static.knows(gop)

    def note_shared(self, gops: range) -> None:
        """Record that GOPs are shown with the static layers of scene.json."""
        with self._changed:
            assert self._buffer is not None
            self._buffer.static.note(gops, None, None)

    def note_period(
        self,
        gops: range,
        files: tuple[str, ...],
        sizes: tuple[int, ...],
        db: tuple[float, ...],
        wanted: Iterable[int],
    ) -> None:
        """Record that GOPs are shown with static layers of their own, as of `SceneBuffer`.

        Args:
            wanted: GOPs that are fetched next: their periods are kept in memory.
        """
        with self._changed:
            assert self._buffer is not None
            self._buffer.forget_periods(wanted)
            self._buffer.note_period(gops, files, sizes, db)
            self._touch()

    def put_layer(self, layer: int, data: bytes | None, gop: int | None) -> None:
        """Store the file of a static layer.

        Args:
            data: None if it cannot be fetched.
            gop: One that is shown with the layer; None for the layers of scene.json.
        """
        with self._changed:
            stock = self._stock(gop)
            stock.fetched, stock.part_bytes = layer + 1, 0
            stock.packets[layer] = data
            self._touch()

    def keep_layer_part(self, size_bytes: int, gop: int | None) -> None:
        """Record how much of the next static layer was received when its transfer was stopped."""
        with self._changed:
            self._stock(gop).part_bytes = size_bytes

    def report_outage(self, message: str, is_new: bool) -> None:
        """Show that a server does not answer; as an event if this is a new outage."""
        with self._changed:
            self._message = message
            if is_new:
                self._report(message)
            self._touch()

    def end_outage(self) -> None:
        """Clear the message about an outage."""
        with self._changed:
            self._message = ""

    def pause_after_outage(self, soon_s: float, later_s: float) -> None:
        """Wait `later_s`, only `soon_s` if a frame is missing; a seek and `close` end the wait."""
        with self._changed:
            before = self._target.serial if self._target else None

            def cut_off() -> bool:
                target = self._target
                return self.closing.cancelled or bool(target and target.serial != before)

            if not self._changed.wait_for(cut_off, soon_s):
                rest_s = later_s - soon_s
                self._changed.wait_for(lambda: cut_off() or self._is_frame_missing(), rest_s)

    def wait_for_transfer(
        self, is_done: Callable[[], bool], seen: tuple[int, int], timeout_s: float
    ) -> tuple[int, int]:
        """Wait until a transfer is done, makes progress, or the state changes.

        Args:
            is_done: Whether the transfer is done; `wake` is called when it becomes true.
            seen: What this returned last, or (version, 0) of the view that was acted on.

        Returns:
            the current (version, progress), to be given to the next call.
        """
        with self._changed:
            self._looked = seen
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: is_done() or (self._version, self._progress) != seen, timeout_s
            )
            self._looked = None
            return self._version, self._progress

    def rest(self, wait_s: float | None, seen: int | None) -> None:
        """Wait for another version of the state, because the fetch thread has no work in this one.

        Args:
            wait_s: Content seconds to wait at most; None for no bound.
            seen: The version that was acted on, None for the present one.
        """
        with self._changed:
            speed = self._target.speed if self._target else 1.0
            self._rest(FETCHING, None if wait_s is None else wait_s / speed, seen)

    def mark_page_broken(self, gops: range, reason: str) -> None:
        """Record that the GOPs of a page cannot be played at any quality."""
        with self._changed:
            assert self._buffer is not None
            for gop in gops:
                self._buffer.mark_broken(gop, self._buffer.opened.qualities)
            first, last = gops[0] + 1, gops[-1] + 1
            self._report(
                tr(
                    "Parts {first} to {last} skipped: {reason}",
                    first=first,
                    last=last,
                    reason=reason,
                )
            )
            self._touch()
            self._fail_if_unplayable(self._buffer)

    def note_progress(self) -> None:
        """Wake the fetch thread, because bytes arrived."""
        with self._changed:
            self._progress += 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Wake all threads, because something outside the state changed."""
        with self._changed:
            self._changed.notify_all()

    def is_acted_on(self) -> bool:
        """Whether the fetch thread waits for a transfer and acted on all that happened so far."""
        with self._changed:
            return self._looked == (self._version, self._progress)

    def _stock(self, gop: int | None) -> StaticStock:
        assert self._buffer is not None
        return self._buffer.static.shared if gop is None else self._buffer.static.of(gop)

    def _is_frame_missing(self) -> bool:
        """Whether the GOP at the position of the open scene is not buffered."""
        if self._phase.state is not PipelinePhase.OPEN or self._buffer is None:
            return False
        return self._target is not None and self._target.gop not in self._buffer.ready_gops()
