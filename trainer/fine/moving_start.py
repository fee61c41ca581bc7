"""Points where the moving Gaussians of a GOP start: at sample frames, and on fast things between.

At a few sample frames everything that moves gets points. A thing that is elsewhere some frames
later, such as a thrown ball, has no points at its other places, and no gradient leads there: a
Gaussian is pulled only by pixels that it covers. So points are looked for between the sample frames
as well, and kept where no other point of that time is near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from streamstgs.renderer import Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import TemporalMedian, motion_mask
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.fine.config import GopStartConfig
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.rasterizer import depth_map
from streamstgs.trainer.points.dynamic_points import SampleFrame, moving_points
from streamstgs.trainer.points.point_cloud import PointCloud, neighbour_distance
from streamstgs.trainer.points.projection import distances
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from torch import Tensor

LOOKED_AT = 0.2  # half the side of the box around what the cameras look at, of their distance
FEWEST = 64  # a GOP in which nothing moves still gets a few moving Gaussians
NEAR_SPACINGS = 1.5  # a place is taken where another point is within this many point spacings
COUNTED_FRAMES = 8  # of a GOP, in which moving pixels are counted
CANDIDATES = 8  # places looked at for each point that may be kept


@dataclass(frozen=True)
class MovingPoints:
    """M points on moving things.

    Args:
        points: The points.
        centers: [M] temporal centre: the frame of the GOP in which each was found.
        extents: [M] temporal extent: frames before and after it during which each is seen at first.
    """

    points: PointCloud
    centers: Tensor
    extents: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Tensor | slice) -> MovingPoints:
        return MovingPoints(self.points[index], self.centers[index], self.extents[index])

    @staticmethod
    def at_frame(points: PointCloud, frame: int, extent: float) -> MovingPoints:
        """Points that all have one temporal centre and extent."""
        one = torch.ones(len(points), device=points.positions.device)
        return MovingPoints(points, one * frame, one * extent)

    @staticmethod
    def concatenate(parts: Sequence[MovingPoints]) -> MovingPoints:
        return MovingPoints(
            PointCloud.concatenate([p.points for p in parts]),
            torch.cat([p.centers for p in parts]),
            torch.cat([p.extents for p in parts]),
        )


class MotionFinder:
    """Finds points on moving things at any frame of a GOP.

    Args:
        medians: Temporal medians of the training cameras.
        static: Gaussians that do not move, activated; they hide what is behind them.
    """

    def __init__(
        self,
        training_views: GopViews,
        medians: Sequence[TemporalMedian],
        static: Gaussians,
        capture: Capture,
        config: GopStartConfig,
        rng: Rng,
    ) -> None:
        self.training_views, self.medians = training_views, medians
        self.config, self.rng = config, rng
        settings = RenderSettings(near=training_views.near)
        self.depths = [depth_map(static, camera, settings) for camera in training_views.cameras]
        self.bounds = _bounds(static, torch.tensor(capture.center), capture.camera_distance)

    @property
    def sample_extent(self) -> float:
        """Temporal extent: frames from one sample frame to the next."""
        return max(self.training_views.count / self.config.gop.sample_frames, 1.0)

    def points_at(self, frame: int, count: int) -> PointCloud:
        """At most `count` points on moving things at a frame."""
        images = [f[frame] for f in self.training_views.frames]
        threshold = self.config.motion_threshold
        masks = [
            motion_mask(image[None], median.image, threshold)[0]
            for image, median in zip(images, self.medians, strict=True)
        ]
        sample, hull = SampleFrame(images, masks, self.depths), self.config.hull
        return moving_points(
            self.training_views.cameras, sample, self.bounds, count, hull, self.rng
        )


def moving_pixels(
    training_views: GopViews, medians: Sequence[TemporalMedian], motion_threshold: float
) -> float:
    """Number of pixels that move in a frame, in the mean over the cameras and a few frames."""
    every = max(1, training_views.count // COUNTED_FRAMES)
    counts = [
        motion_mask(frames[::every], median.image, motion_threshold).float().sum(dim=(1, 2)).mean()
        for frames, median in zip(training_views.frames, medians, strict=True)
    ]
    return torch.stack(counts).mean().item()


def moving_start(
    training_views: GopViews,
    medians: Sequence[TemporalMedian],
    static: Gaussians,
    capture: Capture,
    config: GopStartConfig,
    rng: Rng,
) -> MovingPoints:
    """At most `config.gop.init_count` points; FEWEST of the static layer where nothing moves."""
    finder = MotionFinder(training_views, medians, static, capture, config, rng)
    found = at_sample_frames(finder)
    fast = on_fast_things(finder, found)
    most = max(config.gop.init_count - len(fast), 0)
    if len(found) > most:
        found = found[rng.subset(most, len(found))]
    log.info("%d moving points, %d of these on fast things", len(found) + len(fast), len(fast))
    found = MovingPoints.concatenate([found, fast])
    if len(found) >= FEWEST:
        return found
    some = rng.choice(FEWEST, len(static))
    points = PointCloud(static.means[some], static.colors[some].clamp(0, 1))
    standing = MovingPoints.at_frame(points, training_views.count // 2, finder.sample_extent)
    return MovingPoints.concatenate([found, standing])


def at_sample_frames(finder: MotionFinder) -> MovingPoints:
    """Points on moving things at the evenly spread sample frames, as many at each."""
    gop, frames = finder.config.gop, finder.training_views.count
    each = gop.init_count // gop.sample_frames
    times = [int((k + 0.5) * frames / gop.sample_frames) for k in range(gop.sample_frames)]
    extent = finder.sample_extent
    parts = [MovingPoints.at_frame(finder.points_at(t, each), t, extent) for t in times]
    if gop.fast_share > 0:
        parts = [with_measured_extents(finder, part) for part in parts]
    return MovingPoints.concatenate(parts)


def with_measured_extents(finder: MotionFinder, found: MovingPoints) -> MovingPoints:
    """The points with short temporal extents where the thing is fast: gone from its place both
    before and after the sample frame.

    Seen for longer, such points would be ghosts in the other frames, and in the way of the points
    that start there.

    Args:
        found: Points of one sample frame.
    """
    every, frame = finder.config.gop.fast_every, int(found.centers[0]) if len(found) else 0
    others = [t for t in (frame - every, frame + every) if 0 <= t < finder.training_views.count]
    gone = torch.full_like(found.centers, bool(others), dtype=torch.bool)
    for other in others if len(found) else ():
        seen = finder.points_at(other, len(found))
        gone &= _apart(found.points, seen) > NEAR_SPACINGS * _spacing(found)
    return replace(found, extents=torch.where(gone, float(every), found.extents))


def on_fast_things(finder: MotionFinder, found: MovingPoints) -> MovingPoints:
    """Points on moving things every few frames, where no point of that time is near.

    Args:
        found: Points of the sample frames; others are added where these leave places free.
    """
    gop, frames = finder.config.gop, finder.training_views.count
    most = int(gop.fast_share * gop.init_count)
    times = range(gop.fast_every // 2, frames, gop.fast_every) if most else range(0)
    taken_within = NEAR_SPACINGS * _spacing(found)
    fast = found[:0]
    for past, frame in enumerate(times):
        each = (most - len(fast)) // (len(times) - past)
        seen = finder.points_at(frame, CANDIDATES * each)
        others = MovingPoints.concatenate([found, fast])
        others = others[(others.centers - frame).abs() <= others.extents]
        free = seen[_apart(seen, others.points) > taken_within]
        kept = free[finder.rng.subset(each, len(free))]
        new = MovingPoints.at_frame(kept, frame, float(gop.fast_every))
        fast = MovingPoints.concatenate([fast, new])
    return fast


def _spacing(found: MovingPoints) -> float:
    """Usual distance of neighbours among the points of one frame, world units; 0 for none."""
    if not len(found):
        return 0.0
    of_one = found.points.positions[found.centers == found.centers.mode().values]
    return neighbour_distance(of_one).median().item()


def _apart(points: PointCloud, others: PointCloud) -> Tensor:
    """[N] distance to the nearest of the others, world units; infinite without any."""
    if not len(others):
        return torch.full((len(points),), torch.inf, device=points.positions.device)
    return distances(points.positions, others.positions).amin(dim=1)


def _bounds(static: Gaussians, center: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """Corners of a box around nearly all visible static Gaussians, a little widened, and around
    what the cameras look at: with few static Gaussians, that is where things move.

    Args:
        center: [3] the point that the cameras look at.
        distance: Distance of the cameras from it, world units.
    """
    visible = static.opacities > 0.1
    means = static.means[visible] if visible.any() else static.means
    ordered = means.sort(dim=0).values
    margin = len(ordered) // 200
    lower, upper = ordered[margin], ordered[-1 - margin]
    widened = 0.05 * (upper - lower)
    center, half = center.to(lower), LOOKED_AT * distance
    lowest, highest = lower - widened, upper + widened
    return torch.minimum(lowest, center - half), torch.maximum(highest, center + half)
