"""Splat files of a scene, for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamstgs.api.scene import Scene, open
from streamstgs.codec.formats.convert import (
    FOURDGS,
    Box,
    ConvertSettings,
    convert_frame,
    convert_scene,
)


def convert(
    scene: Scene | str | Path,
    output: str | Path,
    *,
    frame: int | None = None,
    time_s: float | None = None,
    crop: Box | None = None,
    keep: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the Gaussians of a scene as splat files that other programs open.

    The file or folder appears when it is complete; an interrupted conversion leaves none.

    Example:
        st.convert(scene, "first.ply", frame=0)

    Args:
        scene: an open scene, or its path or URL.
        output: a file whose name ends in .ply, .compressed.ply, .spz, .sog or .splat for one frame;
            one that ends in .4dgs for all frames; a name without an ending for a folder with a
            .ply file for each frame.
        frame: content frame of a file; None for the first, or that of `time_s`.
        time_s: seconds from the start of the scene, instead of `frame`.
        crop: (x0, y0, z0, x1, y1, z1), world units: Gaussians with a centre outside of this box are
            left out.
        keep: share of the Gaussians that is kept, above 0 to 1; the most important ones.
        progress: called after each frame with (done, total), where all are written.

    Returns:
        The path of the file or folder.

    Raises:
        CodecError: the scene cannot be read, it has no such frame, nothing is left to write, or
            the output cannot be written.
        PlayerError: the scene is closed, or `time_s` is not finite.
        ValueError: both `frame` and `time_s` are given, or one of them for all frames.
    """
    if frame is not None and time_s is not None:
        raise ValueError("give either frame or time_s")
    path, settings = Path(output), ConvertSettings(crop, keep)
    opened = scene if isinstance(scene, Scene) else open(scene)
    opened._check_open()
    try:
        if not path.suffix or path.suffix.lower() == FOURDGS:
            if frame is not None or time_s is not None:
                raise ValueError(f"{path} holds all frames; name a file that holds one")
            frames = range(opened.frame_count)
            report = progress or (lambda done, total: None)
            convert_scene(opened._reader, path, frames, settings, report)
        else:
            chosen = opened.frame_at(time_s) if time_s is not None else frame or 0
            convert_frame(opened._reader, chosen, path, settings)
    finally:
        if opened is not scene:
            opened.close()
    return path
