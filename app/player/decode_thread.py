"""The worker thread that opens a scene and keeps the GOPs around the position decoded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.player.gop_cache import CachedGop, GopCache
from app.player.playback_types import PlaybackError
from app.player.rung_choice import Observation, RungChoice, RungSettings, choose_rung
from app.player.timeline import Timeline
from codec.errors import (
    Cancelled,
    CodecError,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
    UnsupportedVersion,
)
from codec.scene import Scene
from codec.source import SceneMeta

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecodeSettings:
    """Bounds of the decoder.

    Args:
        max_gops: decoded GOPs kept at most, wanted and recently used ones together.
        max_bytes: bytes of their planes at most.
        prefetch_gops: GOPs decoded ahead of the one that is shown.
        retry_s: pause before an unreachable server is asked again; doubles up to 4 times this.
        close_timeout_s: how long `close` waits for the thread.
    """

    max_gops: int = 8
    max_bytes: int = 1 << 30
    prefetch_gops: int = 2
    retry_s: float = 1.0
    close_timeout_s: float = 5.0


@dataclass(frozen=True)
class DecodeTarget:
    """What the owner of the position wants decoded.

    Args:
        gop: GOP at the position.
        serial: seek number.
        rung: QP, or None to choose automatically.
        loop: whether the first GOP follows the last.
        playing: whether the position moves; while it stands, the shown GOP may be replaced.
        speed: playback speed.
    """

    gop: int
    serial: int
    rung: int | None
    loop: bool
    playing: bool
    speed: float


@dataclass(frozen=True)
class OpenedScene:
    """What never changes once a scene is open; may be read by any thread.

    Args:
        bytes_per_frame: QP -> bytes of one content frame, everything counted.
        static_count: Gaussians that never move.
    """

    meta: SceneMeta
    timeline: Timeline
    rungs: tuple[int, ...]
    bytes_per_frame: dict[int, float]
    static_count: int


@dataclass(frozen=True)
class DecodeStats:
    """Counters for the statistics panel."""

    decode_ms: float  # reading and decoding of the last GOP, per frame
    corrupt_segments: int
    rung_reason: str
    message: str


@dataclass(frozen=True)
class _Job:
    gop: int
    rung: int
    reason: str


class DecodeThread:
    """Owns the scene: opens, reads, decodes and closes it. Everything shared is under `_changed`.

    The owner of the position calls `request`; decoded GOPs are picked up by `get`. A request makes
    a decode in progress void when another GOP is needed first, so of many seeks only the newest
    is decoded.

    Args:
        open_scene: called in the thread with a function that says whether to give up; raises
            CodecError or OSError.
        location: path or URL, for messages and to tell files from servers.
        device: where the planes shall be.
        monotonic: clock for measuring, seconds.
        first_rung: QP to begin with, None to choose.
    """

    def __init__(
        self,
        open_scene: Callable[[Callable[[], bool]], Scene],
        location: str,
        settings: DecodeSettings,
        rung_settings: RungSettings,
        device: Any,
        monotonic: Callable[[], float],
        first_rung: int | None = None,
    ) -> None:
        self._open_scene = open_scene
        self._location = location
        self._settings = settings
        self._rung_settings = rung_settings
        self._device = device
        self._monotonic = monotonic
        self._first_rung = first_rung
        self._changed = threading.Condition()
        self._cache = GopCache(settings.max_gops, settings.max_bytes)
        self._target: DecodeTarget | None = None
        self._opened: OpenedScene | None = None
        self._job: _Job | None = None
        self._job_void = False
        self._closed = False
        self._idle = False
        self._failed = False
        self._broken: set[tuple[int, int]] = set()  # (GOP, rung)
        self._events: list[PlaybackError] = []
        self._outages = 0  # failed attempts in a row to reach the server
        self._message = ""
        self._reason = ""
        self._last_rung: int | None = None
        self._seconds_per_byte: float | None = None
        self._decode_ms = 0.0
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        self._thread.start()

    # --- called by the owner of the position -----------------------------------------------------

    @property
    def opened(self) -> OpenedScene | None:
        return self._opened

    @property
    def failed(self) -> bool:
        """Whether the scene cannot be played; the fatal event says why."""
        return self._failed

    @property
    def idle(self) -> bool:
        """Whether nothing of the current target remains to be decoded."""
        with self._changed:
            return self._failed or (self._idle and self._job is None)

    def request(self, target: DecodeTarget) -> None:
        """Say what is wanted now; cheap when it is what was wanted before."""
        with self._changed:
            if target == self._target or self._opened is None:
                return
            if target.gop >= self._opened.timeline.gop_count:
                return  # meant for a scene that this one took the place of
            self._target = target
            self._idle = False
            wanted = self._next_job()
            if self._job and wanted and wanted.gop != self._job.gop:
                self._job_void = True
            self._changed.notify_all()

    def get(self, gop: int) -> CachedGop | None:
        """A decoded GOP, or None while it is not there."""
        with self._changed:
            return self._cache.get(gop)

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP was tried at the wanted rung and cannot be shown."""
        with self._changed:
            return gop not in self._cache and self._known_broken(gop)

    def cached_gops(self) -> frozenset[int]:
        with self._changed:
            return frozenset(self._cache)

    def stats(self) -> DecodeStats:
        with self._changed:
            return DecodeStats(self._decode_ms, len(self._broken), self._reason, self._message)

    def take_events(self) -> list[PlaybackError]:
        with self._changed:
            taken, self._events = self._events, []
            return taken

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition` holds, asked whenever the thread's state changes."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def close(self) -> bool:
        """Stop and let go of the scene. Returns whether the thread ended in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(self._settings.close_timeout_s)
        ended = not self._thread.is_alive()
        if not ended:
            log.warning("the decode thread of %s did not end in time", self._location)
        return ended

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread boundary: whatever happens inside ends up as an event."""
        scene: Scene | None = None
        try:
            scene = self._open()
            while job := self._wait_for_job():
                try:
                    self._decode(scene, job)
                except SceneChanged as error:
                    scene.close()
                    scene = self._reopen(str(error))
        except Cancelled:
            log.debug("the decode thread of %s was closed while it waited", self._location)
        except (CodecError, OSError) as error:
            self._fail(_cannot_open(self._location, error))
        except Exception as error:
            log.exception("decode thread of %s", self._location)
            self._fail(f"Playback stopped by a fault in this program ({error!r}). Open it again.")
        finally:
            if scene is not None:
                scene.close()
            with self._changed:
                self._cache.clear()

    def _open(self) -> Scene:
        scene = self._open_scene(self._cancelled)
        try:
            static = scene.read_static(self._device, self._cancelled)
            totals = {rung: scene.bytes_per_frame(rung)["total"] for rung in scene.rungs}
            opened = OpenedScene(
                scene.meta, Timeline.of(scene), tuple(scene.rungs), totals, len(static)
            )
        except BaseException:
            scene.close()
            raise
        with self._changed:
            self._opened = opened
            # Nearly everybody begins at the start: do not wait to be asked.
            rung = self._first_rung if self._first_rung in opened.rungs else None
            self._target = DecodeTarget(0, 0, rung, loop=True, playing=True, speed=1.0)
            self._changed.notify_all()
        return scene

    def _reopen(self, message: str) -> Scene:
        """Another scene took the place of this one: forget what was decoded, play on in it."""
        with self._changed:
            self._events.append(PlaybackError(f"{message} Playing the new one.", False))
            self._cache.clear()
            self._broken.clear()
            self._job = self._last_rung = None
            self._job_void = False
        while not self._closed:
            try:
                return self._open()
            except SceneUnreachable as error:
                self._outage(str(error))
                self._wait_out()
        raise Cancelled("closed while another scene was opened")

    def _wait_out(self) -> None:
        """After an outage: pause, longer each time; a seek or the end of the thread cuts it off."""
        with self._changed:
            before = self._target.serial if self._target else None
            self._changed.wait_for(
                lambda: self._closed or (self._target and self._target.serial != before),
                self._settings.retry_s * 2 ** min(self._outages - 1, 2),
            )

    def _wait_for_job(self) -> _Job | None:
        """The next GOP to decode; None when the thread shall end."""
        with self._changed:
            if self._outages and not self._closed:
                self._wait_out()
            while not self._closed:
                self._job_void = False
                self._job = self._next_job()
                if self._job is not None:
                    return self._job
                self._idle = self._target is not None
                self._changed.notify_all()
                self._changed.wait()
            return None

    def _decode(self, scene: Scene, job: _Job) -> None:
        start = self._monotonic()
        try:
            gop = scene.decode_gop(job.gop, job.rung, self._device, self._cancelled)
        except Cancelled:
            self._finish(None)
        except SceneChanged:
            raise
        except SceneUnreachable as error:
            self._outage(str(error))
        except CodecError as error:
            self._skip(job, str(error))
        else:
            seconds = self._monotonic() - start
            self._measure(job, seconds, scene.segment_bytes(job.gop, job.rung), gop.frames)
            self._finish(CachedGop(gop, job.rung))

    def _cancelled(self) -> bool:
        return self._closed or self._job_void

    def _finish(self, result: CachedGop | None) -> None:
        with self._changed:
            if result is not None and self._job is not None:
                self._cache.put(self._job.gop, result, self._wanted())
                self._reason, self._last_rung = self._job.reason, result.rung
                self._outages, self._message = 0, ""
            self._job = None
            self._changed.notify_all()

    def _measure(self, job: _Job, seconds: float, size_bytes: int, frames: int) -> None:
        per_byte = seconds / max(size_bytes, 1)
        with self._changed:
            self._decode_ms = 1000.0 * seconds / max(frames, 1)
            known = self._seconds_per_byte
            self._seconds_per_byte = per_byte if known is None else 0.5 * (known + per_byte)

    def _skip(self, job: _Job, message: str) -> None:
        """A GOP cannot be shown: count it, say so, go on with the others."""
        log.warning("GOP %d at QP %d skipped: %s", job.gop, job.rung, message)
        with self._changed:
            self._broken.add((job.gop, job.rung))
            self._events.append(PlaybackError(f"Part {job.gop + 1} skipped: {message}", False))
            self._job = None
            timeline = self._timeline()
            nothing = not self._cache and all(map(self._known_broken, range(timeline.gop_count)))
            self._changed.notify_all()
        if nothing:
            self._fail("No part of this scene can be decoded. Fetch it again or ask its maker.")

    def _outage(self, message: str) -> None:
        """The server does not answer: say so once, then keep asking."""
        with self._changed:
            self._outages += 1
            self._message = f"{message} Trying again."
            if self._outages == 1:
                self._events.append(PlaybackError(self._message, False))
            self._job = None
            self._changed.notify_all()

    def _fail(self, message: str) -> None:
        with self._changed:
            if not self._closed:
                self._events.append(PlaybackError(message, True))
            self._failed, self._message, self._job = True, message, None
            self._closed = True
            self._changed.notify_all()

    # --- under the lock --------------------------------------------------------------------------

    def _timeline(self) -> Timeline:
        assert self._opened is not None
        return self._opened.timeline

    def _wanted(self) -> list[int]:
        """GOPs to have decoded, most urgent first; as many as fit into the cache."""
        if self._target is None:
            return []
        ahead = self._timeline().ahead(
            self._target.gop, self._settings.prefetch_gops, self._target.loop
        )
        return ahead[: self._cache.capacity]

    def _next_job(self) -> _Job | None:
        """First what is missing, then what is there at another rung than it should be."""
        if self._target is None or self._opened is None:
            return None
        wanted = [gop for gop in self._wanted() if not self._known_broken(gop)]
        choice = self._choice(self._target)
        missing = [gop for gop in wanted if gop not in self._cache]
        if missing:
            return _Job(missing[0], choice.rung, choice.reason)
        for gop in wanted:
            shown = gop == self._target.gop and self._target.playing
            if not shown and self._worth_replacing(gop, choice.rung):
                return _Job(gop, choice.rung, choice.reason)
        return None

    def _worth_replacing(self, gop: int, rung: int) -> bool:
        assert self._target is not None
        cached = self._cache.rung_of(gop)
        if cached is None or (gop, rung) in self._broken:
            return False
        return rung < cached if self._target.rung is None else rung != cached

    def _known_broken(self, gop: int) -> bool:
        rung = self._target.rung if self._target else None
        if rung is None:
            return gop not in self._cache and any(gop == broken for broken, _ in self._broken)
        return (gop, rung) in self._broken

    def _choice(self, target: DecodeTarget) -> RungChoice:
        assert self._opened is not None
        if target.rung is not None:
            return RungChoice(target.rung, "chosen by hand")
        opened = self._opened
        seen = Observation(
            rungs=opened.rungs,
            bytes_per_frame=tuple(opened.bytes_per_frame[rung] for rung in opened.rungs),
            fps=opened.timeline.fps,
            speed=target.speed,
            buffer_s=self._buffered_gops_s(target),
            current=self._last_rung,
            seconds_per_byte=self._seconds_per_byte,
            local="://" not in self._location,
        )
        return choose_rung(seen, self._rung_settings)

    def _buffered_gops_s(self, target: DecodeTarget) -> float:
        """Seconds decoded from the start of the target's GOP on without a gap."""
        timeline, total = self._timeline(), 0.0
        for gop in timeline.ahead(target.gop, timeline.gop_count, target.loop):
            if gop not in self._cache:
                break
            total += timeline.gop_frames[gop] / timeline.fps
        return total


def _cannot_open(location: str, error: Exception) -> str:
    """What a person reads when a scene does not open: what happened, then what to do."""
    advice = "It may be damaged: fetch it again."
    if isinstance(error, UnsupportedVersion):
        advice = ""  # the message says it all
    elif isinstance(error, NotAScene):
        advice = "Open a .stgs file or a folder that holds a scene.json."
    elif isinstance(error, SceneUnreachable):
        advice = "Check the address and the network, then open it again."
    elif isinstance(error, FileNotFoundError):
        advice = "Check the path."
    elif isinstance(error, PermissionError):
        advice = "Check that you may read it."
    reason = str(error).rstrip(".")
    named = isinstance(error, CodecError)  # these name the file themselves
    told = f"{reason}. {advice}" if named else f"Cannot open {location}: {reason}. {advice}"
    return told.strip()
