"""Long captures in windows: each is a run of its own below the run, with its own static layer.

The background of hours changes: light, furniture, the rig. A window has its own temporal medians,
coarse stage and static layer; its GOPs are independent of those of other windows. The encoder makes
a period of the scene of each.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from streamstgs.codec.encoder.source import StaticPeriod, TrainedGop
from streamstgs.codec.output import write_json
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.run_directory import TrainedScene, load_run

PLAN_NAME = "windows.json"  # in the run directory: lengths of the windows in frames


def window_lengths(frames: int, window_frames: int | None) -> list[int]:
    """Return the lengths of equal windows of at most `window_frames`; one window if None."""
    return [frames] if window_frames is None else gop_lengths(frames, window_frames)


def window_path(run: Path, index: int) -> Path:
    """Return the run directory of a window."""
    return run / f"window-{index:04d}"


def window_configs(config: TrainConfig, lengths: Sequence[int]) -> list[TrainConfig]:
    """Return the settings of the run of each window; those of the run if there is only one."""
    if len(lengths) == 1:
        return [config]
    begin = config.capture.first_frame or 0
    firsts = accumulate(lengths[:-1], initial=begin)
    return [
        replace(
            config,
            out=window_path(config.out, index),
            window_frames=None,
            capture=replace(config.capture, first_frame=first or None, frames=length),
        )
        for index, (first, length) in enumerate(zip(firsts, lengths, strict=True))
    ]


def write_windows(run: Path, lengths: Sequence[int]) -> None:
    """Write the plan of the windows, if there are several.

    Raises:
        RunError: the run was begun with other windows, or without any.
    """
    known = _read_windows(run) if (run / PLAN_NAME).exists() else None
    single = (run / "config.json").exists()
    if known not in (None, list(lengths)) or (single and len(lengths) > 1):
        raise RunError(f"{run} was begun with other windows: train into another folder")
    if len(lengths) > 1:
        write_json(run / PLAN_NAME, {"frames": list(lengths)})


class TrainedWindows:
    """The finished windows of a run as one scene (`codec.encoder.source.SceneSource`).

    Args:
        windows: in order of time, at least one.
    """

    def __init__(self, windows: Sequence[TrainedScene]) -> None:
        self._windows = windows
        self._firsts = list(accumulate((w.gop_count for w in windows[:-1]), initial=0))
        self.meta, self.static = windows[0].meta, windows[0].static
        self.gop_count = sum(window.gop_count for window in windows)
        pairs = zip(self._firsts[1:], windows[1:], strict=True)
        self.periods = tuple(StaticPeriod(first, window.static) for first, window in pairs)

    def gop(self, index: int) -> TrainedGop:
        window = bisect_right(self._firsts, index) - 1
        return self._windows[window].gop(index - self._firsts[window])


def load_trained(path: Path, **changes: Any) -> TrainedScene | TrainedWindows:
    """Open a finished run, in windows or not; `changes` replace fields of its meta data.

    Raises:
        RunError: it is no run, or a window of it is not trained yet.
    """
    if not (path / PLAN_NAME).exists():
        return load_run(path, **changes)
    count = len(_read_windows(path))
    return TrainedWindows([load_run(window_path(path, k), **changes) for k in range(count)])


def _read_windows(run: Path) -> list[int]:
    try:
        lengths = json.loads((run / PLAN_NAME).read_text())["frames"]
        return [int(frames) for frames in lengths]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{run / PLAN_NAME} cannot be read: {error!r}") from error
