"""Where the moving Gaussians of a GOP start: on what moves at some moments, and on what is fast.

At a few moments all that moves gets its points. What is elsewhere some frames later, such as a
thrown ball, has points at none of its other places, and no gradient leads there: a Gaussian is
pulled only by pixels that it covers. So between those moments, too, points are looked for, and
those are kept that lie where no other point of that time is near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from streamstgs.renderer import Gaussians, RenderSettings
from streamstgs.trainer.coarse.background import StillView, motion_mask
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.optimization.rasterizer import depth_map
from streamstgs.trainer.points.dynamic_points import Moment, moving_points
from streamstgs.trainer.points.point_cloud import PointCloud, neighbour_distance
from streamstgs.trainer.points.projection import distances
from streamstgs.trainer.progress import log
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor

LOOKED_AT = 0.2  # half the side of the box around what the cameras look at, of their distance
FEWEST = 64  # a GOP in which nothing moves still gets a few moving Gaussians
NEAR_SPACINGS = 1.5  # a place is taken where another point is so many spacings of points away
CANDIDATES = 8  # so many places are looked at for each that may be kept


@dataclass(frozen=True)
class MovingPoints:
    """Points on what moves.

    Args:
        points: M of them.
        birth: [M] the frame of the GOP that each was found in.
        reach: [M] frames before and after during which it is seen at first.
    """

    points: PointCloud
    birth: Tensor
    reach: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Tensor | slice) -> MovingPoints:
        return MovingPoints(self.points[index], self.birth[index], self.reach[index])

    @staticmethod
    def of_moment(points: PointCloud, frame: int, reach: float) -> MovingPoints:
        one = torch.ones(len(points), device=points.positions.device)
        return MovingPoints(points, one * frame, one * reach)

    @staticmethod
    def concatenate(parts: Sequence[MovingPoints]) -> MovingPoints:
        return MovingPoints(
            PointCloud.concatenate([p.points for p in parts]),
            torch.cat([p.birth for p in parts]),
            torch.cat([p.reach for p in parts]),
        )


class MotionFinder:
    """Finds points on what moves at any frame of a GOP.

    Args:
        stills: of the training cameras.
        static: what does not move, activated; it hides what is behind it.
    """

    def __init__(
        self,
        footage: GopFootage,
        stills: Sequence[StillView],
        static: Gaussians,
        capture: Capture,
        config: TrainConfig,
        random: RandomSource,
    ) -> None:
        self.footage, self.stills, self.config, self.random = footage, stills, config, random
        settings = RenderSettings(near=footage.near)
        self.depths = [depth_map(static, camera, settings) for camera in footage.cameras]
        self.bounds = _bounds(static, torch.tensor(capture.center), capture.camera_distance)

    @property
    def moment_reach(self) -> float:
        """Frames from one moment to the next."""
        return max(self.footage.count / self.config.gop.moments, 1.0)

    def points_at(self, frame: int, count: int) -> PointCloud:
        """At most `count` points on what moves at a frame."""
        pictures = [f[frame] for f in self.footage.frames]
        threshold = self.config.background.motion_threshold
        masks = [
            motion_mask(picture[None], still.median, threshold)[0]
            for picture, still in zip(pictures, self.stills, strict=True)
        ]
        moment, hull = Moment(pictures, masks, self.depths), self.config.hull
        return moving_points(self.footage.cameras, moment, self.bounds, count, hull, self.random)


def moving_start(
    footage: GopFootage,
    stills: Sequence[StillView],
    static: Gaussians,
    capture: Capture,
    config: TrainConfig,
    random: RandomSource,
) -> MovingPoints:
    """At most `config.gop.count` points, but never none."""
    finder = MotionFinder(footage, stills, static, capture, config, random)
    found = of_moments(finder)
    fast = of_fast_things(finder, found)
    most = max(config.gop.count - len(fast), 0)
    if len(found) > most:
        found = found[random.subset(most, len(found))]
    log.info("%d moving points, %d of these on what is fast", len(found) + len(fast), len(fast))
    found = MovingPoints.concatenate([found, fast])
    if len(found) >= FEWEST:
        return found
    some = random.choice(FEWEST, len(static))
    still = PointCloud(static.means[some], static.colors[some].clamp(0, 1))
    standing = MovingPoints.of_moment(still, footage.count // 2, finder.moment_reach)
    return MovingPoints.concatenate([found, standing])


def of_moments(finder: MotionFinder) -> MovingPoints:
    """All that moves at evenly spread moments, as many points at each."""
    gop, frames = finder.config.gop, finder.footage.count
    each = gop.count // gop.moments
    times = [int((number + 0.5) * frames / gop.moments) for number in range(gop.moments)]
    reach = finder.moment_reach
    parts = [MovingPoints.of_moment(finder.points_at(t, each), t, reach) for t in times]
    if gop.fast_share > 0:
        parts = [with_measured_reach(finder, part) for part in parts]
    return MovingPoints.concatenate(parts)


def with_measured_reach(finder: MotionFinder, found: MovingPoints) -> MovingPoints:
    """What is gone from its place both before and after the moment is fast: it is seen shortly.

    Seen for longer it would be a ghost in the other frames, and in the way of what starts there.

    Args:
        found: points of one moment.
    """
    every, frame = finder.config.gop.fast_every, int(found.birth[0]) if len(found) else 0
    others = [t for t in (frame - every, frame + every) if 0 <= t < finder.footage.count]
    gone = torch.full_like(found.birth, bool(others), dtype=torch.bool)
    for other in others if len(found) else ():
        seen = finder.points_at(other, len(found))
        gone &= _apart(found.points, seen) > NEAR_SPACINGS * _spacing(found)
    return replace(found, reach=torch.where(gone, float(every), found.reach))


def of_fast_things(finder: MotionFinder, found: MovingPoints) -> MovingPoints:
    """What moves every few frames where no point of that time is near.

    Args:
        found: points of the moments; others are added where these leave places free.
    """
    gop, frames = finder.config.gop, finder.footage.count
    most = int(gop.fast_share * gop.count)
    times = range(gop.fast_every // 2, frames, gop.fast_every) if most else range(0)
    taken_within = NEAR_SPACINGS * _spacing(found)
    fast = found[:0]
    for past, frame in enumerate(times):
        each = (most - len(fast)) // (len(times) - past)
        seen = finder.points_at(frame, CANDIDATES * each)
        others = MovingPoints.concatenate([found, fast])
        others = others[(others.birth - frame).abs() <= others.reach]
        free = seen[_apart(seen, others.points) > taken_within]
        kept = free[finder.random.subset(each, len(free))]
        new = MovingPoints.of_moment(kept, frame, float(gop.fast_every))
        fast = MovingPoints.concatenate([fast, new])
    return fast


def _spacing(found: MovingPoints) -> float:
    """Usual distance of neighbours among the points of one moment, world units; 0 for none."""
    if not len(found):
        return 0.0
    of_one = found.points.positions[found.birth == found.birth.mode().values]
    return neighbour_distance(of_one).median().item()


def _apart(points: PointCloud, others: PointCloud) -> Tensor:
    """[N] distance to the nearest of the others, world units; infinite without any."""
    if not len(others):
        return torch.full((len(points),), torch.inf, device=points.positions.device)
    return distances(points.positions, others.positions).amin(dim=1)


def _bounds(static: Gaussians, center: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """Corners of a box around nearly all visible static Gaussians, a little widened, and around
    what the cameras look at: where little stands still, that is where things move.

    Args:
        center: [3] the point that the cameras look at.
        distance: of the cameras from it, world units.
    """
    visible = static.opacities > 0.1
    means = static.means[visible] if visible.any() else static.means
    ordered = means.sort(dim=0).values
    margin = len(ordered) // 200
    lower, upper = ordered[margin], ordered[-1 - margin]
    widened = 0.05 * (upper - lower)
    center, reach = center.to(lower), LOOKED_AT * distance
    return torch.minimum(lower - widened, center - reach), torch.maximum(
        upper + widened, center + reach
    )
