"""Facts about a scene for `streamstgs info`."""

from __future__ import annotations

from typing import Any

from streamstgs.codec.package.manifest import LayerEntry, Manifest
from streamstgs.codec.package.poster_entry import PosterEntry
from streamstgs.codec.package.sound_track import CODECS, RATE_HZ, SoundTrack
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene


def describe(scene: Scene) -> dict[str, Any]:
    """Return facts about an open scene as plain JSON values, from its manifest alone.

    Of a scene with pages the pages are not read: what is told of single GOPs is told of those that
    scene.json lists, numbered from `first_listed_gop`.
    """
    meta, manifest = scene.meta, scene.manifest
    gops = manifest.listed
    return {
        "location": scene.location,
        "format_version": manifest.version,
        "title": meta.title,
        "licence": meta.licence,
        "attribution": meta.attribution,
        "fps": meta.fps,
        "frames": scene.frame_count,
        "duration_s": scene.duration_s,
        "width": meta.width,
        "height": meta.height,
        "presets": [preset.name for preset in meta.presets],
        "gops": list(manifest.times),
        "live": manifest.live is not None,
        "first_listed_gop": manifest.first_listed,
        "gaussians": {
            "static": [layer.count for layer in manifest.static],
            "dynamic": [gop.dynamic_count for gop in gops],
            "keyframe_layers": [[layer.count for layer in gop.layers] for gop in gops],
        },
        "static_only_gops": [
            k for k, gop in enumerate(gops, manifest.first_listed) if gop.is_static_only
        ],
        "features": manifest.tiles.features,
        "video": {"width": manifest.tiles.video_width, "height": manifest.tiles.video_height},
        "bits": _bits([*manifest.static, *(layer for g in gops for layer in g.layers)]),
        "poster": _poster(manifest.poster),
        "sound": _sound(manifest),
        "qualities": [_quality(scene, quality) for quality in reversed(scene.qualities)],
    }


def _bits(layers: list[LayerEntry]) -> dict[str, int]:
    """Return, for each attribute, the largest number of bits in any layer."""
    depths: dict[str, int] = {}
    for layer in layers:
        for name, bits in layer.bits.items():
            depths[name] = max(depths.get(name, 0), bits)
    return depths


def _poster(poster: PosterEntry | None) -> dict[str, int] | None:
    if poster is None:
        return None
    return {"width": poster.width, "height": poster.height, "bytes": poster.file.size_bytes}


def _sound(manifest: Manifest) -> dict[str, Any] | None:
    sound = manifest.sound
    if sound is None:
        return None
    seconds, bitrate_bps = sound.samples / RATE_HZ, None
    if isinstance(sound, SoundTrack):  # the GOPs of a live scene list its sound, in many pages
        size_bytes = sum(segment.file.size_bytes for segment in sound.segments)
        bitrate_bps = round(8 * size_bytes / max(seconds, 1e-3))
    return {
        "codecs": CODECS,
        "channels": sound.channels,
        "seconds": round(seconds, 3),
        "bitrate_bps": bitrate_bps,
    }


def _quality(scene: Scene, quality: Quality) -> dict[str, Any]:
    manifest = scene.manifest
    place = [entry.qp for entry in manifest.representations].index(quality.qp)
    entry = manifest.representations[place]
    psnrs_db = [gop.segments[place].psnr_db for gop in manifest.listed]
    return {
        "qp": quality.qp,
        "codec": entry.codec,
        "codecs": entry.codecs,
        "gaussians": {
            "static": sum(layer.count for layer in manifest.static_of(place)),
            "dynamic": [gop.moving_count(place) for gop in manifest.listed],
        },
        "bytes_per_frame": scene.bytes_per_frame(quality),
        "bitrate_bps": quality.bitrate_bps,
        "psnr_db": quality.psnr_db,
        "feature_psnr_db": sum(psnrs_db) / len(psnrs_db),
    }
