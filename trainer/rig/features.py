"""Features of several moments of a static rig, in one database with one image a camera.

Cameras stand still, so that points of different moments have one calibration. Features are matched
within a moment only: what moves is at another place later, and what stands still would match
itself, which makes COLMAP's ratio test drop it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from streamstgs.trainer.capture_check.matches import FEATURES_MAX


def write_database(
    pycolmap: Any,
    folder: Path,
    names: Sequence[str],
    moments: Sequence[Sequence[np.ndarray]],
    model: str,
    is_one_lens: bool,
) -> Path:
    """The database of a rig below `folder`, beside `images/NAME` with the first moment.

    Args:
        names: of the images, one a camera.
        moments: for each moment the pictures [H, W, 3] uint8 of all cameras.
        model: COLMAP's name of the lens model.
        is_one_lens: all cameras share the parameters of one lens.
    """
    parts = [
        _matched_moment(pycolmap, folder / f"moment{k}", names, pictures, model, is_one_lens)
        for k, pictures in enumerate(moments)
    ]
    (folder / "moment0").rename(folder / "images")
    database = folder / "images" / "database.db"
    with pycolmap.Database.open(database) as opened:
        ids = {image.name: image.image_id for image in opened.read_all_images()}
        for clear in ("keypoints", "descriptors", "matches", "two_view_geometries"):
            getattr(opened, f"clear_{clear}")()
        for name in names:
            opened.write_keypoints(ids[name], np.concatenate([p["points"][name] for p in parts]))
        for pair, matches in _joined(parts).items():
            opened.write_matches(ids[pair[0]], ids[pair[1]], matches)
    pycolmap.geometric_verification(database)
    return database


def _matched_moment(
    pycolmap: Any,
    folder: Path,
    names: Sequence[str],
    pictures: Sequence[np.ndarray],
    model: str,
    is_one_lens: bool,
) -> dict[str, Any]:
    """Keypoints by image and matches by pair of images of one moment."""
    folder.mkdir()
    for name, picture in zip(names, pictures, strict=True):
        iio.imwrite(folder / name, picture)
    mode = pycolmap.CameraMode.SINGLE if is_one_lens else pycolmap.CameraMode.PER_IMAGE
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.sift.max_num_features = FEATURES_MAX
    database = folder / "database.db"
    pycolmap.extract_features(
        database,
        folder,
        image_names=list(names),
        camera_mode=mode,
        reader_options=pycolmap.ImageReaderOptions(camera_model=model),
        extraction_options=extraction,
    )
    pycolmap.match_exhaustive(database)
    return _read(pycolmap, database)


def _read(pycolmap: Any, database: Path) -> dict[str, Any]:
    with pycolmap.Database.open(database) as opened:
        names = {image.image_id: image.name for image in opened.read_all_images()}
        points = {name: np.asarray(opened.read_keypoints(i)) for i, name in names.items()}
        ids = sorted(names)
        matches = {
            (names[a], names[b]): np.asarray(opened.read_matches(a, b)).reshape(-1, 2)
            for k, a in enumerate(ids)
            for b in ids[k + 1 :]
        }
    return {"points": points, "matches": matches}


def _joined(parts: Sequence[dict[str, Any]]) -> dict[tuple[str, str], np.ndarray]:
    """Matches of all moments, for keypoints that follow each other."""
    first = dict.fromkeys(parts[0]["points"], 0)
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for part in parts:
        for (a, b), matches in part["matches"].items():
            if (b, a) in found:
                a, b, matches = b, a, matches[:, ::-1]
            if len(matches):
                shifted = matches.astype(np.uint32) + np.array([first[a], first[b]], np.uint32)
                found.setdefault((a, b), []).append(shifted)
        first = {name: n + len(part["points"][name]) for name, n in first.items()}
    return {pair: np.concatenate(matches) for pair, matches in found.items()}
