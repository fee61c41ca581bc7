"""Which rung of the quality ladder to decode next, and why: a pure function of what was seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RungSettings:
    """When a rung counts as fast enough.

    Args:
        keep_factor: a rung is kept while it arrives this many times faster than it plays.
        raise_factor: a better rung is taken only when it would arrive this much faster.
        low_buffer_s: with less than this decoded ahead, only `raise_factor` counts as enough.
    """

    keep_factor: float = 1.3
    raise_factor: float = 2.0
    low_buffer_s: float = 1.0


@dataclass(frozen=True)
class Observation:
    """What is known when the next GOP is to be decoded.

    Args:
        rungs: QPs, best quality (lowest QP) first; not empty.
        bytes_per_frame: of each rung, everything counted, in the same order.
        fps: content frames per second.
        speed: playback speed.
        buffer_s: seconds decoded ahead of the position.
        current: QP of the last GOP, None before the first.
        seconds_per_byte: measured time to read and decode, per byte; None before the first GOP.
        local: whether the scene lies on this machine.
    """

    rungs: tuple[int, ...]
    bytes_per_frame: tuple[float, ...]
    fps: float
    speed: float
    buffer_s: float
    current: int | None
    seconds_per_byte: float | None
    local: bool


@dataclass(frozen=True)
class RungChoice:
    """A rung (QP) and the sentence that explains it to a person."""

    rung: int
    reason: str


def choose_rung(seen: Observation, settings: RungSettings = RungSettings()) -> RungChoice:
    """The best rung that arrives faster than it is played, with hysteresis.

    Decoding time is taken to be proportional to the bytes of a rung.
    """
    place = "local file" if seen.local else "network"
    if seen.seconds_per_byte is None or seen.current not in seen.rungs:
        rung = seen.rungs[0] if seen.local else seen.rungs[-1]
        start = "starts at best quality" if seen.local else "starts small for a quick picture"
        return RungChoice(rung, f"{place}, {start}")
    rung = _best_affordable(seen, settings)
    return RungChoice(rung, f"{place}, {_pace(seen, rung)}: {_outcome(seen, rung)}")


def faster_than_real_time(seen: Observation, rung: int) -> float:
    """How many times faster than it is played a rung is read and decoded."""
    frame_bytes = seen.bytes_per_frame[seen.rungs.index(rung)]
    seconds = frame_bytes * (seen.seconds_per_byte or 0.0) * seen.fps * seen.speed
    return 1.0 / max(seconds, 1e-9)


def _best_affordable(seen: Observation, settings: RungSettings) -> int:
    for rung in seen.rungs:
        better = seen.current is not None and rung < seen.current
        careful = better or seen.buffer_s < settings.low_buffer_s
        needed = settings.raise_factor if careful else settings.keep_factor
        if faster_than_real_time(seen, rung) >= needed:
            return rung
    return seen.rungs[-1]


def _pace(seen: Observation, rung: int) -> str:
    factor = faster_than_real_time(seen, rung)
    if 0.95 < factor < 1.05:
        return "decodes in just about real time"
    ratio, word = (factor, "faster") if factor > 1.0 else (1.0 / factor, "slower")
    shown = f"{ratio:.1f}" if ratio < 10 else f"{min(ratio, 999):.0f}"
    return f"decodes {shown}x {word} than real time"


def _outcome(seen: Observation, rung: int) -> str:
    if rung == seen.rungs[0]:
        return "best quality"
    if rung == seen.rungs[-1]:
        return "smallest rung, to keep playing"
    return f"QP {rung}, as better ones would arrive too late"
