"""What a scene is made of, for people and for scripts."""

from __future__ import annotations

from typing import Any

from streamstgs.codec.manifest import VERSION, LayerEntry
from streamstgs.codec.poster import PosterEntry
from streamstgs.codec.scene import Scene


def describe(scene: Scene) -> dict[str, Any]:
    """Facts about an open scene as plain JSON values; reads nothing beyond its manifest."""
    meta, manifest = scene.meta, scene.manifest
    return {
        "location": scene.location,
        "format_version": VERSION,
        "title": meta.title,
        "licence": meta.licence,
        "attribution": meta.attribution,
        "fps": meta.fps,
        "frames": scene.frame_count,
        "duration_s": scene.duration_s,
        "width": meta.width,
        "height": meta.height,
        "presets": [preset.name for preset in meta.presets],
        "gops": [gop.frames for gop in manifest.gops],
        "gaussians": {
            "static": [layer.count for layer in manifest.static],
            "dynamic": [gop.dynamic_count for gop in manifest.gops],
        },
        "features": manifest.tiles.features,
        "video": {"width": manifest.tiles.video_width, "height": manifest.tiles.video_height},
        "bits": _bits([*manifest.static, *(layer for g in manifest.gops for layer in g.layers)]),
        "poster": _poster(manifest.poster),
        "rungs": [_rung(scene, qp) for qp in scene.rungs],
    }


def _bits(layers: list[LayerEntry]) -> dict[str, int]:
    """The most bits that any layer gives an attribute."""
    depths: dict[str, int] = {}
    for layer in layers:
        for name, bits in layer.bits.items():
            depths[name] = max(depths.get(name, 0), bits)
    return depths


def _poster(poster: PosterEntry | None) -> dict[str, int] | None:
    if poster is None:
        return None
    return {"width": poster.width, "height": poster.height, "bytes": poster.file.size_bytes}


def _rung(scene: Scene, qp: int) -> dict[str, Any]:
    parts = scene.bytes_per_frame(qp)
    entry = scene.manifest.rungs[scene.rungs.index(qp)]
    psnrs_db = [scene.feature_psnr_db(index, qp) for index in range(scene.gop_count)]
    return {
        "qp": qp,
        "codec": entry.codec,
        "codecs": entry.codecs,
        "bytes_per_frame": parts,
        "bitrate_bps": parts["total"] * 8 * scene.meta.fps,
        "feature_psnr_db": sum(psnrs_db) / len(psnrs_db),
    }
