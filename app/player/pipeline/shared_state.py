"""What the threads of a playback share: one lock, and who waits for what."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import PlaybackError
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.streaming.adaptive import Decision, FetchSegment

log = logging.getLogger(__name__)

SOURCE, DECODER = "source", "decode"


@dataclass(frozen=True)
class PlayTarget:
    """What a playback asks of its pipeline.

    Args:
        gop: The GOP at the position.
        serial: Number of the seek.
        rung: QP, or None to choose automatically.
        loop: Whether the first GOP follows the last.
        playing: Whether the position moves; while it stands, the shown GOP may be replaced.
        speed: Content seconds per second.
        scrubbing: Whether the timeline is being dragged, so that the position will change soon.
    """

    gop: int
    serial: int
    rung: int | None
    loop: bool
    playing: bool
    speed: float
    scrubbing: bool = False


@dataclass(frozen=True)
class Errand:
    """What the source fetches now: a static layer, or a GOP at a rung (QP); for which seek."""

    gop: int | None = None
    rung: int | None = None
    serial: int = 0


class PipelineState:
    """Everything that source, decoder and the owner of the position share, under `changed`.

    Owners: `stock` is replaced by the source thread and filled by both; `target` and `position_s`
    belong to the owner of the position. A thread that has nothing to do says for which `version`
    of the state that holds, so that "idle" can never mean an older state.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.stock: SceneBuffer | None = None
        self.target: PlayTarget | None = None
        self.position_s = 0.0
        self.best_rung = 0
        self.errand: Errand | None = None
        self.decoding: int | None = None  # GOP
        self.errand_void = self.decoding_void = False
        self.decision: Decision | None = None  # the newest one that was not to wait ...
        self.gop_decision: FetchSegment | None = None  # ... and the newest one on a GOP
        self.decode_s = self.decode_ms = 0.0  # of the last GOP, and per frame
        self.message = ""
        self.closed = self.failed = False
        self.closing = CancelToken()  # cancelled once `closed`
        self._events: list[PlaybackError] = []
        self._version = 0
        self._idle_at: dict[str, int] = {}

    # --- the owner of the position ---------------------------------------------------------------

    @property
    def opened(self) -> OpenedScene | None:
        stock = self.stock
        return stock.opened if stock else None

    def request(self, target: PlayTarget, position_s: float, best_rung: int) -> None:
        """Say what is wanted now; cheap when it is what was wanted before."""
        with self.changed:
            self.position_s = position_s
            if self.stock is None or (target, best_rung) == (self.target, self.best_rung):
                return
            if target.gop >= self.stock.opened.timeline.gop_count:
                return  # meant for a scene that this one took the place of
            self.target, self.best_rung = target, best_rung
            self.touch()

    @property
    def idle(self) -> bool:
        """Whether neither thread has anything to do for what is wanted."""
        with self.changed:
            quiet = [self._idle_at.get(name) == self._version for name in (SOURCE, DECODER)]
            return self.failed or all(quiet)

    def take_events(self) -> list[PlaybackError]:
        with self.changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, condition: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `condition` holds, asked whenever the state changes."""
        with self.changed:
            return self.changed.wait_for(condition, timeout_s)

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.closing.cancel()
            self.changed.notify_all()

    # --- the threads; all under the lock ---------------------------------------------------------

    def touch(self) -> None:
        """The state has changed: wake everybody, and drop work that is in the way of a picture."""
        self._version += 1
        stock, target = self.stock, self.target
        if stock is not None and target is not None:
            self.errand_void = self._is_in_the_way(stock, target)
            stored = stock.packets.get(target.gop)
            waiting = target.gop not in stock.gops and stored is not None and stored.features
            elsewhere = self.decoding not in (None, target.gop)
            # A hand that drags would leave nothing the time to be decoded.
            self.decoding_void = bool(waiting) and elsewhere and not target.scrubbing
        self.changed.notify_all()

    def _is_in_the_way(self, stock: SceneBuffer, target: PlayTarget) -> bool:
        """Whether what is being fetched keeps the picture at the target from coming."""
        errand = self.errand
        if errand is None or target.gop in stock.ready_gops() or stock.is_broken(target.gop):
            return False
        if errand.gop is None:
            return stock.static_fetched > 0 and errand.serial != target.serial
        by_hand = target.rung not in (None, errand.rung) and not target.scrubbing
        tried = (target.gop, target.rung) in stock.broken
        return errand.gop != target.gop or (by_hand and not tried)

    @property
    def version(self) -> int:
        """Grows with every change that somebody might have to act on."""
        return self._version

    def rest(self, name: str, timeout_s: float | None = None, since: int | None = None) -> None:
        """A thread has nothing to do in this state: wait for another one.

        Args:
            since: the version that it looked at, if the lock was given up since then.
        """
        before = self._version
        if since not in (None, before):
            return
        self._idle_at[name] = before
        self.changed.notify_all()
        self.changed.wait_for(lambda: self.closed or self._version != before, timeout_s)
        if self._version == before and self._idle_at.get(name) == before:
            del self._idle_at[name]  # time has passed: there may be something to do

    def decide(self, errand: Errand, decision: Decision) -> None:
        """This is fetched now."""
        self.errand, self.decision = errand, decision
        if isinstance(decision, FetchSegment):
            self.gop_decision = decision

    def say(self, message: str) -> None:
        """Tell a person what was survived."""
        self._events.append(PlaybackError(message, False))

    def fail(self, message: str) -> None:
        """This scene cannot be played."""
        with self.changed:
            if not self.closed:
                self._events.append(PlaybackError(message, True))
            self.failed, self.message, self.errand = True, message, None
            self.closed = True
            self.closing.cancel()
            self.changed.notify_all()

    def lose_rungs(self, gop: int, rungs: list[int], reason: str) -> None:
        """A GOP cannot be had at these rungs: go on with others, or without it."""
        stock = self.stock
        assert stock is not None
        log.warning("GOP %d at QP %s cannot be played: %s", gop, rungs, reason)
        stock.break_rungs(gop, rungs)
        if stock.is_broken(gop) and gop not in stock.gops:
            self.say(f"Part {gop + 1} skipped: {reason}")
        self.touch()
        if stock.nothing_plays():
            self.fail("No part of this scene can be decoded. Fetch it again or ask its maker.")
