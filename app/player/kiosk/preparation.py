"""Reads all scenes of a kiosk once before it opens: those of servers into the cache on disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CodecError
from streamstgs.codec.streaming.address import is_url, redact_credentials
from streamstgs.codec.streaming.disk_cache import CacheSettings

log = logging.getLogger(__name__)

# A bound, not a reservation. No file of more than a tenth of it is kept.
KIOSK_CACHE = CacheSettings(max_bytes=32 << 30)


@dataclass(frozen=True)
class PreparationState:
    """How far the preparation is.

    Args:
        number: Number of the scene that is being read, from 1.
        count: How many scenes there are.
        share: 0 .. 1 of this scene.
        done: Whether all were read, or given up.
    """

    number: int = 1
    count: int = 0
    share: float = 0.0
    done: bool = False


class Preparation:
    """Reads scenes in a thread. `state` may be read in any thread.

    Every byte of a scene is checked against its scene.json, so a damaged one is in the log before
    anybody sees it. Splat files of other programs are read when they are played.

    Args:
        places: Paths and URLs.
        cache: Where files of servers are kept; the playback has to use the same.
        read: Reads one scene and reports shares of it; None for `read_scene`.
    """

    def __init__(
        self,
        places: Sequence[str],
        cache: CacheSettings = KIOSK_CACHE,
        read: Callable[[str, CacheSettings, Callable[[float], None], CancelToken], None]
        | None = None,
    ) -> None:
        self._places = tuple(dict.fromkeys(places))
        self._cache, self._read = cache, read or read_scene
        self._cancel = CancelToken()
        self.state = PreparationState(count=len(self._places))
        self._thread = threading.Thread(target=self._run, name="prepare-kiosk", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and wait for the end of the thread."""
        self._cancel.cancel()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        """The thread boundary: a scene that cannot be read is logged and left to the playlist."""
        try:
            for number, place in enumerate(self._places, start=1):
                self.state = PreparationState(number, len(self._places))
                self._prepare(place)
        except Cancelled:
            pass
        finally:
            self.state = replace(self.state, share=1.0, done=True)

    def _prepare(self, place: str) -> None:
        shown = redact_credentials(place)
        try:
            self._read(place, self._cache, self._report, self._cancel)
        except Cancelled:
            raise
        except (CodecError, OSError) as error:
            log.warning("%s is not ready: %s", shown, error)
        except Exception:
            log.exception("%s is not ready", shown)
        else:
            log.info("%s is ready", shown)

    def _report(self, share: float) -> None:
        self.state = replace(self.state, share=share)


def read_scene(
    place: str, cache: CacheSettings, report: Callable[[float], None], cancel: CancelToken
) -> None:
    """Read all files of a scene at its best quality.

    Args:
        place: A path or URL.
        cache: Keeps the files of a server.
        report: Called with the share that is done, 0 .. 1.
        cancel: Ends it with Cancelled.

    Raises:
        CodecError: The scene, or one of its files, cannot be read or is damaged.
    """
    from streamstgs.app.player.frame_pipeline import is_frames
    from streamstgs.codec.scene import OpenSettings, open_scene

    if is_frames(place):
        return
    with open_scene(place, OpenSettings(cache=cache), cancel) as scene:
        layers, best = len(scene.manifest.static), scene.qualities[-1]
        steps = layers + scene.gop_count
        for layer in range(layers):
            scene.fetch_static(layer, cancel)
            report((layer + 1) / steps)
        for gop in range(scene.gop_count):
            scene.expect(keyframe=gop, features=(gop, best))
            scene.fetch_keyframe(gop, cancel)
            scene.fetch_features(gop, best, cancel)
            report((layers + gop + 1) / steps)
        if is_url(place) and not all(
            best in scene.kept_qualities(gop) for gop in range(scene.gop_count)
        ):
            log.warning("%s does not fit into the cache on disk", redact_credentials(place))
