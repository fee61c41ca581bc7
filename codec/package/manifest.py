"""The content of scene.json as types. `codec.package.manifest_json` reads and writes it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from streamstgs.codec.attributes.quantisation import Quantiser
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.poster_entry import PosterEntry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.package.sound_track import GopSound, SoundTrack
from streamstgs.codec.video.codecs import Codec
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import FieldConfig

FORMAT = "streamstgs"
LEAST_SHOWN = 0.02  # share of its moving Gaussians that a GOP shows, or it is static
VERSIONS = (1, 2, 3, 4)  # that this program reads
TRAJECTORY_VERSION = 2  # from which on layers may have trajectories
PARTS_VERSION = 3  # from which on qualities may have a part of the moving Gaussians
PAGED_VERSION = 4  # from which on GOPs may be listed in pages


@dataclass(frozen=True)
class LayerEntry:
    """A layer: Gaussians that are stored in one file, sorted on one grid.

    Args:
        file: their attribute images.
        count: N; cells from N on are padding.
        height, width: the grid, cells.
        quantisers: attribute -> how its codes become values.
        quality_db: of a static layer: PSNR of frames rendered with the static layers up to this
            one against frames with all of them, at most 100; None if the package does not tell
            it.
    """

    file: FileEntry
    count: int
    height: int
    width: int
    quantisers: dict[str, Quantiser]
    quality_db: float | None = None

    @property
    def bits(self) -> dict[str, int]:
        return {name: quantiser.bits for name, quantiser in self.quantisers.items()}


@dataclass(frozen=True)
class RepresentationEntry:
    """One quality of the feature video, the same for all GOPs.

    Args:
        qp: constant quantiser; names the files.
        codec, codecs: the codec and its RFC 6381 name.
        init: the initialisation segment.
        height: rows of each tile of its video, where it has fewer than the scene's; else None.
        static: number of static layers that suit it; None for all of them.
    """

    qp: int
    codec: Codec
    codecs: str
    init: FileEntry
    height: int | None = None
    static: int | None = None


@dataclass(frozen=True)
class SegmentEntry:
    """The feature video of one GOP at one quality.

    Args:
        file: the media segment.
        psnr_db: of the decoded against the encoded 8-bit codes, capped at 100.
        quality_db: PSNR of rendered frames against those of the trained scene, before
            quantisation (`codec.encoder.quality_measurement`), capped at 100; None in packages
            that do not tell it.
        layers: number of keyframe layers whose Gaussians it has, where these are not all; else
            None.
    """

    file: FileEntry
    psnr_db: float
    quality_db: float | None = None
    layers: int | None = None


@dataclass(frozen=True)
class GopEntry:
    """One group of pictures.

    Args:
        start_frame: index of its first content frame.
        frames: G.
        layers: the moving Gaussians; one after the other they are the M cells of the features.
        features: 8-bit quantiser of the F channels.
        field, field_config: weights and shape of the deformation field.
        segments: parallel to the manifest's representations.
        shown: number of moving Gaussians that add to the image in some frame; None in packages
            that do not say.
        sound: its sound, where the scene is published live with sound.
    """

    start_frame: int
    frames: int
    layers: tuple[LayerEntry, ...]
    features: Quantiser
    field: FileEntry
    field_config: FieldConfig
    segments: tuple[SegmentEntry, ...]
    shown: int | None = None
    sound: FileEntry | None = None

    @property
    def is_static_only(self) -> bool:
        """Whether the GOP is known to show no more than its static layer."""
        return self.shown is not None and self.shown <= LEAST_SHOWN * self.dynamic_count

    @property
    def dynamic_count(self) -> int:
        """M, the number of moving Gaussians."""
        return sum(layer.count for layer in self.layers)

    @property
    def feature_frames(self) -> int:
        """E = G + W - 1, the number of frames of features."""
        return self.frames + self.field_config.window - 1

    def layer_count(self, place: int) -> int:
        """Number of keyframe layers of the quality at a place of the manifest, 0 the best."""
        count = self.segments[place].layers
        return len(self.layers) if count is None else count

    def moving_count(self, place: int) -> int:
        """Number of moving Gaussians of the quality at a place of the manifest."""
        return sum(layer.count for layer in self.layers[: self.layer_count(place)])

    @property
    def shared_layers(self) -> int:
        """Number of keyframe layers that all qualities have."""
        return min(map(self.layer_count, range(len(self.segments))))


class UnreadGops(Sequence[GopEntry]):
    """GOPs of which only the times are known before they are asked for."""

    @property
    @abstractmethod
    def times(self) -> GopTimes:
        """The length of each GOP."""

    @property
    @abstractmethod
    def inline(self) -> tuple[GopEntry, ...]:
        """The GOPs that need no reading."""

    @property
    @abstractmethod
    def first_inline(self) -> int:
        """The number of the first of them."""

    @abstractmethod
    def no_static_db(self, gop: int) -> float | None:
        """Return `Manifest.no_static_db` of the static layers of a GOP; raises as indexing."""

    @abstractmethod
    def static(self, gop: int) -> tuple[LayerEntry, ...] | None:
        """Return the static layers of a GOP that differ from those of the manifest; None if none.

        Raises as indexing does.
        """


@dataclass(frozen=True)
class Manifest:
    """A whole scene.

    Args:
        tiles: how features lie in the video; the same for all GOPs. Worse qualities may have fewer
            rows (`tiles_of`).
        representations: of the feature video, best quality (lowest QP) first.
        static: layers that all GOPs share but those of later periods, the most important first.
        gops: in order of time; `PagedGops` where they are listed in pages.
        poster: picture of the opening view; None in packages without one.
        no_static_db: `LayerEntry.quality_db` of no static layer at all.
        live: of a scene that grows; None for one that is complete.
        sound: the sound track; None in packages without one.
    """

    meta: SceneMeta
    tiles: TileLayout
    representations: tuple[RepresentationEntry, ...]
    static: tuple[LayerEntry, ...]
    gops: Sequence[GopEntry]
    poster: PosterEntry | None = None
    no_static_db: float | None = None
    live: LiveEntry | None = None
    sound: SoundTrack | GopSound | None = None

    @property
    def version(self) -> int:
        """The lowest format version that has all of it."""
        if isinstance(self.gops, UnreadGops):
            return PAGED_VERSION
        if any(s.layers is not None for gop in self.gops for s in gop.segments):
            return PARTS_VERSION
        if any(entry.height is not None for entry in self.representations):
            return PARTS_VERSION
        layers = [layer for gop in self.gops for layer in gop.layers]
        moving = any("velocities" in layer.quantisers for layer in layers)
        return TRAJECTORY_VERSION if moving else 1

    @cached_property
    def times(self) -> GopTimes:
        """The length of each GOP."""
        if isinstance(self.gops, UnreadGops):
            return self.gops.times
        return GopTimes.of(gop.frames for gop in self.gops)

    @property
    def listed(self) -> Sequence[GopEntry]:
        """The GOPs that scene.json lists: all of them, or a few of a scene with pages."""
        return self.gops.inline if isinstance(self.gops, UnreadGops) else self.gops

    @property
    def first_listed(self) -> int:
        """The number of the first of these GOPs."""
        return self.gops.first_inline if isinstance(self.gops, UnreadGops) else 0

    def static_at(self, gop: int) -> tuple[LayerEntry, ...]:
        """Return the static layers that a GOP is shown with, the most important first."""
        return self.at(gop).static

    def at(self, gop: int) -> Manifest:
        """Return the scene with the static layers that a GOP is shown with."""
        own = self.gops.static(gop) if isinstance(self.gops, UnreadGops) else None
        if own is None or not isinstance(self.gops, UnreadGops):
            return self
        return replace(self, static=own, no_static_db=self.gops.no_static_db(gop))

    def tiles_of(self, place: int) -> TileLayout:
        """The tiling of the video of the quality at a place, 0 the best."""
        height = self.representations[place].height
        return self.tiles if height is None else replace(self.tiles, height=height)

    def static_of(self, place: int) -> tuple[LayerEntry, ...]:
        """The static layers that suit the quality at a place, 0 the best."""
        return self.static[: self.representations[place].static]

    @property
    def frame_count(self) -> int:
        return self.times.frames
