"""Which content time a video shows at each of its own times: hold, slow, reverse, ramp and loop.

A time track file is a JSON object (docs/guide/time-track.schema.json):

    {"keys": [
      {"time_s": 0.0, "content_s": 0.0},
      {"time_s": 2.0, "content_s": 2.0},
      {"time_s": 5.0, "content_s": 2.0, "easing": "ease-in"},
      {"time_s": 7.0, "content_s": 0.0}
    ]}

plays 2 s, holds the moment for 3 s while the camera moves (bullet time), and plays it backwards
with growing speed. Before the first key and after the last, time stands still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from streamstgs.app.player.arguments import finite, in_words, within
from streamstgs.app.player.edit_track import SAME_TIME_S, EditTrack
from streamstgs.app.player.errors import TimeTrackError

SECONDS_MAX = 1e6
Seconds = Annotated[float, msgspec.Meta(ge=-SECONDS_MAX, le=SECONDS_MAX)]
TimeEasing = Literal["linear", "smooth", "ease-in", "ease-out", "ease-in-out", "hold"]
TIME_EASINGS: tuple[TimeEasing, ...] = get_args(TimeEasing)
FILE_BYTES_MAX = 4 << 20


@dataclass(frozen=True)
class TimeKey:
    """A content time at a time of the video.

    Args:
        time_s: Seconds from the start of the video.
        content_s: Seconds from the start of the scene.
        easing: How content time goes on to the next key. "linear" keeps one speed; "smooth" also
            changes speed gradually from segment to segment, and never turns back; "ease-in",
            "ease-out" and "ease-in-out" start, end or do both slowly; "hold" stays and jumps.
    """

    time_s: Seconds
    content_s: Seconds
    easing: TimeEasing = "linear"

    def __post_init__(self) -> None:
        """Raises ArgumentError for a time that is no number within a million seconds, and
        TimeTrackError for an unknown easing."""
        within("`time_s` of a time key", self.time_s, -SECONDS_MAX, SECONDS_MAX)
        within("`content_s` of a time key", self.content_s, -SECONDS_MAX, SECONDS_MAX)
        if self.easing not in TIME_EASINGS:
            known = ", ".join(TIME_EASINGS)
            raise TimeTrackError(f"There is no easing {self.easing!r}; choose one of {known}.")


@dataclass(frozen=True)
class TimeCurve:
    """Content time as a function of video time.

    Example:
        TimeCurve.of_speeds([(2.0, 1.0), (3.0, 0.0), (2.0, -1.0)]).content_at(4.0)  # 2.0

    Args:
        keys: At least one key, in the order of video times.
        loop: Whether content times beyond the end of the scene continue at its start, and those
            before the start at its end. Without it, the scene stands still at its ends.
    """

    keys: Annotated[tuple[TimeKey, ...], msgspec.Meta(min_length=1, max_length=100_000)]
    loop: bool = False

    def __post_init__(self) -> None:
        """Raises TimeTrackError without a key, or if a time is not after the one before."""
        object.__setattr__(self, "keys", tuple(self.keys))
        if not self.keys:
            raise TimeTrackError("a time track needs at least one key.")
        for number, (one, other) in enumerate(pairwise(self.keys)):
            if other.time_s <= one.time_s:
                raise TimeTrackError(f"the time of key {number + 1} is not after the one before.")

    @staticmethod
    def of_speeds(
        stretches: Sequence[tuple[float, float]], start_s: float = 0.0, loop: bool = False
    ) -> TimeCurve:
        """A curve of stretches with one speed each.

        Args:
            stretches: (length in seconds, content seconds per second): 1 plays, 0 holds,
                0.25 is slow, -1 plays backwards.
            start_s: The content time at the start of the video.
            loop: As of the class.

        Raises:
            TimeTrackError: A length is not above 0.
            ArgumentError: A length or speed is no finite number, or the curve is longer than a
                million seconds.
        """
        keys = [TimeKey(0.0, start_s)]
        for length_s, speed in stretches:
            length_s, speed = finite("A length", length_s), finite("A speed", speed)
            if not length_s > 0.0:
                raise TimeTrackError(f"A stretch of {length_s} s is not above 0.")
            last = keys[-1]
            keys.append(TimeKey(last.time_s + length_s, last.content_s + speed * length_s))
        return TimeCurve(tuple(keys), loop)

    @property
    def duration_s(self) -> float:
        """The video time of the last key."""
        return self.keys[-1].time_s

    def content_at(self, time_s: float, duration_s: float | None = None) -> float:
        """The content time at a video time, in seconds.

        Args:
            duration_s: The length of the scene; a `loop` wraps at it.
        """
        content_s = self._unlooped_at(time_s)
        return content_s % duration_s if self.loop and duration_s else content_s

    def _unlooped_at(self, time_s: float) -> float:
        keys, left = self.keys, bisect_right(self._times, time_s) - 1
        if left < 0:
            return keys[0].content_s
        key = keys[left]
        if left + 1 == len(keys) or key.easing == "hold":
            return key.content_s
        span_s = keys[left + 1].time_s - key.time_s
        change_s = keys[left + 1].content_s - key.content_s
        u = (time_s - key.time_s) / span_s
        if key.easing == "smooth":
            tangents = (
                u * (1 - u) ** 2 * self._slopes[left] - u**2 * (1 - u) * self._slopes[left + 1]
            )
            return key.content_s + u * u * (3 - 2 * u) * change_s + span_s * tangents
        eased = {"ease-in": u * u, "ease-out": u * (2 - u), "ease-in-out": u * u * (3 - 2 * u)}
        return key.content_s + eased.get(key.easing, u) * change_s

    @cached_property
    def _times(self) -> list[float]:
        return [key.time_s for key in self.keys]

    @cached_property
    def _slopes(self) -> list[float]:
        """Speeds at the keys; no curve overshoots with them (Fritsch and Carlson 1980)."""
        secants = [
            (other.content_s - one.content_s) / (other.time_s - one.time_s)
            for one, other in pairwise(self.keys)
        ]
        inner = [
            2 * one * other / (one + other) if one * other > 0.0 else 0.0
            for one, other in pairwise(secants)
        ]
        return [secants[0], *inner, secants[-1]]


class TimeTrack(EditTrack[TimeKey]):
    """Editable keys of a time curve, with undo and redo. Owner: the thread of the viewer model.

    Example:
        track = TimeTrack.of(TimeCurve.of_speeds([(10.0, 1.0)]))
        track.insert_hold(at_s=2.0, for_s=3.0)  # bullet time
        track.curve().content_at(4.0)  # 2.0

    Args:
        keys: The keys at the start, in any order.
        loop: As of `TimeCurve`.
    """

    def __init__(self, keys: Sequence[TimeKey] = (), loop: bool = False) -> None:
        super().__init__(keys, loop)

    @staticmethod
    def of(curve: TimeCurve) -> TimeTrack:
        """A track with the keys of a curve."""
        return TimeTrack(curve.keys, curve.loop)

    @property
    def loop(self) -> bool:
        """Whether the scene repeats at its ends; writing is an edit."""
        return self._state.switch

    @loop.setter
    def loop(self, loop: bool) -> None:
        with self.one_edit():
            self._state = replace(self._state, switch=loop)

    def curve(self) -> TimeCurve:
        """The current track as a curve.

        Raises:
            TimeTrackError: The track has no key.
        """
        if not self._state.keys:
            raise TimeTrackError("The time track has no key.")
        return TimeCurve(self._state.keys, self.loop)

    def insert_hold(self, at_s: float, for_s: float) -> None:
        """Stop content time at a video time for a while (bullet time); later keys move back.

        The segment that is interrupted keeps its content times with a "linear" speed.

        Raises:
            TimeTrackError: The track has no key, or the time is not above 0.
        """
        if not for_s > 0.0:
            raise TimeTrackError(f"A hold of {for_s} s is not above 0.")
        content_s = self.curve().content_at(at_s)
        end = TimeKey(at_s + for_s, content_s)
        before: list[TimeKey] = []
        after: list[TimeKey] = []
        for key in self:
            if key.time_s < at_s - SAME_TIME_S:
                before.append(key)
            elif key.time_s > at_s + SAME_TIME_S:
                after.append(replace(key, time_s=key.time_s + for_s))
            else:
                end = replace(end, easing=key.easing)
        if before and before[-1].easing == "hold":
            end = replace(end, easing="hold")
        elif before:
            before[-1] = replace(before[-1], easing="linear")
        with self.one_edit():
            self.clear()
            for key in (*before, TimeKey(at_s, content_s), end, *after):
                self._put(key)


def read_time_track(path: Path) -> TimeCurve:
    """Read a time track file.

    Raises:
        TimeTrackError: The file is missing, too large, or malformed; the message says where.
    """
    try:
        size, text = path.stat().st_size, b""
        if size <= FILE_BYTES_MAX:
            text = path.read_bytes()
    except OSError as error:
        raise TimeTrackError(f"{path} cannot be read: {error.strerror}.") from error
    if size > FILE_BYTES_MAX:
        raise TimeTrackError(f"{path} is too large for a time track.")
    try:
        return parse_time_track(text)
    except TimeTrackError as error:
        raise TimeTrackError(f"{path}: {error}") from error


def parse_time_track(text: str | bytes) -> TimeCurve:
    """The curve of the text of a time track file. Raises TimeTrackError."""
    try:
        data = msgspec.json.decode(text)
        _check_names(data)
        curve = msgspec.convert(data, TimeCurve)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise TimeTrackError(f"this is no time track: {in_words(error)}.") from error
    return curve


def time_track_json(curve: TimeCurve) -> str:
    """A curve as the text of a time track file."""
    return msgspec.json.encode(curve).decode()


def time_track_schema() -> dict[str, Any]:
    """The JSON schema of time track files."""
    return msgspec.json.schema(TimeCurve)


def _check_names(data: Any) -> None:
    """Refuse names that would be ignored, such as a misspelled one. Raises TimeTrackError."""
    keys = data.get("keys") if isinstance(data, dict) else None
    checked: list[tuple[Any, type]] = [(data, TimeCurve)]
    checked += [(key, TimeKey) for key in keys] if isinstance(keys, list) else []
    for value, kind in checked:
        known = {field.name for field in fields(kind)}
        unknown = sorted(set(value) - known) if isinstance(value, dict) else []
        if unknown:
            names = ", ".join(sorted(known))
            raise TimeTrackError(f"{unknown[0]!r} is no name of this format; it has {names}.")
