"""The thread that opens a scene and fetches its parts, in the order that a `Fetching` decides."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.scene_buffer import SceneBuffer, SceneBufferSettings
from streamstgs.app.player.pipeline.backoff import Backoff
from streamstgs.app.player.pipeline.layer_transfer import LayerTransfer
from streamstgs.app.player.pipeline.scheduler import (
    Fetching,
    FetchSettings,
    FetchView,
    LocalFetching,
    NetworkFetching,
)
from streamstgs.app.player.pipeline.segment_transfer import SegmentTransfer
from streamstgs.app.player.pipeline.shared_state import SOURCE, Errand, PipelineState, PlayTarget
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
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
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment, Wait
from streamstgs.codec.streaming.address import is_url, redact_credentials

log = logging.getLogger(__name__)

OpenScene = Callable[[CancelToken], Scene]


@dataclass(frozen=True)
class SourceSettings:
    """How the source works.

    Args:
        fetching: what is fetched when.
        stock: bounds of memory.
        retry_s, hurry_s: as of `Backoff`.
    """

    fetching: FetchSettings
    stock: SceneBufferSettings
    retry_s: float
    hurry_s: float


class SourceThread:
    """Owns the scene: opens, reads and closes it.

    Args:
        open_scene: called in the thread with a token that ends it early; raises
            CodecError or OSError.
        location: path or URL, for messages and to tell files from servers.
        first_rung: QP to begin with, None to choose.
        device: where static Gaussians shall be.
        traffic: what the transport of the scene tells.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        state: PipelineState,
        open_scene: OpenScene,
        location: str,
        settings: SourceSettings,
        first_rung: int | None,
        device: torch.device | str,
        traffic: ThroughputProbe,
        monotonic: Callable[[], float],
    ) -> None:
        self._state = state
        self._open_scene = open_scene
        self._location, self._remote = redact_credentials(location), is_url(location)
        self._settings = settings
        self._first_rung = first_rung
        self._device = device
        self._traffic = traffic
        self._monotonic = monotonic
        self._pauses = Backoff(settings.retry_s, settings.hurry_s)
        self._served = -1  # the last seek whose GOP came
        self.thread = threading.Thread(target=self._run, name="source", daemon=True)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread boundary: whatever happens inside ends up as an event."""
        scene: Scene | None = None
        try:
            scene = self._open_scene(self._state.closing)
            while True:
                try:
                    self._play(scene, self._begin(scene))
                    break
                except SceneChanged as error:
                    scene.close()
                    scene = self._reopen(str(error))
        except Cancelled:
            log.debug("the source of %s was closed while it waited", self._location)
        except (CodecError, OSError) as error:
            self._state.fail(_cannot_open(self._location, error))
        except Exception as error:
            log.exception("source thread of %s", self._location)
            self._state.fail(
                f"Playback stopped by a fault in this program ({error!r}). Open it again."
            )
        finally:
            if scene is not None:
                scene.close()

    def _begin(self, scene: Scene) -> Fetching:
        """Everybody may play the scene from now on."""
        stock = SceneBuffer(scene, self._settings.stock, self._device)
        opened, state = stock.opened, self._state
        with state.changed:
            state.stock = stock
            # Nearly everybody begins at the start: do not wait to be asked.
            rung = self._first_rung if self._first_rung in opened.rungs else None
            state.target = PlayTarget(0, 0, rung, loop=True, playing=True, speed=1.0)
            state.touch()
        if self._remote:
            return NetworkFetching(
                opened,
                self._settings.fetching,
                lambda gop: tuple(quality.qp for quality in scene.kept_qualities(gop)),
                scene.is_static_kept,
            )
        return LocalFetching(self._settings.fetching)

    def _reopen(self, message: str) -> Scene:
        """Another scene took the place of this one: forget what is there, play on in it."""
        with self._state.changed:
            self._state.say(f"{message} Playing the new one.")
        while not self._closed():
            try:
                return self._open_scene(self._state.closing)
            except UnsupportedVersion:
                raise
            except (SceneUnreachable, NotAScene) as error:  # it may not be all there yet
                self._outage(str(error))
                self._wait_out(lambda: False)  # opening asks more than once
        raise Cancelled("closed while another scene was opened")

    def _play(self, scene: Scene, fetching: Fetching) -> None:
        """Decide, fetch, and again, until the end."""
        while not self._closed():
            if self._pauses.failures:
                self._wait_out(self._picture_is_missing)
            seen, view = self._state.version, self._view()
            decision = fetching.next(view)
            if isinstance(decision, Wait):
                self._rest(decision.wait_s, seen)
            elif not self._fetch(scene, fetching, decision, view.target.serial):
                # It was not kept: fetching it at once again helps nobody.
                self._rest(self._settings.retry_s, None)

    def _rest(self, wait_s: float, seen: int | None) -> None:
        """Until something changes that was not seen, or for so many seconds of content."""
        state = self._state
        with state.changed:
            speed = state.target.speed if state.target else 1.0
            state.rest(SOURCE, None if math.isinf(wait_s) else wait_s / speed, seen)

    def _view(self) -> FetchView:
        state = self._state
        with state.changed:
            stock, target = state.stock, state.target
            assert stock is not None
            assert target is not None
            rungs, gops = stock.opened.rungs, stock.ready_gops()
            held = {gop: stock.rung_of(gop) for gop in gops}
            if target.gop in gops:
                self._served = target.serial
            return FetchView(
                opened=stock.opened,
                target=target,
                position_s=state.position_s,
                there={gop: rungs.index(qp) for gop, qp in held.items() if qp is not None},
                fetched={gop: rungs.index(qp) for gop, qp in stock.packets.rungs().items()},
                sizes=stock.waiting_sizes(),
                stored=stock.packets.keyframes(),
                most_bytes=self._settings.stock.packet_bytes,
                static_layers=stock.static_fetched,
                static_part_bytes=stock.static_part_bytes,
                sought=self._served != target.serial,
                broken=frozenset((gop, rungs.index(rung)) for gop, rung in stock.broken),
                throughput=self._traffic.throughput(),
                best_rung=state.best_rung,
                decode_s=state.decode_s,
            )

    # --- one errand ------------------------------------------------------------------------------

    def _fetch(
        self,
        scene: Scene,
        fetching: Fetching,
        decision: FetchSegment | FetchLayer,
        serial: int,
    ) -> bool:
        """Fetch what was decided; a fault costs this part only. Whether deciding again makes sense:
        not if what came had to be thrown away at once.

        Args:
            serial: of the seek that it was decided for.
        """
        errand = Errand(serial=serial)
        if isinstance(decision, FetchSegment):
            errand = Errand(decision.gop, self._stock().opened.rungs[decision.quality], serial)
        log.info("%s: %s", decision, decision.reason)
        with self._state.changed:
            self._state.decide(errand, decision)
        kept = True
        try:
            if isinstance(decision, FetchLayer):
                self._fetch_static(scene, fetching, decision.layer)
            else:
                kept = self._fetch_gop(scene, fetching, decision)
            self._arrived()
        except SceneChanged:
            raise
        except Cancelled:
            scene.expect()  # frees the connection
        except SceneUnreachable as error:
            self._outage(str(error))
        finally:
            with self._state.changed:
                self._state.errand = None
                self._state.touch()
        return kept

    def _fetch_static(self, scene: Scene, fetching: Fetching, layer: int) -> None:
        """A layer, if it is not paused; a broken one is left out."""
        stock, watch_s = self._stock(), self._settings.fetching.watch_s
        had = stock.static_part_bytes
        errand = LayerTransfer(
            scene, self._state, layer, had, self._traffic, self._monotonic, watch_s
        )
        data: bytes | None = None
        try:
            data = errand.run(lambda flight: fetching.reconsider(self._view(), flight))
        except Cancelled:
            stock.static_part_bytes = errand.received_bytes
            raise
        except (CorruptSegment, MissingSegment) as error:
            log.warning("static layer %d is left out: %s", layer, error)
            with self._state.changed:
                self._state.say(f"Some of what does not move is left out: {error}")
        with self._state.changed:
            stock.static_fetched, stock.static_part_bytes = layer + 1, 0
            stock.static_packets[layer] = data
            self._state.touch()

    def _stock(self) -> SceneBuffer:
        with self._state.changed:
            assert self._state.stock is not None
            return self._state.stock

    def _fetch_gop(self, scene: Scene, fetching: Fetching, decision: FetchSegment) -> bool:
        """A GOP; the way to it is `SegmentTransfer`'s. False if there is no room for it."""
        watch_s = self._settings.fetching.watch_s
        errand = SegmentTransfer(
            scene, self._state, decision, self._traffic, self._monotonic, watch_s
        )
        stored = errand.run(lambda flight: fetching.reconsider(self._view(), flight))
        if stored is None:
            return True
        with self._state.changed:
            stock, target = self._state.stock, self._state.target
            assert stock is not None
            stock.packets.put(decision.gop, stored)
            stock.trim(target.gop if target else decision.gop)
            self._state.touch()
            return stock.packets.get(decision.gop) is not None

    def _closed(self) -> bool:
        return self._state.closed

    # --- outages ---------------------------------------------------------------------------------

    def _arrived(self) -> None:
        with self._state.changed:
            if self._pauses.failures:
                self._pauses.over()
                self._state.message = ""

    def _outage(self, message: str) -> None:
        """The server does not answer: say so once, then keep asking."""
        with self._state.changed:
            self._pauses.failed()
            self._state.message = f"{message} Trying again."
            if self._pauses.failures == 1:
                self._state.say(self._state.message)
            self._state.touch()

    def _wait_out(self, hurries: Callable[[], bool]) -> None:
        """After an outage: pause; a seek or the end of the thread cuts it off.

        Args:
            hurries: whether somebody waits now; asked under the lock.
        """
        state, pauses = self._state, self._pauses
        with state.changed:
            before = state.target.serial if state.target else None

            def cut_off() -> bool:
                return state.closed or bool(state.target and state.target.serial != before)

            if not state.changed.wait_for(cut_off, pauses.soon_s):
                rest_s = pauses.later_s - pauses.soon_s
                state.changed.wait_for(lambda: cut_off() or hurries(), rest_s)

    def _picture_is_missing(self) -> bool:
        stock, target = self._state.stock, self._state.target
        return stock is not None and target is not None and target.gop not in stock.ready_gops()


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
