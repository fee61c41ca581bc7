"""Where each GOP lies in time, stored as runs of equal lengths: memory does not grow with time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby


@dataclass(frozen=True)
class GopTimes(Sequence[int]):
    """The lengths of the GOPs of a scene, in content frames; a sequence of them. Immutable.

    Args:
        runs: (frames of a GOP, number of GOPs that follow each other with this length), all > 0.
    """

    runs: tuple[tuple[int, int], ...]

    @staticmethod
    def of(lengths: Iterable[int]) -> GopTimes:
        """Return the times of GOPs of these lengths, in frames."""
        return GopTimes(tuple((frames, len(list(same))) for frames, same in groupby(lengths)))

    def __len__(self) -> int:
        return self._firsts[-1]

    def __iter__(self) -> Iterator[int]:
        for frames, count in self.runs:
            for _ in range(count):
                yield frames

    def __getitem__(self, gop: int) -> int:  # type: ignore[override]
        """Return the number of frames of a GOP; raises IndexError. Slices are not supported."""
        return self.runs[self._run(gop)][0]

    def start(self, gop: int) -> int:
        """Return the first content frame of a GOP; that of the GOP after the last ends the scene.

        Raises:
            IndexError: no such GOP.
        """
        if gop == len(self):
            return self.frames
        run = self._run(gop)
        return self._starts[run] + (gop - self._firsts[run]) * self.runs[run][0]

    def locate(self, frame: int) -> tuple[int, int]:
        """Return the GOP of a content frame, and the index of the frame in that GOP."""
        run = min(max(bisect_right(self._starts, frame) - 1, 0), len(self.runs) - 1)
        frames, count = self.runs[run]
        gop = min((frame - self._starts[run]) // frames, count - 1)
        return self._firsts[run] + gop, frame - self._starts[run] - gop * frames

    @property
    def frames(self) -> int:
        """Content frames of all GOPs together."""
        return self._starts[-1]

    def continues(self, before: GopTimes) -> bool:
        """Whether these times begin with those of an earlier state of the scene."""
        if not before.runs:
            return True
        *whole, (frames, count) = before.runs
        last = len(whole)
        if self.runs[:last] != tuple(whole) or len(self.runs) <= last:
            return False
        return self.runs[last][0] == frames and self.runs[last][1] >= count

    def extended(self, lengths: Iterable[int]) -> GopTimes:
        """Return these times with more GOPs at the end."""
        runs = list(self.runs)
        for frames, count in GopTimes.of(lengths).runs:
            if runs and runs[-1][0] == frames:
                runs[-1] = (frames, runs[-1][1] + count)
            else:
                runs.append((frames, count))
        return GopTimes(tuple(runs))

    def _run(self, gop: int) -> int:
        if not 0 <= gop < len(self):
            raise IndexError(f"no GOP {gop}; the scene has {len(self)}")
        return bisect_right(self._firsts, gop) - 1

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        """The first GOP of each run, and the number of all GOPs."""
        return tuple(accumulate((count for _, count in self.runs), initial=0))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """The first frame of each run, and the number of all frames."""
        return tuple(accumulate((frames * count for frames, count in self.runs), initial=0))
