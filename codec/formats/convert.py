"""Scenes of any format as splat files: one moment, a folder of frames, or a .4dgs file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.exchange.fourdgs_writer import FourdgsWriter
from streamstgs.codec.formats.gaussian_ply import Vector
from streamstgs.codec.formats.raw_gaussians import RawGaussians, raw_of
from streamstgs.codec.formats.reader import SceneReader, Segment
from streamstgs.codec.formats.writers import WRITERS, writer_of, written
from streamstgs.codec.output import check_output, output_directory, output_file
from streamstgs.renderer import Gaussians

Box = tuple[float, float, float, float, float, float]
ReportProgress = Callable[[int, int], None]
FRAME_FILE = re.compile(r"frame_\d+\.(ply|compressed\.ply|spz|sog|splat)")
FOURDGS = ".4dgs"


@dataclass(frozen=True)
class ConvertSettings:
    """What of a scene is written.

    Args:
        crop: (x0, y0, z0, x1, y1, z1), world units: Gaussians with a centre outside of this box are
            left out; None keeps all.
        keep: share of the Gaussians that is kept, above 0 to 1. The most important ones are kept:
            those of the largest opacity times extent.
        suffix: of the files of a sequence.
        up: unit vector that points up, which some formats tell; None for that of the scene.

    Raises:
        EncodeError: the box is empty, or the share is not above 0 and at most 1.
    """

    crop: Box | None = None
    keep: float = 1.0
    suffix: str = ".ply"
    up: Vector | None = None

    def __post_init__(self) -> None:
        if self.crop is not None and not all(
            low < high for low, high in zip(self.crop[:3], self.crop[3:], strict=True)
        ):
            raise EncodeError("The box of the crop is empty: write x0,y0,z0,x1,y1,z1.")
        if not 0.0 < self.keep <= 1.0:
            raise EncodeError(f"{self.keep:g} is no share; write more than 0 and at most 1.")
        if self.suffix not in WRITERS:
            raise EncodeError(f"{self.suffix} cannot be written; {', '.join(WRITERS)} can.")


def convert_frame(
    reader: SceneReader,
    frame: int,
    out: Path,
    settings: ConvertSettings = ConvertSettings(),
    cancel: CancelToken = NEVER,
) -> int:
    """Write the Gaussians of a content frame as one file, whole or not at all.

    Args:
        frame: 0 to `reader.info.frame_count` - 1.
        out: file to write; its suffix chooses the format.

    Returns:
        How many Gaussians the file holds.

    Raises:
        EncodeError: the scene has no such frame, or nothing of it is left to write.
        CodecError: the scene cannot be read, or the file cannot be written.
    """
    writer_of(out)
    check_output(out)
    converter = Converter()
    try:
        raw = chosen(_Frames(reader, cancel).gaussians(frame), settings)
        content = written(raw, out, settings.up or reader.info.meta.up, converter, cancel)
        with output_file(out) as partial:
            partial.write_bytes(content)
        return len(raw)
    finally:
        converter.close()


def convert_frames(
    reader: SceneReader,
    frames: Sequence[int],
    out: Path,
    settings: ConvertSettings = ConvertSettings(),
    progress: ReportProgress = lambda done, total: None,
    cancel: CancelToken = NEVER,
) -> int:
    """Write content frames as a folder of files `frame_00000.ply` and so on, whole or not at all.

    Args:
        frames: content frames in the order of the files.
        out: folder to write; one that holds other files is left as it is.
        progress: called after each file with (done, total).

    Returns:
        How many files the folder holds.

    Raises:
        EncodeError, CodecError: as of `convert_frame`.
    """
    converter, source = Converter(), _Frames(reader, cancel)
    up = settings.up or reader.info.meta.up
    try:
        with output_directory(out, is_sequence_folder) as folder:
            for number, frame in enumerate(frames):
                cancel.raise_if_cancelled(f"writing {out}")
                path = folder / f"frame_{number:05d}{settings.suffix}"
                raw = chosen(source.gaussians(frame), settings)
                path.write_bytes(written(raw, path, up, converter, cancel))
                progress(number + 1, len(frames))
        return len(frames)
    finally:
        converter.close()


def convert_fourdgs(
    reader: SceneReader,
    frames: Sequence[int],
    out: Path,
    settings: ConvertSettings = ConvertSettings(),
    progress: ReportProgress = lambda done, total: None,
    cancel: CancelToken = NEVER,
) -> int:
    """Write content frames as one `.4dgs` file, whole or not at all.

    Args:
        frames, progress: as of `convert_frames`; `suffix` of the settings is not used.

    Returns:
        How many frames the file holds.

    Raises:
        EncodeError, CodecError: as of `convert_frame`.
    """
    check_output(out)
    meta, source = reader.info.meta, _Frames(reader, cancel)
    writer = FourdgsWriter(meta.fps, settings.up or meta.up, meta.title)
    for number, frame in enumerate(frames):
        cancel.raise_if_cancelled(f"writing {out}")
        writer.add(chosen(source.gaussians(frame), settings))
        progress(number + 1, len(frames))
    content = writer.content()
    cancel.raise_if_cancelled(f"writing {out}")
    with output_file(out) as partial:
        partial.write_bytes(content)
    return len(frames)


def convert_scene(
    reader: SceneReader,
    out: Path,
    frames: Sequence[int],
    settings: ConvertSettings = ConvertSettings(),
    progress: ReportProgress = lambda done, total: None,
    cancel: CancelToken = NEVER,
) -> int:
    """Write content frames as the name of the output says: a `.4dgs` file, else a folder."""
    write = convert_fourdgs if out.suffix.lower() == FOURDGS else convert_frames
    return write(reader, frames, out, settings, progress, cancel)


def is_sequence_folder(path: Path) -> bool:
    """Whether a folder holds files of `convert_frames` and nothing else."""
    return all(FRAME_FILE.fullmatch(file.name) for file in path.iterdir())


def chosen(gaussians: Gaussians, settings: ConvertSettings) -> RawGaussians:
    """The Gaussians that the settings keep, as they are stored."""
    raw = raw_of(gaussians)
    if settings.crop is not None:
        low, high = np.array(settings.crop[:3]), np.array(settings.crop[3:])
        inside = (raw.means >= low) & (raw.means <= high)
        raw = raw[np.flatnonzero(inside.all(axis=1))]
    if settings.keep < 1.0 and len(raw):
        count = max(1, round(len(raw) * settings.keep))
        opacities = 1 / (1 + np.exp(-raw.logits.astype(np.float64)))
        extents = np.sort(raw.log_scales, axis=1)[:, 1:].sum(axis=1, dtype=np.float64)
        importance = np.log(np.maximum(opacities, 1e-12)) + extents  # area at most
        raw = raw[np.sort(np.argsort(-importance, kind="stable")[:count])]
    return raw


class _Frames:
    """Gaussians of frames; keeps the segment decoded last."""

    def __init__(self, reader: SceneReader, cancel: CancelToken) -> None:
        self._reader = reader
        self._cancel = cancel
        self._kept: tuple[int, Segment] | None = None

    def gaussians(self, frame: int) -> Gaussians:
        info = self._reader.info
        if not 0 <= frame < info.frame_count:
            raise EncodeError(f"There is no frame {frame}; the scene has {info.frame_count}.")
        time_s = frame / info.meta.fps
        index = info.segment_at(time_s)
        if self._kept is None or self._kept[0] != index:
            self._kept = None  # two segments need not fit into memory
            self._kept = index, self._reader.segment(index, cancel=self._cancel)
        return self._kept[1].gaussians_at(time_s)
