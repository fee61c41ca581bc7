"""What the playback engine tells the window (and anything else that shows a scene)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the controls of the window need these types before torch is loaded
    from streamstgs.renderer import Gop


class PlaybackState(Enum):
    OPENING = "opening"
    BUFFERING = "buffering"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class PlaybackFrame:
    """What is to be shown now: a frame of a decoded GOP.

    Args:
        gop: the decoded GOP.
        frame: frame index inside the GOP.
        index: content frame index in the scene.
        rung: QP of the feature video it was decoded from.
        serial: seek number; frames of older serials must not be shown.
        still: whether the GOP only stands in, without motion, for one that has not come yet.
    """

    gop: Gop
    frame: int
    index: int
    rung: int
    serial: int
    still: bool = False


@dataclass(frozen=True)
class PlaybackStatus:
    """A snapshot for transport bar and statistics; cheap to take on every tick.

    Args:
        position_s, duration_s: place in the scene and its length.
        frame, frames: content frame index and count.
        buffered_s: ranges that need no network on the timeline as (start, end).
        rungs: QPs of the ladder, best quality (lowest QP) first.
        rung: QP now shown; `auto` whether it is chosen automatically.
        chosen_rung: QP of the GOP that was fetched last, None before; `rung_reason` why.
        fetch_reason: why what was fetched last was fetched, be it a GOP or a static layer.
        throughput_bps: of the network, estimated; 0 where nothing is known.
        ahead_s: content that can be played without a gap, fetched or decoded.
        static_layers: (drawn, all) layers of the Gaussians that never move.
        bitrate_bps: bits per second of content at that rung, everything counted.
        decode_ms: time the last GOP took to decode, per frame.
        late_frames: frames that were due but skipped because drawing came too late.
        corrupt_segments: GOPs that could not be had at some rung; others may have served.
        message: what a person should know now, such as that a server is being asked again.
        scrubbing: the timeline is being dragged, so that time stands also while it plays.
        wants_play: whether it plays or would, were it not buffering; the play button shows this.
    """

    state: PlaybackState
    position_s: float
    duration_s: float
    frame: int
    frames: int
    fps: float
    speed: float
    loop: bool
    buffered_s: tuple[tuple[float, float], ...]
    gop_starts_s: tuple[float, ...]
    rungs: tuple[int, ...]
    rung: int | None
    auto: bool
    rung_reason: str
    bitrate_bps: float
    decode_ms: float
    late_frames: int
    corrupt_segments: int
    message: str = ""
    wants_play: bool = False
    scrubbing: bool = False
    chosen_rung: int | None = None
    fetch_reason: str = ""
    throughput_bps: float = 0.0
    ahead_s: float = 0.0
    static_layers: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class PlaybackError:
    """Something went wrong; `message` says what happened and what to do, for a person.

    `fatal` errors end this scene; others were survived by skipping.
    """

    message: str
    fatal: bool
