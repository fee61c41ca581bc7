"""Facts about a scene of another program, for people and for scripts."""

from __future__ import annotations

from typing import Any

from streamstgs.codec.formats.reader import SceneReader
from streamstgs.renderer.spherical_harmonics import sh_degree


def describe_splats(reader: SceneReader) -> dict[str, Any]:
    """Facts as plain JSON values; decodes the first frame."""
    info = reader.info
    first = reader.segment(0).gaussians_at(0.0)
    return {
        "location": info.location,
        "format": info.format,
        "title": info.meta.title,
        "fps": info.meta.fps,
        "frames": info.frame_count,
        "duration_s": info.duration_s,
        "gaussians": len(first),
        "spherical_harmonics_degree": 0 if first.sh is None else sh_degree(first.sh),
        "presets": [preset.name for preset in info.meta.presets],
        "bitrate_bps": reader.qualities[-1].bitrate_bps,
    }
