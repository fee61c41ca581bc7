"""The thread that opens a scene and fetches its parts, in the order that a `Scheduler` decides."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer, SceneBufferSettings
from streamstgs.app.player.pipeline.backoff import Backoff
from streamstgs.app.player.pipeline.fetch_view import FetchView, PlayTarget
from streamstgs.app.player.pipeline.scheduler import (
    FetchSettings,
    LocalScheduler,
    NetworkScheduler,
    Scheduler,
    TransferInfo,
    is_preempted,
)
from streamstgs.app.player.pipeline.state import FetchSide
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.pipeline.transfer import (
    FeaturesPart,
    KeyframePart,
    LayerPart,
    PagePart,
    Part,
    PartThread,
    Transfer,
    TransferProgress,
)
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.status import fault_message, layer_message
from streamstgs.app.translation import tr
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import (
    Cancelled,
    CodecError,
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
    UnsupportedVersion,
)
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import Abort, FetchLayer, FetchSegment, Wait
from streamstgs.codec.streaming.adaptive.ladder import ladder_of
from streamstgs.codec.streaming.address import is_url, redact_credentials

log = logging.getLogger(__name__)

OpenScene = Callable[[CancelToken], Scene]


@dataclass(frozen=True)
class FetchPage:
    """Read the page that lists a GOP of a long scene."""

    gop: int
    reason: str = "sizes of the next segments"

    def __str__(self) -> str:
        return f"fetch the page of segment {self.gop}"


@dataclass(frozen=True)
class FetchThreadSettings:
    """How scenes are fetched.

    Args:
        fetching: What is fetched when.
        buffer: Bounds of memory.
        retry_s, hurry_s: As of `Backoff`.
        first_qp: QP of the quality to begin with, None to choose automatically.
    """

    fetching: FetchSettings
    buffer: SceneBufferSettings
    retry_s: float
    hurry_s: float
    first_qp: int | None = None


class FetchThread:
    """Owns the scene: opens, reads and closes it.

    One loop decides and fetches. Parts are fetched in a thread of their own, so that the loop can
    review the transfer whenever bytes arrive, the part is done, or the target changes. All fields
    belong to the fetch thread.

    Args:
        state: Shared with playback and the decode thread.
        open_scene: Called in the thread with a token that ends it; raises CodecError or OSError.
        location: Path or URL, for messages and to tell files from servers.
        settings: How scenes are fetched.
        device: Device of static Gaussians.
        probe: Listener of the scene's transport.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        state: FetchSide,
        open_scene: OpenScene,
        location: str,
        settings: FetchThreadSettings,
        device: torch.device | str,
        probe: ThroughputProbe,
        monotonic: Callable[[], float],
    ) -> None:
        self._state = state
        self._open_scene = open_scene
        self._location, self._remote = redact_credentials(location), is_url(location)
        self._settings = settings
        self._device = device
        self._probe = probe
        self._monotonic = monotonic
        self._backoff = Backoff(settings.retry_s, settings.hurry_s)
        self._parts = PartThread()
        self._asked_s = 0.0  # when a live scene was asked for news
        self._without_news = False  # whether asking for them failed
        self._outdated: Manifest | None = None  # names lists that are not there any more
        self.thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread boundary: every error becomes an event."""
        state, scene = self._state, None
        try:
            scene = self._open_scene(state.closing)
            while True:
                try:
                    self._play(scene, self._publish(scene))
                    break
                except SceneChanged as error:
                    scene.close()
                    state.replace_scene(tr("{error} Playing the new one.", error=error))
                    scene = self._reopen()
        except Cancelled:
            log.debug("%s was closed while it was being opened", self._location)
        except (CodecError, OSError) as error:
            state.fail(_cannot_open(self._location, error))
        except Exception as error:
            log.exception("fetch thread of %s", self._location)
            state.fail(fault_message(error))
        finally:
            self._parts.close()
            if scene is not None:
                scene.close()

    def _publish(self, scene: Scene) -> Scheduler:
        """Let the other threads use the scene; returns what schedules its transfers."""
        buffer, settings = SceneBuffer(scene, self._settings.buffer, self._device), self._settings
        opened = buffer.opened
        self._asked_s = self._monotonic()
        known = (quality for quality in opened.qualities if quality.qp == settings.first_qp)
        timeline = opened.timeline
        begin = timeline.first_gop if opened.live is None else timeline.gop_count - 1
        first = PlayTarget(begin, 0, next(known, None), loop=True, playing=True, speed=1.0)
        self._state.publish(buffer, first)
        return self._scheduler(scene, opened)

    def _scheduler(self, scene: Scene, opened: OpenedScene) -> Scheduler:
        fetching = self._settings.fetching
        if self._remote:
            cached = scene.kept_qualities
            return NetworkScheduler(opened, fetching, cached, scene.is_static_kept)
        return LocalScheduler(fetching)

    def _look_for_news(self, scene: Scene, scheduler: Scheduler) -> Scheduler:
        """Read the manifest of a live scene again, if that is due; returns what schedules now."""
        if self._until_news_s(scene) > 0:
            return scheduler
        self._asked_s = self._monotonic()
        try:
            grown = scene.refresh(self._state.closing)
        except SceneChanged:
            raise
        except (SceneUnreachable, NotAScene, CorruptSegment, MissingSegment) as error:
            self._without_news = True
            self._note_outage(str(error))
            return scheduler
        if self._without_news:
            self._without_news = False
            self._backoff.over()
            self._state.end_outage()
        if not grown:
            return scheduler
        opened = OpenedScene.of(scene)
        self._state.grow(opened)
        return self._scheduler(scene, opened)

    def _until_news_s(self, scene: Scene) -> float:
        """Seconds until a live scene is asked for news; infinite for one that is complete."""
        if scene.live is None:
            return math.inf
        return self._asked_s + scene.live.update_s - self._monotonic()

    def _reopen(self) -> Scene:
        """Open the scene that replaced this one, which may not be complete yet."""
        while not self._state.closing.cancelled:
            try:
                return self._open_scene(self._state.closing)
            except UnsupportedVersion:
                raise
            except (SceneUnreachable, NotAScene) as error:
                self._note_outage(str(error))
                self._pause()
        raise Cancelled("closed while another scene was opened")

    def _play(self, scene: Scene, scheduler: Scheduler) -> None:
        """The scheduler loop: decide, fetch, and again, until the end."""
        state = self._state
        while not state.closing.cancelled:
            if self._backoff.failures:
                self._pause()
            scheduler = self._look_for_news(scene, scheduler)
            version, view = state.fetch_view(self._probe.throughput())
            unlisted = self._unlisted(scene, view)
            if unlisted is None and self._note_periods(scene, view):
                continue
            step = FetchPage(unlisted) if unlisted is not None else scheduler.next(view)
            if isinstance(step, FetchSegment) and not scene.is_listed(step.gop):
                step = FetchPage(step.gop)
            if isinstance(step, Wait):
                news_s = max(self._until_news_s(scene), 0.0) * view.target.speed
                wait_s = min(step.wait_s, news_s)
                state.rest(None if math.isinf(wait_s) else wait_s, version)
            elif not self._execute(scene, scheduler, step, view, version):
                state.rest(self._settings.retry_s, None)  # there was no room for it

    def _execute(
        self,
        scene: Scene,
        scheduler: Scheduler,
        step: FetchSegment | FetchLayer | FetchPage,
        view: FetchView,
        version: int,
    ) -> bool:
        """Fetch what was decided; an error costs this part only. False if there was no room."""
        log.info("%s: %s", step, step.reason)
        if not isinstance(step, FetchPage):
            self._state.begin_step(step)
        kept = True
        try:
            if isinstance(step, FetchPage):
                self._fetch_page(scene, step.gop, view, version)
            elif isinstance(step, FetchLayer):
                self._fetch_layer(scene, scheduler, step.layer, view, version)
            else:
                kept = self._fetch_segment(scene, scheduler, step, view, version)
            if self._backoff.failures:
                self._backoff.over()
                self._state.end_outage()
        except SceneChanged:
            if scene.live is None:
                raise
            self._asked_s = -math.inf  # it has grown, or it was replaced: news tell
        except Cancelled:
            scene.expect()  # frees the connection
        except SceneUnreachable as error:
            self._note_outage(str(error))
        finally:
            self._state.end_step()
        return kept

    # --- one transfer ----------------------------------------------------------------------------

    def _unlisted(self, scene: Scene, view: FetchView) -> int | None:
        """A GOP whose page has to be read before the scheduler can decide."""
        most_s = self._settings.fetching.adaptive.most_buffer_s
        gops = view.considered(most_s)
        return next((gop for gop in gops if not scene.is_listed(gop)), None)

    def _note_periods(self, scene: Scene, view: FetchView) -> bool:
        """Record the static layers of the GOPs that the scheduler asks for; True if some of them
        have layers of their own."""
        wanted = list(view.considered(self._settings.fetching.adaptive.most_buffer_s))
        new = [gop for gop in wanted if not self._state.knows_period(gop)]
        return any(self._note_period(scene, gop, wanted) for gop in new)

    def _note_period(self, scene: Scene, gop: int, wanted: list[int]) -> bool:
        span, own = scene.page_span(gop), scene.own_static(gop)
        if own is None:
            self._state.note_shared(span)
            return False
        ladder = ladder_of(own)
        files = tuple(layer.file.name for layer in own.static)
        db = ladder.static_quality_db
        self._state.note_period(span, files, ladder.static_bytes, db, wanted)
        return True

    def _fetch_page(self, scene: Scene, gop: int, view: FetchView, version: int) -> None:
        info = TransferInfo(gop=gop, serial=view.target.serial, is_new=gop not in view.ready)
        transfer = self._transfer(scene, info, [PagePart(gop)], 0, 0)
        transfer.start_part()
        self._supervise(None, transfer, version)
        try:
            transfer.finish_part(0)
        except (CorruptSegment, MissingSegment, NotAScene) as error:
            if scene.live is not None and self._outdated is not scene.manifest:
                # The publisher replaced its lists meanwhile; scene.json names the new ones.
                self._outdated, self._asked_s = scene.manifest, -math.inf
            elif isinstance(error, NotAScene):
                if scene.live is None:
                    raise
                raise SceneUnreachable(str(error)) from error  # a cache may name an old list
            else:
                self._state.mark_page_broken(scene.page_span(gop), str(error))

    def _fetch_layer(
        self, scene: Scene, scheduler: Scheduler, layer: int, view: FetchView, version: int
    ) -> None:
        size_bytes = view.opened.ladder.static_bytes[layer]
        info, shown_with = TransferInfo(layer=layer, serial=view.target.serial), view.static_gop
        parts: list[Part] = [LayerPart(layer, shown_with)]
        transfer = self._transfer(scene, info, parts, size_bytes, view.static_part_bytes)
        data: bytes | None = None
        try:
            transfer.start_part()
            self._supervise(scheduler, transfer, version)
            data = transfer.finish_part(0)
        except Cancelled:
            self._state.keep_layer_part(transfer.received_bytes, shown_with)
            raise
        except (CorruptSegment, MissingSegment) as error:
            log.warning("static layer %d is left out: %s", layer, error)
            self._state.report(layer_message(error))
        self._state.put_layer(layer, data, shown_with)

    def _fetch_segment(
        self,
        scene: Scene,
        scheduler: Scheduler,
        step: FetchSegment,
        view: FetchView,
        version: int,
    ) -> bool:
        """Fetch keyframe and features of a GOP. False if there was no room for it."""
        gop, opened, state = step.gop, view.opened, self._state
        entry, quality = opened.ladder.gops[gop], opened.qualities[step.quality_index]
        keyframe: KeyframePacket | None = state.stored_keyframe(gop)
        held = state.stored_layers(gop)
        parts: list[Part] = [] if keyframe else [KeyframePart(gop)]
        parts.append(FeaturesPart(gop, quality, held))
        info = TransferInfo(gop, None, quality, view.target.serial, gop not in view.ready)
        held_bytes = min(sum(map(len, held)), entry.added_at(step.quality_index))
        kept_bytes = entry.shared_bytes + held_bytes if keyframe else 0
        size_bytes = entry.bytes_at(step.quality_index)
        transfer = self._transfer(scene, info, parts, size_bytes, kept_bytes)
        while (part := transfer.start_part()) is not None:
            self._supervise(scheduler, transfer, version)
            try:
                content = transfer.finish_part(entry.shared_bytes)
            except (CorruptSegment, MissingSegment) as error:
                broken = [part.quality] if isinstance(part, FeaturesPart) else opened.qualities
                state.mark_broken(gop, broken, str(error))
                return True
            if isinstance(content, KeyframePacket):
                keyframe = content
                state.put_keyframe(gop, content)
            elif isinstance(content, FeaturePacket):
                assert keyframe is not None
                return state.put_segment(gop, keyframe, content)
        raise AssertionError("a segment ends with its features")

    def _transfer(
        self, scene: Scene, info: TransferInfo, parts: list[Part], size_bytes: int, kept_bytes: int
    ) -> Transfer:
        watch_s = self._settings.fetching.watch_s
        progress = TransferProgress(self._probe, self._monotonic, watch_s)
        state = self._state
        return Transfer(
            scene,
            info,
            parts,
            progress,
            size_bytes,
            kept_bytes,
            self._parts,
            state.closing,
            state.wake,
        )

    def _supervise(self, scheduler: Scheduler | None, transfer: Transfer, version: int) -> None:
        """Wait until the part in flight is done; act on progress and changes meanwhile.

        Args:
            scheduler: Judges the transfer while it is in flight; None for one that is short.
        """
        watch_s = self._settings.fetching.watch_s
        seen = (version, -1)  # `version` was acted on, progress was not
        target: PlayTarget | None = None
        while True:
            now = self._state.wait_for_transfer(lambda: transfer.is_part_done, seen, watch_s)
            if transfer.is_part_done:
                return
            changed, progressed = now[0] != seen[0], now[1] != seen[1]
            seen = now
            if changed or target is None or target.scrubbing:
                target = self._preempt(transfer)
            due = progressed or not changed
            if scheduler is not None and due and not transfer.is_cancelled:
                self._reconsider(scheduler, transfer)

    def _preempt(self, transfer: Transfer) -> PlayTarget:
        """Cancel the transfer if the target, which is returned, cannot wait for its end."""
        _, view = self._state.fetch_view(None)
        rests = transfer.progress.follow(view.target.gop)
        if is_preempted(view, transfer.info, rests, transfer.is_mostly_received):
            transfer.cancel()
        return view.target

    def _reconsider(self, scheduler: Scheduler, transfer: Transfer) -> None:
        """Let the scheduler judge the transfer again, if that is due."""
        if not transfer.progress.begin_review():
            return
        _, view = self._state.fetch_view(self._probe.throughput())
        opened = view.opened
        revision = scheduler.reconsider(view, transfer.flight())
        if revision is None:
            return
        log.info("%s: %s", transfer.info, revision.reason)
        if isinstance(revision, Abort):
            transfer.cancel()
            return
        size_bytes = opened.ladder.gops[revision.gop].bytes_at(revision.quality_index)
        transfer.change_quality(opened.qualities[revision.quality_index], size_bytes)
        self._state.begin_step(revision)

    # --- outages ---------------------------------------------------------------------------------

    def _note_outage(self, message: str) -> None:
        self._backoff.failed()
        is_new = self._backoff.failures == 1
        self._state.report_outage(tr("{error} Trying again.", error=message), is_new)

    def _pause(self) -> None:
        self._state.pause_after_outage(self._backoff.soon_s, self._backoff.later_s)


def _cannot_open(location: str, error: Exception) -> str:
    """The message for a scene that does not open: what happened, then what to do."""
    advice = tr("It may be damaged: fetch it again.")
    if isinstance(error, UnsupportedVersion):
        advice = ""  # the message gives the advice
    elif isinstance(error, NotAScene):
        advice = tr("Open a .stgs file or a folder that holds a scene.json.")
    elif isinstance(error, SceneUnreachable):
        advice = tr("Check the address and the network, then open it again.")
    elif isinstance(error, FileNotFoundError):
        advice = tr("Check the path.")
    elif isinstance(error, PermissionError):
        advice = tr("Check that you may read it.")
    reason = str(error).rstrip(".")
    if not isinstance(error, CodecError):  # those name the location themselves
        reason = tr("Cannot open {location}: {reason}", location=location, reason=reason)
    return f"{reason}. {advice}".strip()
