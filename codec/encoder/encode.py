"""Encodes a trained scene to a package."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from streamstgs.codec.attributes.attribute_images import encode_attribute_images
from streamstgs.codec.attributes.field_weights import encode_field
from streamstgs.codec.attributes.layers import attributes
from streamstgs.codec.encoder.checked_manifest import write_checked
from streamstgs.codec.encoder.config import AttributeBits, EncoderConfig, EncodeReport
from streamstgs.codec.encoder.feature_encoding import feature_grid, psnr_db, quantise_features
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.ladder_plan import LadderPlan, plan_ladder
from streamstgs.codec.encoder.layer_encoding import (
    encode_layer,
    grid_order,
    quantisers_for,
    sorting_values,
)
from streamstgs.codec.encoder.lifetimes import lifetimes, shown_count, visible_frames
from streamstgs.codec.encoder.moving_layers import (
    LayerPlan,
    divide_moving,
    plan_layers,
    rows_for,
    rows_of,
)
from streamstgs.codec.encoder.poster_picture import with_poster
from streamstgs.codec.encoder.quality_measurement import MeasuredQuality, measure_quality
from streamstgs.codec.encoder.sound_encoding import FOLDER as SOUND_FOLDER
from streamstgs.codec.encoder.sound_encoding import write_sound
from streamstgs.codec.encoder.source import SceneSource, TrainedGop, periods_of, static_at
from streamstgs.codec.encoder.static_layers import divide_static
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.dash import start_ticks, write_dash
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.package.manifest import (
    GopEntry,
    LayerEntry,
    Manifest,
    RepresentationEntry,
    SegmentEntry,
)
from streamstgs.codec.package.page_index import PAGES
from streamstgs.codec.package.page_writer import PageSettings, Period, write_scene_json
from streamstgs.codec.package.writer import PackageWriter
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.scene_totals import totals_of
from streamstgs.codec.video.feature_video import VideoSettings, decode_segment, encode_segment
from streamstgs.codec.video.mp4_boxes import sample_entry
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import CanonicalGaussians

ReportProgress = Callable[[str, float], None]
OnGop = Callable[[Manifest, GopEntry, Callable[[str], bytes]], None]
log = logging.getLogger(__name__)


def encode_scene(
    source: SceneSource,
    out: Path,
    config: EncoderConfig = EncoderConfig(),  # noqa: B008 (frozen)
    progress: ReportProgress | None = None,
    audio: Path | None = None,
    on_gop: OnGop | None = None,
) -> EncodeReport:
    """Encode a scene to a package. `out` is replaced once the package is complete.

    Args:
        source: the trained scene.
        out: path of a `.stgs` file, or of a directory.
        config: settings of the encoder.
        progress: called with the name of the present step and the share that is done, 0..1.
        audio: an audio or video file with the sound of the scene; None for a scene without sound.
        on_gop: called when a GOP is encoded, with the scene without GOPs, the GOP, and what reads
            their files.

    Raises:
        EncodeError: the scene does not fit the format.
        WriteError: `out` is something else than a scene, or cannot be written.
    """
    with PackageWriter(Path(out)) as package:
        report = _Encoder(source, package, config, progress or _silent, audio, on_gop).run()
        package.commit()
    return report


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""


@dataclass
class _Encoder:
    """The state of one encoding."""

    source: SceneSource
    package: PackageWriter
    config: EncoderConfig
    progress: ReportProgress
    audio: Path | None = None
    on_gop: OnGop | None = None
    static_codes: list[dict[str, np.ndarray]] = field(default_factory=list)
    gop_codes: list[dict[str, np.ndarray]] = field(default_factory=list)
    feature_codes: list[np.ndarray] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)  # Gaussians and frames of each GOP
    plan: LadderPlan = field(init=False)
    layer_plans: list[LayerPlan] = field(init=False)  # of each GOP
    periods: list[Period] = field(default_factory=list)  # with static layers of their own

    def run(self) -> EncodeReport:
        tiles = self._layout()
        self.progress("static Gaussians", 0.0)
        static = self._encode_static(self.source.static, "static")
        for period in periods_of(self.source):
            layers = self._encode_static(period.static, f"static/{period.first:04d}")
            self.periods.append(Period(period.first, tuple(layers)))
        self._plan([layer.file.size_bytes for layer in static], tiles)
        representations: dict[int, RepresentationEntry] = {}
        gops: list[GopEntry] = []
        for index in range(self.source.gop_count):
            self.progress(f"GOP {index + 1} of {self.source.gop_count}", self._share(index))
            start = gops[-1].start_frame + gops[-1].frames if gops else 0
            gops.append(self._encode_gop(index, start, tiles, representations))
            header = self._header(tiles, representations, static)
            if self.on_gop is not None:
                self.on_gop(header, gops[-1], self.package.read)
        manifest = replace(header, gops=tuple(gops))
        manifest = self._with_sound(self._with_pictures(manifest))
        report = self._report(manifest, self._write_manifest(manifest))
        self.progress("done", 1.0)
        return report

    def _header(
        self,
        tiles: TileLayout,
        representations: dict[int, RepresentationEntry],
        static: list[LayerEntry],
    ) -> Manifest:
        """Return the scene without GOPs; its qualities are known once a GOP is encoded."""
        ordered = tuple(
            self._with_parts(place, representations[qp], tiles, len(static))
            for place, qp in enumerate(sorted(representations))
        )
        return Manifest(self.source.meta, tiles, ordered, tuple(static), ())

    def _share(self, gops_done: int) -> float:
        return (gops_done + 0.5) / (self.source.gop_count + 0.5)

    def _layout(self) -> TileLayout:
        """Return the tiling for the largest GOP; all GOPs use it and share a video header."""
        if self.source.gop_count < 1:
            raise EncodeError("The trained scene has no GOP.")
        features = set()
        for index in range(self.source.gop_count):
            gop = self.source.gop(index)
            self.sizes.append((len(gop.canonical), gop.frames))
            features.add(gop.features.shape[-1])
        if len(features) != 1:
            raise EncodeError(f"The GOPs differ in their number of features: {features}.")
        most = max(count for count, _ in self.sizes)
        return TileLayout.of(*grid_shape(most), features.pop())

    def _plan(self, static_bytes: list[int], tiles: TileLayout) -> None:
        """Decide how many Gaussians each quality has."""
        self.progress("sizes of the qualities", 0.0)
        moves = [index for index, (count, _) in enumerate(self.sizes) if count]
        sample = self._checked_gop(moves[0]) if moves else None
        self.plan = plan_ladder(self.sizes, sample, static_bytes, self.source.meta, self.config)
        self.layer_plans = [plan_layers(count, self.plan.shares, tiles) for count, _ in self.sizes]

    def _with_parts(
        self, place: int, entry: RepresentationEntry, tiles: TileLayout, static_layers: int
    ) -> RepresentationEntry:
        """Return the entry with the rows and static layers of its quality, where these are not
        all."""
        rows, static = self._tiles_of(place, tiles).height, self.plan.static_layers[place]
        return replace(
            entry,
            height=rows if rows < tiles.height else None,
            static=static if static < static_layers else None,
        )

    def _tiles_of(self, place: int, tiles: TileLayout) -> TileLayout:
        """Return the tiling of the video of a quality, 0 the best."""
        if self.plan.shares[place] == 1.0:
            return tiles
        rows = rows_of([plan.counts[place] for plan in self.layer_plans], tiles)
        return replace(tiles, height=min(rows, tiles.height))

    def _encode_static(self, static: CanonicalGaussians, folder: str) -> list[LayerEntry]:
        static = static.to("cpu")
        _check_finite("The static layer", static)
        entries = []
        for k, part in enumerate(divide_static(static, self.source.meta, self.config.static)):
            height, width = grid_shape(len(part.gaussians))
            order = self._order(sorting_values(part.gaussians), height, width)
            entry, codes = self._encode_layer(
                f"{folder}/{k}.planes",
                part.gaussians[order],
                (height, width),
                self.config.static_bits,
                part.unit,
            )
            entries.append(entry)
            self._keep(self.static_codes, codes)
        return entries

    def _order(self, values: torch.Tensor, height: int, width: int) -> torch.Tensor:
        return grid_order(values, height, width, self.config.sort, self.config.seed)

    def _encode_layer(
        self,
        name: str,
        gaussians: CanonicalGaussians,
        grid: tuple[int, int],
        bits: AttributeBits,
        unit: float,
    ) -> tuple[LayerEntry, dict[str, np.ndarray]]:
        values, (height, width) = attributes(gaussians), grid
        quantisers = quantisers_for(values, bits, tuple(self.source.meta.center), unit)
        codes = encode_layer(values, quantisers)
        depths = {attribute: q.bits for attribute, q in quantisers.items()}
        data = encode_attribute_images(codes, depths, height, width, self.config.jxl_effort)
        file = self.package.write(name, data)
        return LayerEntry(file, len(gaussians), height, width, quantisers), codes

    def _encode_gop(
        self,
        index: int,
        start: int,
        tiles: TileLayout,
        representations: dict[int, RepresentationEntry],
    ) -> GopEntry:
        gop = self._checked_gop(index)
        canonical, features = gop.canonical, gop.features
        layer_entries: list[LayerEntry] = []
        if len(canonical):
            order = self._grid_order(index, gop, tiles)
            whole = tiles.height, tiles.width
            features = features[:, torch.cat(order)]
            for k, members in enumerate(order):
                entry, codes = self._encode_layer(
                    _layer_name(index, k, len(order)),
                    canonical[members],
                    rows_for(len(members), tiles) if len(order) > 1 else whole,
                    self.config.moving_bits,
                    max(self.source.meta.radius, 1e-6),
                )
                layer_entries.append(entry)
                self._keep(self.gop_codes, codes)
        quantiser, feature_codes = quantise_features(features)
        if self.config.keep_codes:
            self.feature_codes.append(feature_codes)
        times = (start_ticks(start, self._fps), start_ticks(start + gop.frames, self._fps))
        entry_of_gop = GopEntry(
            shown=shown_count(gop),
            start_frame=start,
            frames=gop.frames,
            layers=tuple(layer_entries),
            features=quantiser,
            field=self.package.write(f"fields/{index:04d}.safetensors", encode_field(gop.field)),
            field_config=gop.field.config,
            segments=tuple(
                self._encode_representation(
                    place, qp, index, feature_codes, times, tiles, representations
                )
                for place, qp in enumerate(sorted(self.config.qps))
            ),
        )
        if entry_of_gop.is_static_only:
            log.warning("GOP %d shows no more than the static layer: train it again", index)
        return entry_of_gop

    def _grid_order(self, index: int, gop: TrainedGop, tiles: TileLayout) -> list[torch.Tensor]:
        """Return the members of each keyframe layer, in the order of the grid."""
        seen = lifetimes(visible_frames(gop)) if self.config.sort_by_lifetime else None
        values, meta = sorting_values(gop.canonical, gop.features, seen), self.source.meta
        sizes = self.layer_plans[index].sizes
        if len(sizes) == 1:
            return [self._order(values, tiles.height, tiles.width)]
        static = static_at(self.source, index).to("cpu").activate()
        parts = divide_moving(gop, static, sizes, meta, self.config.moving)
        return [
            members[self._order(values[members], *rows_for(len(members), tiles))]
            for members in parts
        ]

    @property
    def _fps(self) -> float:
        return self.source.meta.fps

    def _checked_gop(self, index: int) -> TrainedGop:
        gop = self.source.gop(index)
        _check_finite(f"GOP {index}", gop.canonical)
        config = gop.field.config
        wanted = (gop.frames + config.window - 1, len(gop.canonical), config.features)
        if tuple(gop.features.shape) != wanted:
            raise EncodeError(
                f"GOP {index}: its features are {tuple(gop.features.shape)}, the field and the "
                f"number of frames ask for {wanted}."
            )
        if not gop.features.isfinite().all():
            raise EncodeError(f"GOP {index}: some features are not finite.")
        return TrainedGop(
            gop.canonical.to("cpu"),
            gop.features.detach().float().cpu(),
            copy.deepcopy(gop.field).cpu().eval(),
            gop.frames,
        )

    def _encode_representation(
        self,
        place: int,
        qp: int,
        index: int,
        codes: np.ndarray,
        times: tuple[int, int],
        tiles: TileLayout,
        representations: dict[int, RepresentationEntry],
    ) -> SegmentEntry:
        config, plan = self.config, self.layer_plans[index]
        tiles, codes = self._tiles_of(place, tiles), codes[:, : plan.counts[place]]
        settings = VideoSettings(config.codec, qp, config.preset, config.threads)
        planes = (tiles.tile(feature_grid(frame, tiles)) for frame in codes)
        init, media = encode_segment(planes, len(codes), times[0], times[1] - times[0], settings)
        self._keep_init(qp, init, representations)
        name = f"features/qp{qp}/{index:04d}.m4s"
        decoded = decode_segment(
            init, media, tiles, (len(codes), *codes.shape[1:]), config.codec, name
        )
        file, layers = self.package.write(name, media), plan.layers_of(place)
        return SegmentEntry(file, psnr_db(codes, decoded), layers=layers)

    def _keep_init(
        self, qp: int, init: bytes, representations: dict[int, RepresentationEntry]
    ) -> None:
        """Write the header of a quality once; x264 and x265 make the same one for all segments."""
        name = f"features/qp{qp}/init.mp4"
        file = (
            self.package.write(name, init)
            if qp not in representations
            else representations[qp].init
        )
        if file != FileEntry.of(name, init):
            raise EncodeError(f"The video encoder changed its header within QP {qp}.")
        representations[qp] = RepresentationEntry(
            qp, self.config.codec, sample_entry(init).codecs, file
        )

    def _keep(self, kept: list[dict[str, np.ndarray]], codes: dict[str, np.ndarray]) -> None:
        if self.config.keep_codes:
            kept.append(codes)

    def _with_sound(self, manifest: Manifest) -> Manifest:
        if self.audio is None:
            return manifest
        self.progress("sound", 0.99)
        seconds = manifest.frame_count / self._fps
        return replace(manifest, sound=write_sound(self.audio, seconds, self.package.write))

    def _with_pictures(self, manifest: Manifest) -> Manifest:
        """Render from the package so far, as players will: the poster, and the quality of each
        segment and static layer."""
        self._write_json(manifest)
        with open_scene(self.package.root) as scene:
            return self._with_quality(self._with_poster(manifest, scene), scene)

    def _with_poster(self, manifest: Manifest, scene: Scene) -> Manifest:
        self.progress("poster", 0.99)
        return with_poster(manifest, scene, self.config.poster, self.package.write)

    def _with_quality(self, manifest: Manifest, scene: Scene) -> Manifest:
        self.progress("quality of segments and layers", 0.99)
        measured = measure_quality(scene, self.source, self.config.quality)
        return manifest if measured is None else with_quality(manifest, measured)

    def _write_manifest(self, manifest: Manifest) -> int:
        """Write scene.json, its pages and scene.mpd; return their size in bytes."""
        self._write_json(manifest)
        self.package.write(DASH_NAME, write_dash(manifest))
        return self.package.bytes_below(MANIFEST_NAME, DASH_NAME, PAGES)

    def _write_json(self, manifest: Manifest) -> None:
        """Write scene.json and its pages, after checking that this program can read them."""
        settings = PageSettings(paged_from=self.config.paged_from)

        def content() -> bytes:
            write, totals = self.package.write, totals_of(manifest)
            return write_scene_json(manifest, write, totals, settings, self.periods)

        write_checked(self.package, content)

    def _static_of(self, manifest: Manifest, place: int) -> list[LayerEntry]:
        """Return the static layers of all periods that suit a quality."""
        later = [period.static for period in self.periods]
        count = manifest.representations[place].static
        return [layer for layers in (manifest.static, *later) for layer in layers[:count]]

    def _report(self, manifest: Manifest, manifest_bytes: int) -> EncodeReport:
        gops = manifest.gops
        return EncodeReport(
            frames=manifest.frame_count,
            total_bytes=self.package.total_bytes,
            part_bytes={
                "static": self.package.bytes_below("static/"),
                "keyframes": sum(layer.file.size_bytes for g in gops for layer in g.layers),
                "fields": sum(gop.field.size_bytes for gop in gops),
                "manifest": manifest_bytes,
                "sound": self.package.bytes_below(f"{SOUND_FOLDER}/"),
            },
            qp_bytes={
                entry.qp: entry.init.size_bytes + sum(g.segments[k].file.size_bytes for g in gops)
                for k, entry in enumerate(manifest.representations)
            },
            qp_psnr_db={
                entry.qp: sum(gop.segments[k].psnr_db for gop in gops) / len(gops)
                for k, entry in enumerate(manifest.representations)
            },
            quality_bytes={
                entry.qp: manifest_bytes
                + entry.init.size_bytes
                + sum(layer.file.size_bytes for layer in self._static_of(manifest, k))
                + sum(gop_bytes(gop, k) for gop in gops)
                for k, entry in enumerate(manifest.representations)
            },
            static_codes=self.static_codes,
            gop_codes=self.gop_codes,
            feature_codes=self.feature_codes,
        )


def gop_bytes(gop: GopEntry, place: int) -> int:
    """Return the size of what a viewer of a quality fetches of a GOP, bytes."""
    layers = gop.layers[: gop.layer_count(place)]
    files = [gop.field, gop.segments[place].file, *(layer.file for layer in layers)]
    return sum(file.size_bytes for file in files)


def _layer_name(gop: int, layer: int, layers: int) -> str:
    """Return the name of the file of a keyframe layer."""
    return f"keyframes/{layer}/{gop:04d}.planes" if layers > 1 else f"keyframes/{gop:04d}.planes"


def with_quality(manifest: Manifest, measured: MeasuredQuality) -> Manifest:
    """Return the manifest with the measured quality of segments and layers."""
    none_db, *layers_db = measured.static_db
    pairs = zip(manifest.static, layers_db, strict=True)
    return replace(
        manifest,
        gops=tuple(map(_with_qualities, manifest.gops, measured.qualities_db)),
        static=tuple(replace(layer, quality_db=db) for layer, db in pairs),
        no_static_db=none_db if layers_db else None,
    )


def _with_qualities(gop: GopEntry, qualities_db: tuple[float, ...]) -> GopEntry:
    pairs = zip(gop.segments, qualities_db, strict=True)
    return replace(gop, segments=tuple(replace(s, quality_db=db) for s, db in pairs))


def _check_finite(where: str, gaussians: CanonicalGaussians) -> None:
    for attribute, values in attributes(gaussians).items():
        if not values.isfinite().all():
            raise EncodeError(f"{where}: {attribute} of some Gaussians are not finite.")
