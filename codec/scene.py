"""A scene opened for playing: any GOP at any quality, from a file, a directory or a server.

The player fetches and decodes parts of GOPs with it. Programs that only need the Gaussians of a
time use `codec.formats`, which reads other formats as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.errors import (
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneChanged,
    UnknownQuality,
)
from streamstgs.codec.limits import SOUND_SEGMENT_SAMPLES, Limits
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.manifest import GopEntry, LayerEntry, Manifest
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.package.paged_gops import PagedGops
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.package.sound_track import RATE_HZ, GopSound, SoundTrack
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.poster import Poster, read_poster
from streamstgs.codec.quality import Quality, quality_with_qp
from streamstgs.codec.scene_totals import part_bytes, qualities_of
from streamstgs.codec.streaming.adaptive.ladder import Ladder, ladder_of
from streamstgs.codec.streaming.address import (
    clean_location,
    is_url,
    local_path,
    redact_credentials,
)
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.locate import open_files
from streamstgs.codec.streaming.scene_files import SceneFiles
from streamstgs.codec.streaming.transport import Listener, ignore_progress
from streamstgs.codec.time_budget import TimeBudget

if TYPE_CHECKING:  # `info` and `serve` read manifests without torch
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from streamstgs.codec.scene_decoder import SceneDecoder
    from streamstgs.renderer import Gaussians, Gop


@dataclass(frozen=True)
class OpenSettings:
    """How a scene is read.

    Args:
        decode_threads: number of threads of the video decoder.
        limits: bounds on the sizes that a scene may declare.
        http: timeouts and retries.
        cache: size and place of the cache of fetched files.
        listener: called with the progress of each request, in a thread of the transport.
        on_poster: called with the poster of a scene on a server, in the thread that opens the
            scene. The poster is then fetched before everything else.
        ahead: has codes that were decoded before the scene was opened.
    """

    decode_threads: int = 1
    limits: Limits = field(default_factory=Limits)
    http: HttpSettings = field(default_factory=HttpSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    listener: Listener = ignore_progress
    on_poster: Callable[[Poster], None] | None = None
    ahead: CodesAhead | None = None


def open_scene(
    location: str | Path,
    settings: OpenSettings | None = None,
    cancel: CancelToken = NEVER,
) -> Scene:
    """Open a scene for playing. Only its manifest is read.

    Args:
        location: a `.stgs` file, a scene directory (or its scene.json or scene.mpd), or the
            http(s) URL of either.
        settings: limits, timeouts, cache, threads.
        cancel: ends the opening early.

    Raises:
        NotAScene: the location holds no scene, or an invalid one; UnsupportedVersion: a newer one.
        SceneUnreachable: the server does not answer, or answers with an error.
        Cancelled: through `cancel`.
    """
    settings = settings or OpenSettings()
    location = clean_location(str(location))
    try:
        files = open_files(
            location,
            settings.limits,
            settings.http,
            settings.cache,
            settings.listener,
            cancel,
        )
    except FileNotFoundError as error:
        why = str(error) if is_url(location) else _without_manifest(location)
        raise NotAScene(f"{redact_credentials(location)} is not a scene: {why}") from error
    except CorruptSegment as error:
        raise NotAScene(f"{redact_credentials(location)} is not a scene: {error}") from error
    try:
        scene = Scene(files, read_manifest(files.manifest, files.read), settings)
        files.accept(files.manifest)
        if settings.on_poster is not None and is_url(location):
            poster = read_poster(files, cancel)
            if poster is not None:
                settings.on_poster(poster)
        return scene
    except BaseException:
        files.close()
        raise


def _without_manifest(location: str) -> str:
    folder = local_path(location).is_dir()
    return f"{'the folder has' if folder else 'it is a ZIP archive with'} no scene.json."


class Scene:
    """An open scene, made by `open_scene`.

    `decode_gop`, `read_static`, `expect` and `fetch_...` belong to one thread at a time. Everything
    else, `decoder` included, is thread-safe.

    Attributes:
        qualities: the qualities of each GOP, from the worst (index 0) to the best.
    """

    def __init__(self, files: SceneFiles, manifest: Manifest, settings: OpenSettings) -> None:
        self.location = files.location
        self.manifest = manifest
        self._files = files
        self.qualities = qualities_of(manifest, len(files.manifest))
        self._decode_threads = settings.decode_threads
        self._ahead = settings.ahead
        self._decoder: SceneDecoder | None = None
        self._lock = threading.Lock()  # guards what follows
        self._static: dict[tuple[torch.device, tuple[str, ...]], Gaussians] = {}  # by layers
        self._inits: dict[int, bytes] = {}

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def decoder(self) -> SceneDecoder:
        """Decodes fetched parts of this scene; loads torch when first asked for."""
        from streamstgs.codec.scene_decoder import SceneDecoder

        with self._lock:
            if self._decoder is None:
                self._decoder = SceneDecoder(self.manifest, self._decode_threads, ahead=self._ahead)
            return self._decoder

    @property
    def meta(self) -> SceneMeta:
        """Title, frame rate, opening cameras and the like."""
        return self.manifest.meta

    @property
    def sound(self) -> SoundTrack | GopSound | None:
        """The sound track; None if the scene has none."""
        return self.manifest.sound

    def read_sound(self, segment: int, cancel: CancelToken = NEVER) -> NDArray[np.int16]:
        """Return a segment of the sound, [samples, channels] int16 at 48 kHz. Any thread may.

        Raises:
            CodecError: MissingSegment (also where the scene has no sound), CorruptSegment,
                SceneUnreachable or Cancelled.
        """
        from streamstgs.codec.sound.sound_coding import decode_sound

        track = self.manifest.sound
        if track is None:
            raise MissingSegment("the scene has no sound.")
        available = self.first_gop if isinstance(track, GopSound) else 0
        if segment < available:
            raise MissingSegment(f"The sound of GOP {segment} is gone.")
        first = max(segment - 1, available)
        files = [self._sound_file(track, k, cancel) for k in range(first, segment + 1)]
        ends = [track.start(k) for k in range(first, segment + 2)]
        earlier, count = ends[-2] - ends[0], ends[-1] - ends[-2]
        name = files[-1].name
        if max(earlier, count) > SOUND_SEGMENT_SAMPLES:
            raise CorruptSegment(f"{name} would be {count / RATE_HZ:.0f} s of sound.")
        init, *media = [self._files.read(file, cancel) for file in (track.init, *files)]
        before = media[0] if len(media) > 1 else None
        budget = TimeBudget((earlier + count) * track.channels, cancel)
        return decode_sound(init, before, media[-1], (track.channels, earlier, count), name, budget)

    def _sound_file(
        self, track: SoundTrack | GopSound, segment: int, cancel: CancelToken
    ) -> FileEntry:
        if isinstance(track, SoundTrack):
            return track.segments[segment].file
        self.fetch_page(segment, cancel)
        file = self._gop(segment).sound
        if file is None:
            raise MissingSegment(f"GOP {segment} has no sound.")
        return file

    def quality(self, qp: int) -> Quality:
        """The quality of a QP; raises UnknownQuality."""
        return quality_with_qp(self.qualities, qp)

    @property
    def gop_count(self) -> int:
        return len(self.manifest.times)

    @property
    def first_gop(self) -> int:
        """The first GOP that can be fetched; of a live scene those before it may be gone."""
        gops = self.manifest.gops
        return gops.pages.available if isinstance(gops, PagedGops) else 0

    @property
    def frame_count(self) -> int:
        """Content frames of the whole scene."""
        return self.manifest.frame_count

    @property
    def duration_s(self) -> float:
        return self.frame_count / self.meta.fps

    @property
    def static_count(self) -> int:
        """Number of static Gaussians."""
        return sum(layer.count for layer in self.manifest.static)

    @property
    def gop_times(self) -> GopTimes:
        """The number of content frames of each GOP."""
        return self.manifest.times

    def gop_frames(self, index: int) -> int:
        """Number of content frames of a GOP."""
        return self.manifest.times[index]

    def gop_start_frame(self, index: int) -> int:
        """Index in the scene of a GOP's first content frame."""
        return self.manifest.times.start(index)

    def feature_psnr_db(self, index: int, quality: Quality) -> float:
        """PSNR of the decoded feature codes of a GOP, in dB, as the encoder measured it."""
        return self._gop(index).segments[self._place(quality)].psnr_db

    def bytes_per_frame(self, quality: Quality) -> dict[str, float]:
        """Mean bytes per content frame at a quality, by part: static (the layers that suit it),
        keyframes, fields, features, manifest and total."""
        place, overhead = self._place(quality), len(self._files.manifest)
        parts = part_bytes(self.manifest, place, overhead)
        return {name: size / self.frame_count for name, size in parts.items()}

    def ladder(self) -> Ladder:
        """Bytes and PSNR of everything that can be fetched, for `codec.streaming.adaptive`."""
        return ladder_of(self.manifest)

    def read_static(
        self,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
        layers: int | None = None,
        gop: int | None = None,
    ) -> Gaussians:
        """Return the static Gaussians, activated; read once per device and kept.

        Those of another period replace them.

        Args:
            device: where the tensors are put.
            cancel: ends fetching and decoding early.
            layers: number of layers, the most important ones; None for all.
            gop: one that is shown with them; None for those of scene.json.

        Raises:
            CodecError: MissingSegment, CorruptSegment, SceneUnreachable or Cancelled.
        """
        import torch
        from streamstgs.renderer import Gaussians

        device = torch.device(device)
        names = tuple(entry.file.name for entry in self._layers(gop)[:layers])
        with self._lock:
            kept = {of: known for (on, of), known in self._static.items() if on == device}
        begun = max((of for of in kept if of == names[: len(of)]), key=len, default=())
        parts = [kept[begun]] if begun else [Gaussians.empty(device)]
        if begun == names:
            return parts[0]
        missing = range(len(begun), len(names))
        self.expect(static=missing, keyframe=0 if gop is None else gop, static_gop=gop)
        for k in missing:
            data = self.fetch_static(k, cancel, gop)
            parts.append(self.decoder.static(k, data, cancel, gop).to(device))
        known = Gaussians.concatenate(parts)
        with self._lock:
            for on, of in list(self._static):
                if of[:1] != names[:1]:
                    del self._static[on, of]
            return self._static.setdefault((device, names), known)

    def decode_gop(
        self,
        index: int,
        quality: Quality,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> Gop:
        """Fetch and decode one GOP, with the static Gaussians that suit the quality.

        Args:
            index: 0 .. gop_count - 1.
            quality: one of `qualities`.
            device: where the tensors are put.
            cancel: ends fetching and decoding early.

        Raises:
            CodecError: MissingSegment, CorruptSegment, SceneUnreachable, UnknownQuality or
                Cancelled.
            IndexError: no such GOP.
        """
        self._gop(index)
        suiting = self.manifest.representations[self._place(quality)].static
        static = self.read_static(device, cancel, suiting, index)
        self.expect(keyframe=index, features=(index, quality))
        keyframe = self.decoder.keyframe(index, self.fetch_keyframe(index, cancel), cancel)
        packet = self.fetch_features(index, quality, cancel)
        features = self.decoder.features(index, packet, cancel)
        return self.decoder.assemble(index, static, keyframe, features, device)

    # --- parts, to be decoded later or in another thread ------------------------------------------

    def expect(
        self,
        static: Iterable[int] = (),
        keyframe: int | None = None,
        features: tuple[int, Quality] | None = None,
        static_gop: int | None = None,
        held: int = 0,
    ) -> None:
        """Start to fetch the parts that will be asked for next, in this order.

        Replaces the list of the call before: transfers of other parts are cancelled.

        Args:
            static: indices of static layers.
            keyframe: index of a GOP.
            features: index of a GOP, and a quality.
            static_gop: a GOP that is shown with the static layers; None for those of scene.json.
            held: number of keyframe layers that `features` need not bring, as they are there.
        """
        files = [self._layer(layer, static_gop).file for layer in static]
        if keyframe is not None:
            files += self._keyframe_files(keyframe)
        if features is not None:
            files += self._feature_files(*features, held)
        self._files.prefetch(files)

    def fetch_static(
        self, layer: int, cancel: CancelToken = NEVER, gop: int | None = None
    ) -> bytes:
        """Fetch the file of a static layer; raises as `decode_gop`.

        Args:
            gop: one that is shown with the layer; None for the layers of scene.json.
        """
        return self._files.read(self._layer(layer, gop).file, cancel)

    def fetch_keyframe(self, index: int, cancel: CancelToken = NEVER) -> KeyframePacket:
        """Fetch the part of a keyframe that all qualities share; raises as `decode_gop`."""
        *layers, field = [self._files.read(f, cancel) for f in self._keyframe_files(index)]
        return KeyframePacket(tuple(layers), field)

    def fetch_features(
        self,
        index: int,
        quality: Quality,
        cancel: CancelToken = NEVER,
        held: tuple[bytes, ...] = (),
    ) -> FeaturePacket:
        """Fetch what a GOP has at a quality beside the shared keyframe; raises as `decode_gop`.

        Args:
            held: `FeaturePacket.layers` of another quality of this GOP; these are not fetched
                again.
        """
        k = self._place(quality)
        init = self._init(k, cancel)
        files = self._added_layers(index, k)
        missing = [self._files.read(file, cancel) for file in files[len(held) :]]
        media = self._files.read(self._gop(index).segments[k].file, cancel)
        return FeaturePacket(quality, init, media, (*held, *missing)[: len(files)])

    def is_static_kept(self, layer: int) -> bool:
        """Whether a static layer can be read without a network request."""
        return self._files.is_cached(self.manifest.static[layer].file)

    def kept_qualities(self, index: int) -> tuple[Quality, ...]:
        """Return the qualities of a GOP that need no network request, worst first."""
        if not all(map(self._files.is_cached, self._keyframe_files(index))):
            return ()
        return tuple(
            quality
            for quality in self.qualities
            if all(map(self._files.is_cached, self._feature_files(index, quality)))
        )

    def close(self) -> None:
        """Close the file or the connection; safe to call twice."""
        self._files.close()

    def _layer(self, layer: int, gop: int | None) -> LayerEntry:
        return self._layers(gop)[layer]

    def _layers(self, gop: int | None) -> tuple[LayerEntry, ...]:
        """The static layers that a GOP is shown with; None for those of scene.json."""
        return self.manifest.static if gop is None else self.manifest.static_at(gop)

    def _keyframe_files(self, index: int) -> list[FileEntry]:
        gop = self._gop(index)
        return [*(layer.file for layer in gop.layers[: gop.shared_layers]), gop.field]

    def _added_layers(self, index: int, k: int) -> list[FileEntry]:
        """The keyframe layers of a quality that not all qualities have."""
        gop = self._gop(index)
        return [layer.file for layer in gop.layers[gop.shared_layers : gop.layer_count(k)]]

    def _feature_files(self, index: int, quality: Quality, held: int = 0) -> list[FileEntry]:
        """The files to fetch; without the initialisation segment if it is known, and without the
        first `held` of the added keyframe layers."""
        k = self._place(quality)
        with self._lock:
            init = [] if k in self._inits else [self.manifest.representations[k].init]
        added = self._added_layers(index, k)[held:]
        return [*init, *added, self._gop(index).segments[k].file]

    def _gop(self, index: int) -> GopEntry:
        if not 0 <= index < self.gop_count:
            raise IndexError(f"no GOP {index}; the scene has {self.gop_count}")
        return self.manifest.gops[index]

    @property
    def live(self) -> LiveEntry | None:
        """Of a scene that grows; None for one that is complete."""
        return self.manifest.live

    def refresh(self, cancel: CancelToken = NEVER) -> bool:
        """Look for GOPs that a live scene has got; returns whether anything changed.

        Raises:
            SceneChanged: another scene is there now.
            NotAScene: its scene.json is invalid.
            SceneUnreachable, Cancelled: as of `decode_gop`.
        """
        data = self._files.refresh(cancel)
        if data == self._files.manifest:
            return False
        new = read_manifest(data, self._files.read, self.manifest)
        if not _continues(self.manifest, new):
            raise SceneChanged(f"The scene at {self.location} was replaced by another version.")
        self._files.accept(data)
        with self._lock:
            self.manifest, self._decoder = new, None
        return True

    def is_listed(self, index: int) -> bool:
        """Whether a GOP can be fetched at once: its page is read, or the scene has no pages."""
        gops = self.manifest.gops
        return not isinstance(gops, PagedGops) or gops.is_read(index)

    def fetch_page(self, index: int, cancel: CancelToken = NEVER) -> None:
        """Read the page that lists a GOP.

        Raises:
            CorruptSegment: the page is broken; the GOPs of `page_span` cannot be played.
            NotAScene: the list of pages is broken.
            CodecError: as of `decode_gop`.
        """
        gops = self.manifest.gops
        if isinstance(gops, PagedGops):
            gops.page(index, cancel)

    def own_static(self, index: int) -> Manifest | None:
        """The scene with the static layers of a GOP, whose page is read; None if these are those
        of scene.json."""
        manifest = self.manifest.at(index)
        return None if manifest.static == self.manifest.static else manifest

    def page_span(self, index: int) -> range:
        """The GOPs that are listed together with a GOP."""
        gops = self.manifest.gops
        return gops.span(index) if isinstance(gops, PagedGops) else range(len(gops))

    def _place(self, quality: Quality) -> int:
        """Index of a quality in the manifest, which lists the best first."""
        if quality not in self.qualities:
            raise UnknownQuality(f"{quality} is not a quality of the scene {self.location}.")
        return len(self.qualities) - 1 - quality.index

    def _init(self, k: int, cancel: CancelToken) -> bytes:
        with self._lock:
            known = self._inits.get(k)
        if known is None:
            known = self._files.read(self.manifest.representations[k].init, cancel)
            with self._lock:
                self._inits[k] = known
        return known


def _continues(before: Manifest, now: Manifest) -> bool:
    """Whether a manifest is that of the same live scene, some time later."""

    def shared(manifest: Manifest) -> tuple[object, ...]:
        sound = manifest.sound
        if isinstance(sound, GopSound):
            sound = replace(sound, times=GopTimes(()))
        kept = manifest.tiles, manifest.representations, manifest.static
        return (manifest.meta, *kept, sound)

    return shared(before) == shared(now) and now.times.continues(before.times)
