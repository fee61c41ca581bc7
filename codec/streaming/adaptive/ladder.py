"""What a scene's manifest promises to an adaptive player: bytes and quality, GOP by GOP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from streamstgs.codec.package.manifest import GopEntry, Manifest, SegmentEntry, UnreadGops


@dataclass(frozen=True)
class GopLadder:
    """One GOP at all its qualities.

    Args:
        duration_s: content time it shows.
        keyframe_bytes: layers of the moving Gaussians that all qualities have, together.
        field_bytes: weights of the field.
        feature_bytes: of everything else at each quality, worst first: the feature video, and the
            layers that not all qualities have.
        quality_db: PSNR of the drawn picture at each quality.
        added_bytes: the part of `feature_bytes` that are layers; empty if all qualities have the
            same. They are not fetched again with a better quality.
    """

    duration_s: float
    keyframe_bytes: int
    field_bytes: int
    feature_bytes: tuple[int, ...]
    quality_db: tuple[float, ...]
    added_bytes: tuple[int, ...] = ()

    @property
    def shared_bytes(self) -> int:
        """Of keyframe and field, which every quality needs."""
        return self.keyframe_bytes + self.field_bytes

    def bytes_at(self, quality_index: int) -> int:
        """Everything that has to arrive to show the GOP at a quality."""
        return self.shared_bytes + self.feature_bytes[quality_index]

    def added_at(self, quality_index: int) -> int:
        """Bytes of the layers of a quality that not all qualities have."""
        return self.added_bytes[quality_index] if self.added_bytes else 0

    def upgrade_bytes(self, held: int, better: int) -> int:
        """What has to arrive for a better quality while the GOP is buffered at the quality
        `held`."""
        kept = min(self.added_at(held), self.added_at(better))
        return self.feature_bytes[better] - kept

    def scaled(self, factor: float) -> GopLadder:
        return replace(
            self,
            keyframe_bytes=_scale(self.keyframe_bytes, factor),
            field_bytes=_scale(self.field_bytes, factor),
            feature_bytes=tuple(_scale(size, factor) for size in self.feature_bytes),
            added_bytes=tuple(round(size * factor) for size in self.added_bytes),
        )


@dataclass(frozen=True)
class Ladder:
    """All that can be fetched of a scene. A quality is known by `Quality.index`: 0 is the worst.

    Args:
        qps: QP of each quality, worst first.
        gops: in order of time, not empty; `GopLadders` where they are listed in pages.
        static_bytes: layers of the static Gaussians, most important first; may be empty.
        static_quality_db: PSNR with only the first k static layers against all of them, for
            k = 0 .. all; the last is the cap of PSNRs.
    """

    qps: tuple[int, ...]
    gops: Sequence[GopLadder]
    static_bytes: tuple[int, ...] = ()
    static_quality_db: tuple[float, ...] = (100.0,)

    @property
    def lowest(self) -> int:
        """Index of the quality of the fewest bytes."""
        return 0

    @property
    def best(self) -> int:
        """Index of the best quality."""
        return len(self.qps) - 1

    @property
    def duration_s(self) -> float:
        return sum(gop.duration_s for gop in self.gops)

    def bandwidth_bps(self, quality_index: int) -> float:
        """Mean over the scene, static layers left out."""
        return 8 * sum(gop.bytes_at(quality_index) for gop in self.gops) / self.duration_s

    def shown_db(self, gop: int, quality_index: int, static_layers: int) -> float:
        """PSNR of what is seen: the errors of quality and missing static layers add up."""
        error = error_of_db(self.gops[gop].quality_db[quality_index])
        if static_layers < len(self.static_bytes):
            error += error_of_db(self.static_quality_db[static_layers])
        return -10 * math.log10(error)

    def looped(self, duration_s: float) -> Ladder:
        """The same content again and again, for at least `duration_s`."""
        times = math.ceil(duration_s / self.duration_s - 1e-9)
        return replace(self, gops=tuple(self.gops) * max(times, 1))

    def scaled(self, factor: float) -> Ladder:
        """Every file `factor` times as large, for experiments."""
        return replace(
            self,
            gops=tuple(gop.scaled(factor) for gop in self.gops),
            static_bytes=tuple(_scale(size, factor) for size in self.static_bytes),
        )


class GopLadders(Sequence[GopLadder]):
    """The ladders of the GOPs of a scene with pages, each made when it is asked for.

    Raises:
        CodecError: the page of a GOP is not read yet, and cannot be read.
    """

    def __init__(self, gops: Sequence[GopEntry], fps: float) -> None:
        self._gops, self._fps = gops, fps

    def __len__(self) -> int:
        return len(self._gops)

    def __getitem__(self, gop: int) -> GopLadder:  # type: ignore[override]
        return _gop_ladder(self._gops[gop], self._fps)


def ladder_of(manifest: Manifest) -> Ladder:
    """The ladder of a scene, with the quality that its encoder measured.

    A manifest lists the best quality first.
    """
    layers = tuple(layer.file.size_bytes for layer in manifest.static)
    gops = GopLadders(manifest.gops, manifest.meta.fps)
    return Ladder(
        qps=tuple(entry.qp for entry in reversed(manifest.representations)),
        gops=gops if isinstance(manifest.gops, UnreadGops) else tuple(gops),
        static_bytes=layers,
        static_quality_db=_static_quality_db(manifest),
    )


def _gop_ladder(gop: GopEntry, fps: float) -> GopLadder:
    sizes, shared = [layer.file.size_bytes for layer in gop.layers], gop.shared_layers
    places = range(len(gop.segments))[::-1]  # the manifest lists the best first
    added = [sum(sizes[shared : gop.layer_count(k)]) for k in range(len(gop.segments))]
    return GopLadder(
        duration_s=gop.frames / fps,
        keyframe_bytes=sum(sizes[:shared]),
        field_bytes=gop.field.size_bytes,
        feature_bytes=tuple(gop.segments[k].file.size_bytes + added[k] for k in places),
        quality_db=tuple(_quality_db(gop.segments[k]) for k in places),
        added_bytes=tuple(added[k] for k in places) if any(added) else (),
    )


def _quality_db(segment: SegmentEntry) -> float:
    """Of the drawn picture; of the feature codes in packages that do not say."""
    return segment.psnr_db if segment.quality_db is None else segment.quality_db


def _static_quality_db(manifest: Manifest) -> tuple[float, ...]:
    """As measured; without that a guess: what is missing weighs as many Gaussians as it has."""
    measured = (manifest.no_static_db, *(layer.quality_db for layer in manifest.static))
    known = tuple(value for value in measured if value is not None)
    if len(known) == len(measured):
        return (*accumulate(known[:-1], max), 100.0)  # more layers never count as worse
    total = sum(layer.count for layer in manifest.static)
    missing, guessed = total, []
    for layer in manifest.static:
        guessed.append(NO_STATIC_DB - 10 * math.log10(missing / total))
        missing -= layer.count
    return (*guessed, 100.0)


NO_STATIC_DB = 15.0  # PSNR of the bundled scene without its static Gaussians, rounded


def error_of_db(psnr_db: float) -> float:
    """Mean square error of values 0..1."""
    return float(10 ** (-psnr_db / 10))


def _scale(size: int, factor: float) -> int:
    return max(1, round(size * factor))
