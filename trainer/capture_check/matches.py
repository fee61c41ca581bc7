"""Features that two cameras both show at one moment, found and verified by pycolmap."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from streamstgs.trainer.errors import CaptureError

Pair = tuple[int, int]
FEATURES_MAX = 4096
FEWEST = 25  # matches of a pair; fewer satisfy some geometry by chance


@dataclass(frozen=True)
class PairMatches:
    """Matched pixels of two cameras; the centre of the top left pixel is (0.5, 0.5).

    Args:
        pair: indices of the cameras.
        first, second: [N, 2] float64 px, one row a match.
    """

    pair: Pair
    first: np.ndarray
    second: np.ndarray


def find_matches(pictures: Sequence[np.ndarray], pairs: Iterable[Pair]) -> list[PairMatches]:
    """Matches of some pairs of pictures that agree on one geometry, whatever the calibration says.

    Args:
        pictures: [H, W, 3] uint8 without lens distortion; sizes may differ.
        pairs: indices of pictures.

    Returns:
        The pairs with at least `FEWEST` matches.

    Raises:
        CaptureError: pycolmap is not installed.
    """
    pycolmap = load_pycolmap("matching features of cameras")
    names = [f"{number:04d}.png" for number in range(len(pictures))]
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in zip(names, pictures, strict=True):
            iio.imwrite(Path(folder) / name, picture)
        database = Path(folder) / "database.db"
        extract(pycolmap, database, Path(folder), "SIMPLE_PINHOLE")
        chosen = sorted({(min(p), max(p)) for p in pairs})
        listed = Path(folder) / "pairs.txt"
        listed.write_text("".join(f"{names[a]} {names[b]}\n" for a, b in chosen))
        pairing = pycolmap.ImportedPairingOptions(match_list_path=str(listed))
        pycolmap.match_image_pairs(database, pairing_options=pairing)
        return _verified(pycolmap, database, names, chosen)


def load_pycolmap(purpose: str) -> Any:
    """pycolmap, silent and with a fixed seed. Raises CaptureError naming the extra."""
    try:
        import pycolmap
    except ImportError as error:
        raise CaptureError(f"{purpose} needs pycolmap: pip install 'streamstgs[train]'") from error
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value  # it tells of every picture
    pycolmap.set_random_seed(0)
    return pycolmap


def extract(pycolmap: Any, database: Path, images: Path, model: str) -> None:
    """Find features of all images of a folder, each taken by a camera of its own."""
    options = pycolmap.FeatureExtractionOptions()
    options.sift.max_num_features = FEATURES_MAX
    pycolmap.extract_features(
        database,
        images,
        camera_mode=pycolmap.CameraMode.PER_IMAGE,
        reader_options=pycolmap.ImageReaderOptions(camera_model=model),
        extraction_options=options,
    )


def _verified(
    pycolmap: Any, database: Path, names: list[str], pairs: list[Pair]
) -> list[PairMatches]:
    useless = pycolmap.TwoViewGeometryConfiguration.WATERMARK
    found = []
    with pycolmap.Database.open(database) as opened:
        numbers = {image.name: image.image_id for image in opened.read_all_images()}
        ids = [numbers[name] for name in names]
        points = [np.asarray(opened.read_keypoints(i), np.float64)[:, :2] for i in ids]
        for a, b in pairs:
            geometry = opened.read_two_view_geometry(ids[a], ids[b])
            matches = np.asarray(geometry.inlier_matches).reshape(-1, 2)
            if len(matches) >= FEWEST and geometry.config != useless:
                rows = points[a][matches[:, 0]], points[b][matches[:, 1]]
                found.append(PairMatches((a, b), *rows))
    return found
