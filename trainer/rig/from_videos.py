"""`streamstgs capture from-videos`: a calibrated capture of videos that nobody has calibrated."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from streamstgs.codec.output import check_output_directory, output_directory
from streamstgs.trainer.capture_check.matches import load_pycolmap
from streamstgs.trainer.datasets import CaptureConfig, open_capture
from streamstgs.trainer.datasets.files import by_numbers, check_sources
from streamstgs.trainer.datasets.moments import check_known
from streamstgs.trainer.datasets.readers import READERS, VideoReader
from streamstgs.trainer.datasets.sources import is_video
from streamstgs.trainer.datasets.timing import common_rate, common_start_s
from streamstgs.trainer.datasets.video_file import VideoFile
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.point_cloud import PointCloud, write_ply
from streamstgs.trainer.rig.config import RigConfig
from streamstgs.trainer.rig.features import write_database
from streamstgs.trainer.rig.solve import SolvedRig, solve

log = logging.getLogger("streamstgs.trainer")
FEWEST_CAMERAS, FEWEST_POINTS = 3, 50
ERROR_MAX_PX = 2.0


def calibrate_videos(videos: Sequence[Path], out: Path, config: RigConfig) -> None:
    """Write `cameras.json`, `points3D.ply` and the videos to a new folder.

    Videos are linked where the file system can, else copied.

    Args:
        videos: files, or folders with files.

    Raises:
        CaptureError: the videos do not belong together, or could not be calibrated.
        WriteError: the folder cannot be written.
    """
    pycolmap = load_pycolmap("calibrating videos")
    check_output_directory(out, lambda _: False)
    found = find_videos(videos)
    names = [path.stem for path in found]
    check_known("capture.held-out", config.capture.held_out, names)
    check_known("capture.offset", list(config.capture.offsets), names)
    readers, fps, frames = _opened(found, config.capture)
    rig = _solved(pycolmap, readers, frames, config)
    document = _document(out.name, rig, readers, fps, frames, config)
    with output_directory(out, lambda _: False) as folder:
        (folder / "cameras.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        colors = torch.tensor(rig.colors / 255, dtype=torch.float32)
        points = torch.tensor(rig.points, dtype=torch.float32)
        write_ply(folder / "points3D.ply", PointCloud(points, colors))
        for camera, reader in zip(names, readers, strict=True):
            if _image(camera) in rig.viewmats:
                _link(reader.path, folder / reader.path.name)
        open_capture(folder)  # the rules of trust hold for what is written, too


def find_videos(given: Sequence[Path]) -> list[Path]:
    """The videos of files and folders, in the order of the numbers in their names.

    Raises CaptureError: there are too few, or two have one name.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += [p for p in path.iterdir() if is_video(p) and p.is_file()]
        elif path.is_file():
            found.append(path)
        else:
            raise CaptureError(f"{path} does not exist")
    found.sort(key=lambda path: by_numbers(path.name))
    if len(found) < FEWEST_CAMERAS:
        raise CaptureError(
            f"{len(found)} videos cannot be calibrated; give at least {FEWEST_CAMERAS}, one of "
            "each camera"
        )
    stems = [path.stem for path in found]
    for stem in stems:
        if stems.count(stem) > 1:
            raise CaptureError(f"two videos are called {stem}; rename one of them")
    check_sources([(path.stem, path) for path in found])
    return found


def _opened(videos: Sequence[Path], config: CaptureConfig) -> tuple[list[VideoReader], float, int]:
    """Readers with a common start, frames per second, and the length of the shortest video."""
    files = [VideoFile(path.stem, path, config.untagged_matrix) for path in videos]
    with ThreadPoolExecutor(READERS) as pool:
        times = list(pool.map(lambda file: file.times(config.fps), files))
        sizes = list(pool.map(lambda file: file.first_size(), files))
    fps = config.fps or common_rate(times)
    start_s = None if config.ignore_start else common_start_s(times)
    first = min(config.offsets.get(file.camera, 0) for file in files)
    readers = [
        VideoReader(
            file.camera, file.path, width, height, None, fps, start_s,
            config.untagged_matrix, known, offset=config.offsets.get(file.camera, 0) - first,
        )
        for file, (width, height), known in zip(files, sizes, times, strict=True)
    ]  # fmt: skip
    frames = min(reader.length() for reader in readers)
    for reader in readers:
        reader.check(frames)
    return readers, fps, frames


