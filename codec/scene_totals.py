"""Sums over all GOPs of a scene: bytes by part, and mean quality."""

from __future__ import annotations

from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.paged_gops import PagedGops
from streamstgs.codec.package.schema import Totals
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive.ladder import ladder_of


def totals_of(manifest: Manifest) -> Totals:
    """Return the sums over all GOPs of a scene; of one with pages as it declares them."""
    if isinstance(manifest.gops, PagedGops):
        return manifest.gops.pages.totals
    places = range(len(manifest.representations))
    gops = manifest.gops
    layers = [[layer.file.size_bytes for layer in gop.layers] for gop in gops]
    pairs = list(zip(gops, layers, strict=True))
    return Totals(
        fields=sum(gop.field.size_bytes for gop in gops),
        keyframes=tuple(sum(sum(of[: gop.layer_count(k)]) for gop, of in pairs) for k in places),
        features=tuple(sum(gop.segments[k].file.size_bytes for gop in gops) for k in places),
        quality_db=tuple(_mean_psnr_db(manifest, k) for k in places),
    )


def _mean_psnr_db(manifest: Manifest, k: int) -> float | None:
    """Mean over the GOPs, with the static layers that suit the quality."""
    if any(gop.segments[k].quality_db is None for gop in manifest.gops):
        return None
    ladder, layers = ladder_of(manifest), len(manifest.static_of(k))
    index = len(manifest.representations) - 1 - k
    shown = [ladder.shown_db(gop, index, layers) for gop in range(len(manifest.gops))]
    return sum(shown) / len(shown)


def qualities_of(manifest: Manifest, manifest_bytes: int) -> tuple[Quality, ...]:
    """Return the ladder of a scene, worst first; the manifest lists the best first."""
    totals = totals_of(manifest)
    places = reversed(range(len(manifest.representations)))
    seconds = manifest.frame_count / manifest.meta.fps
    return tuple(
        Quality(
            index,
            manifest.representations[k].qp,
            _sum(manifest, totals, k, manifest_bytes)["total"] * 8 / seconds,
            totals.quality_db[k],
        )
        for index, k in enumerate(places)
    )


def part_bytes(manifest: Manifest, k: int, manifest_bytes: int) -> dict[str, int]:
    """Return bytes over the whole scene of all that a viewer of representation k fetches, by part.

    Args:
        manifest_bytes: length of scene.json.
    """
    return _sum(manifest, totals_of(manifest), k, manifest_bytes)


def _sum(manifest: Manifest, totals: Totals, k: int, manifest_bytes: int) -> dict[str, int]:
    parts = {
        "static": sum(layer.file.size_bytes for layer in manifest.static_of(k)),
        "keyframes": totals.keyframes[k],
        "fields": totals.fields,
        "features": manifest.representations[k].init.size_bytes + totals.features[k],
        "manifest": manifest_bytes,
    }
    return parts | {"total": sum(parts.values())}
