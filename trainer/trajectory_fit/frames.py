"""The frames of a sequence whose Gaussians correspond: the same number, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.formats.raw_gaussians import raw_of
from streamstgs.codec.formats.reader import SceneReader, Segment
from streamstgs.renderer import CanonicalGaussians, Gaussians
from streamstgs.renderer.spherical_harmonics import C0
from streamstgs.trainer.errors import SequenceError
from torch import Tensor

WIDTH = 14  # values of a Gaussian: centre, rotation, scales, opacity, colour
MEANS, QUATS, LOG_SCALES = slice(0, 3), slice(3, 7), slice(7, 10)
LOGIT, COLORS = 10, slice(11, 14)
LOGITS = (-6.5, 8.0)  # above the logit below which trajectories leave a Gaussian out
LOG_SCALE_LEAST = -16.0
JUMP = 0.25  # median step between frames, relative to the distance of two random Gaussians
SAMPLES = 20_000


class TrackedFrames:
    """Reads frames as rows of numbers. Belongs to one thread.

    Args:
        reader: Of the sequence; the caller closes it.
        frames: Content frames in their order; None for all.
    """

    def __init__(
        self, reader: SceneReader, frames: Sequence[int] | None = None, cancel: CancelToken = NEVER
    ) -> None:
        self._reader, self._cancel = reader, cancel
        self.frames = tuple(range(reader.info.frame_count) if frames is None else frames)
        self._kept: tuple[int, Segment] | None = None
        self._former: Tensor | None = None  # rows of the frame before
        self.loses_harmonics = False

    def __len__(self) -> int:
        return len(self.frames)

    def gaussians(self, index: int) -> Gaussians:
        """The Gaussians of a frame, as they are drawn."""
        info = self._reader.info
        time_s = self.frames[index] / info.meta.fps
        segment = info.segment_at(time_s)
        if self._kept is None or self._kept[0] != segment:
            self._kept = None  # two segments need not fit into memory
            self._kept = segment, self._reader.segment(segment, cancel=self._cancel)
        return self._kept[1].gaussians_at(time_s)

    def checked(self) -> Iterator[Tensor]:
        """[N, 14] rows of each frame in order; rotations have the sign of those before.

        Raises:
            SequenceError: The number of Gaussians changes, or they are in another order.
        """
        self._former = None
        for index in range(len(self)):
            gaussians = self.gaussians(index)
            self.loses_harmonics |= gaussians.sh is not None
            rows = rows_of(gaussians)
            former: Tensor | None = self._former
            if former is not None:
                self._check(index, former, rows)
                flipped = (rows[:, QUATS] * former[:, QUATS]).sum(dim=1) < 0
                rows[:, QUATS] = torch.where(flipped[:, None], -rows[:, QUATS], rows[:, QUATS])
            self._former = rows
            yield rows

    def _check(self, index: int, former: Tensor, rows: Tensor) -> None:
        place = self._reader.info.location
        if len(rows) != len(former):
            raise SequenceError(
                f"{place} cannot be encoded: frame {index} has {len(rows)} Gaussians and the frame "
                f"before {len(former)}. Only sequences whose Gaussians correspond can be encoded: "
                f"the same number in the same order in all frames. {_advice(place)}"
            )
        every = max(1, len(rows) // SAMPLES)
        now, before = rows[::every, MEANS], former[::every, MEANS]
        step = (now - before).norm(dim=1).median()
        apart = (now - now.roll(1 + len(now) // 3, dims=0)).norm(dim=1).median()
        if len(now) > 8 and step > JUMP * apart:
            raise SequenceError(
                f"{place} cannot be encoded: from frame {index - 1} to {index} its Gaussians jump "
                "as if they were in another order. Only sequences whose Gaussians correspond can "
                f"be encoded. {_advice(place)}"
            )


def _advice(place: str) -> str:
    return (
        "A scene can be trained on pictures of it instead, which is experimental: begin with "
        f"`streamstgs capture from-scene {place} -o capture`"
    )


def rows_of(gaussians: Gaussians) -> Tensor:
    """[N, 14] values of Gaussians before activation."""
    raw = raw_of(gaussians)
    columns = [
        torch.from_numpy(raw.means),
        torch.from_numpy(raw.quats),
        torch.from_numpy(raw.log_scales).clamp(min=LOG_SCALE_LEAST),
        torch.from_numpy(raw.logits).clamp(*LOGITS)[:, None],
        (0.5 + C0 * torch.from_numpy(raw.sh[:, 0])).clamp(min=0.0),
    ]
    return torch.cat(columns, dim=1)


def canonical_of(rows: Tensor) -> CanonicalGaussians:
    """The Gaussians of rows [N, 14]."""
    return CanonicalGaussians(
        means=rows[:, MEANS].clone(),
        quats=rows[:, QUATS].clone(),
        log_scales=rows[:, LOG_SCALES].clone(),
        opacity_logits=rows[:, LOGIT].clone(),
        colors=rows[:, COLORS].clone(),
    )
