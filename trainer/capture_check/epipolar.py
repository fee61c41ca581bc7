"""Which cameras' poses do not fit: matched pixels must lie on each other's epipolar lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from streamstgs.renderer import Camera
from streamstgs.trainer.capture_check.matches import Pair, PairMatches

NEIGHBOURS = 5  # other cameras that a camera is compared with
ALL_PAIRS_UP_TO = 10  # cameras
# Of a camera that is judged: a single pair may agree on a wrong geometry by chance.
FEWEST_MATCHES, FEWEST_PAIRS = 60, 2
LIMIT = 0.0015  # of the picture's diagonal; a pose that is 0.1 degrees off is farther


@dataclass(frozen=True)
class PoseFit:
    """How well a camera's pose fits to those of the others.

    Args:
        camera: index.
        matches: matched pixels that were compared, in pairs with cameras that fit.
        pairs: number of these pairs.
        error_px: median distance from the epipolar lines; None with too few matches or pairs.
        limit_px: a larger error means that the pose does not fit.
    """

    camera: int
    matches: int
    pairs: int
    error_px: float | None
    limit_px: float

    @property
    def fits(self) -> bool | None:
        """None where nothing can be said."""
        return None if self.error_px is None else self.error_px <= self.limit_px


def neighbour_pairs(cameras: Sequence[Camera]) -> list[Pair]:
    """Pairs that are likely to see the same: near in direction, and next in the order of names.

    The order helps where a pose is wrong.
    """
    count = len(cameras)
    if count <= ALL_PAIRS_UP_TO:
        return [(a, b) for a in range(count) for b in range(a + 1, count)]
    axes = np.stack([c.viewmat[2, :3].double().numpy() for c in cameras])
    places = np.stack([c.position.double().numpy() for c in cameras])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    apart = apart / max(float(apart.max()), 1e-12) + (1 - axes @ axes.T)
    pairs = {(min(a, int(b)), max(a, int(b))) for a in range(count) for b in _nearest(apart, a)}
    return sorted(pairs | {(k, k + 1) for k in range(count - 1)})


def _nearest(apart: np.ndarray, camera: int) -> np.ndarray:
    order = np.argsort(apart[camera])
    return order[order != camera][:NEIGHBOURS]


def pose_fits(cameras: Sequence[Camera], matches: Sequence[PairMatches]) -> list[PoseFit]:
    """How well each pose fits, judged by pairs with cameras that fit.

    The camera with the largest median error is set aside as long as that is over the limit, so that
    one wrong pose does not make its neighbours look wrong.
    """
    errors = {m.pair: epipolar_errors(cameras, m) for m in matches}
    aside: set[int] = set()
    while True:
        fits = [
            _fit(k, cameras[k], errors, aside - {k}, len(cameras) - 1) for k in range(len(cameras))
        ]
        wrong = [f for f in fits if f.camera not in aside and f.fits is False]
        if not wrong:
            return fits
        aside.add(max(wrong, key=lambda f: f.error_px or 0.0).camera)


def _fit(
    camera: int,
    calibrated: Camera,
    errors: dict[Pair, np.ndarray],
    aside: set[int],
    others: int,
) -> PoseFit:
    own = [e for pair, e in errors.items() if camera in pair and not aside & set(pair)]
    needed = min(FEWEST_PAIRS, others)
    limit = LIMIT * float(np.hypot(calibrated.width, calibrated.height))
    if sum(map(len, own)) < FEWEST_MATCHES or len(own) < needed:
        return PoseFit(camera, sum(map(len, own)), len(own), None, limit)
    pooled = np.concatenate(own)
    return PoseFit(camera, len(pooled), len(own), float(np.median(pooled)), limit)


def epipolar_errors(cameras: Sequence[Camera], matches: PairMatches) -> np.ndarray:
    """[N] distances of matched pixels from each other's epipolar lines, px, the larger of both."""
    fundamental = fundamental_matrix(*(cameras[k] for k in matches.pair))
    first, second = (np.c_[p, np.ones(len(p))] for p in (matches.first, matches.second))
    lines_of_first, lines_of_second = first @ fundamental.T, second @ fundamental
    off = np.abs((second * lines_of_first).sum(axis=1))
    lengths = np.minimum(*(np.hypot(k[:, 0], k[:, 1]) for k in (lines_of_first, lines_of_second)))
    return off / np.maximum(lengths, 1e-12)


def fundamental_matrix(first: Camera, second: Camera) -> np.ndarray:
    """[3, 3] float64, for which x2^T F x1 = 0 of pixels that show one point."""
    one, two = (c.viewmat.double().numpy() for c in (first, second))
    relative = two @ np.linalg.inv(one)
    x, y, z = relative[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    inverses = [np.linalg.inv(c.K.double().numpy()) for c in (first, second)]
    return inverses[1].T @ cross @ relative[:3, :3] @ inverses[0]
