"""A whole sequence as the files of a run: static Gaussians, and a fitted GOP after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.trajectory_fit.fit import (
    fit_gop,
    spread,
    straight_paths,
    visible_units,
)
from streamstgs.trainer.trajectory_fit.frames import WIDTH, TrackedFrames, canonical_of
from torch import Tensor

ReportProgress = Callable[[str, float], None]
FEATURES_MOST = 12


@dataclass(frozen=True)
class FitSettings:
    """How a sequence is fitted.

    Args:
        gop_frames: Frames of a GOP; the last one may be shorter.
        accuracy: Error that features may leave beside that of their codes, in visible units; it
            decides the number of features.
        still: Largest change over the whole sequence, in visible units, of Gaussians that count as
            static.

    Raises:
        SettingError: A setting is out of its range.
    """

    gop_frames: int = 30
    accuracy: float = 0.05
    still: float = 0.2

    def __post_init__(self) -> None:
        if not 1 <= self.gop_frames <= 1_000:
            raise SettingError(f"--gop-frames {self.gop_frames} is not between 1 and 1000")
        if self.accuracy <= 0 or self.still < 0:
            raise SettingError("accuracy and still are larger than 0")


@dataclass(frozen=True)
class FittedSequence:
    """What was fitted.

    Args:
        static: [N] bool, which Gaussians never move.
        features: Number of features.
        left_out: Share of the spread of the motion, by squares, that features leave out.
    """

    static: Tensor
    features: int
    left_out: float


def fit_sequence(
    frames: TrackedFrames,
    meta: SceneMeta,
    run: RunDirectory,
    settings: FitSettings = FitSettings(),
    progress: ReportProgress = lambda what, share: None,
) -> FittedSequence:
    """Write the files of a run that `run_directory.load_run` opens. Reads each frame twice.

    Raises:
        SequenceError: The Gaussians of the sequence do not correspond.
        CodecError: A frame cannot be read, or the reading was cancelled.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lengths = gop_lengths(len(frames), settings.gop_frames)
    looked = _look(frames, lengths, device, progress)
    static = (looked.highest - looked.lowest <= settings.still * looked.units).all(dim=1)
    basis, left_out = _basis(looked.products, looked.weight, settings.accuracy)
    run.path.mkdir(parents=True, exist_ok=True)
    first = next(frames.checked())
    run.write_static(canonical_of(first[static]))
    for index, rows in enumerate(_gops(frames, lengths)):
        progress(f"fitting segment {index + 1} of {len(lengths)}", 0.5 + 0.5 * index / len(lengths))
        gop = fit_gop(rows[:, ~static].to(device), looked.units.to(device), basis.to(device))
        run.write_gop(index, gop)
    run.write_plan(meta, lengths)
    return FittedSequence(static, basis.shape[1], left_out)


@dataclass
class _Looked:
    """What a first look at all frames tells."""

    units: Tensor
    lowest: Tensor  # [N, 14]
    highest: Tensor
    products: Tensor  # [14, 14]
    weight: float  # number of Gaussians and frames in them, by opacity


def _look(
    frames: TrackedFrames, lengths: list[int], device: torch.device, progress: ReportProgress
) -> _Looked:
    found: _Looked | None = None
    for index, rows in enumerate(_gops(frames, lengths)):
        progress(f"reading segment {index + 1} of {len(lengths)}", 0.5 * index / len(lengths))
        low, high = rows.amin(dim=0), rows.amax(dim=0)
        if found is None:
            nothing = torch.zeros(WIDTH, WIDTH, dtype=torch.float64)
            found = _Looked(visible_units(rows[0]), low, high, nothing, 0.0)
        found.lowest = torch.minimum(found.lowest, low)
        found.highest = torch.maximum(found.highest, high)
        paths = straight_paths(rows.to(device))
        found.products += spread(paths, found.units.to(device)).cpu()
        found.weight += float(paths.middle[:, 10].sigmoid().sum()) * len(rows)
    assert found is not None  # a scene has at least one frame
    return found


def _gops(frames: TrackedFrames, lengths: list[int]) -> Iterator[Tensor]:
    """Yields the rows [G, N, 14] of each GOP."""
    rows = frames.checked()
    for length in lengths:
        yield torch.stack([next(rows) for _ in range(length)])


def _basis(products: Tensor, weight: float, accuracy: float) -> tuple[Tensor, float]:
    """[14, F] the principal directions that are needed, and the share of what they leave out."""
    values, vectors = torch.linalg.eigh(products)
    values, vectors = values.flip(0).clamp(min=0.0), vectors.flip(1).float()
    left = values.sum() - values.cumsum(dim=0)  # after 1, 2, ... features
    enough = (left / max(weight, 1e-9)).sqrt() <= accuracy
    wanted = int(enough.nonzero()[0, 0]) + 1 if bool(enough.any()) else FEATURES_MOST
    count = min(wanted, FEATURES_MOST)
    share = float(left[count - 1] / values.sum()) if float(values.sum()) > 0 else 0.0
    return vectors[:, :count], share