def _solved(
    pycolmap: object, readers: Sequence[VideoReader], frames: int, config: RigConfig
) -> SolvedRig:
    """The rig by the first frame; by more of them where that does not join all cameras."""
    rig, most = None, max(1, min(config.moments, frames))
    for count in sorted({1, most}):
        chosen = np.linspace(0, frames - 1, count).round().astype(int).tolist()
        log.info("calibrating %d cameras by %d frames", len(readers), count)
        pictures = [_read(readers, frame) for frame in chosen]
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            names = [_image(r.camera) for r in readers]
            database = write_database(
                pycolmap, place, names, pictures, config.lens, config.one_lens
            )
            found = solve(pycolmap, database, place / "images", place / "out")
        if rig is None or (found and len(found.viewmats) >= len(rig.viewmats)):
            rig = found or rig
        if rig is not None and len(rig.viewmats) == len(readers):
            break
    return _checked(rig, [r.camera for r in readers], config)


def _checked(rig: SolvedRig | None, cameras: Sequence[str], config: RigConfig) -> SolvedRig:
    """Raises CaptureError where a rig is not to be trusted, and says what to do."""
    advice = (
        "Cameras are joined by what several of them see: neighbours should see mostly the same, "
        "with texture, in focus. Move cameras closer together or add some between"
    )
    if rig is None:
        raise CaptureError(f"no two of {len(cameras)} cameras could be joined. {advice}")
    lost = [name for name in cameras if _image(name) not in rig.viewmats]
    if lost and (not config.leave_out or len(cameras) - len(lost) < FEWEST_CAMERAS):
        raise CaptureError(
            f"{len(lost)} of {len(cameras)} cameras could not be joined with the others: "
            f"{', '.join(lost)}. {advice}; --leave-out goes on without these cameras"
        )
    if len(rig.points) < FEWEST_POINTS:
        raise CaptureError(f"only {len(rig.points)} points were found. {advice}")
    if rig.error_px > ERROR_MAX_PX:
        raise CaptureError(
            f"the calibration is {rig.error_px:.1f} px off on average, {ERROR_MAX_PX:g} is the "
            "limit; try another --lens, and check that no camera moved or zoomed"
        )
    log.info(
        "%d cameras and %d points, %.2f px off on average",
        len(rig.viewmats), len(rig.points), rig.error_px,
    )  # fmt: skip
    return rig


def _document(
    title: str,
    rig: SolvedRig,
    readers: Sequence[VideoReader],
    fps: float,
    frames: int,
    config: RigConfig,
) -> dict[str, object]:
    """The content of `cameras.json`."""
    cameras = []
    for reader in readers:
        image = _image(reader.camera)
        if image not in rig.viewmats:
            continue
        lens, offset = rig.lenses[image], config.capture.offsets.get(reader.camera, 0)
        cameras.append({
            "id": reader.camera,
            "split": "test" if reader.camera in config.capture.held_out else "train",
            "w": lens.width, "h": lens.height,
            "lens": {"model": lens.model, "params": list(lens.params)},
            "w2c": rig.viewmats[image].tolist(),
            "video": reader.path.name,
            **({"offset": offset} if offset else {}),
        })  # fmt: skip
    return {"name": title, "fps": fps, "frames": frames, "cameras": cameras}


def _read(readers: Sequence[VideoReader], frame: int) -> list[np.ndarray]:
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda reader: reader.read([frame])[0], readers))


def _image(camera: str) -> str:
    return f"{camera}.png"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
