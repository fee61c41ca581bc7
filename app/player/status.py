"""What a playback reports to the window, or to anything else that shows a scene."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from streamstgs.app.player.live.follower import LiveStatus
from streamstgs.app.translation import tr
from streamstgs.codec.quality import Quality

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
    """A frame of a decoded GOP, to be shown now.

    Args:
        gop: The decoded GOP.
        frame: Moment in the GOP in frames; 2.5 is between its frames 2 and 3.
        index: Index of the content frame in the scene.
        quality: Quality that the GOP was decoded from.
        serial: Number of the seek; frames of older serials must not be shown.
        still: Whether the GOP is a placeholder without motion for one that is not decoded yet.
    """

    gop: Gop
    frame: float
    index: int
    quality: Quality
    serial: int
    still: bool = False


@dataclass(frozen=True)
class PlaybackStatus:
    """A snapshot for transport bar and statistics; cheap to take on every tick.

    Args:
        state: What the playback is doing.
        position_s, duration_s: Position in the scene and its length.
        frame, frames: Index of the content frame at the position, and how many there are.
        fps: Content frames per second at speed 1.
        speed: Content seconds per second; negative plays backwards. It is 1 while a live edge is
            followed, although the position may then come nearer to it.
        backwards: Whether content runs backwards at this moment.
        smooth: Whether slow motion shows moments between two frames.
        loop: Whether playback continues at the start when the end is reached.
        buffered_s: Ranges of the timeline that need no network, as (start, end).
        gop_starts_s: Content times at which GOPs start.
        qualities: What the scene can be played at, worst first.
        quality: The quality being shown; before the first frame the one chosen by hand, or None.
        auto: Whether the quality is chosen automatically.
        quality_reason: Why `chosen_quality` was fetched.
        chosen_quality: Quality of the GOP that was fetched last, None before.
        fetch_reason: Why the last GOP or static layer was fetched.
        throughput_bps: Estimate of the network's throughput; 0 without one.
        ahead_s: Content seconds that can be played without a gap, fetched or decoded.
        static_layers: How many layers of static Gaussians are decoded, and how many there are.
        decode_ms: Decoding time of the last GOP, per frame.
        late_frames: Frames that were due and skipped because rendering came too late.
        corrupt_segments: GOPs that could not be played at some quality; others may have served.
        message: What a person should know now, such as that a server is being asked again.
        scrubbing: Whether the timeline is being dragged, so that time stands.
        live: Where the position is in a live scene; None in one that is complete.
        wants_play: Whether it plays, or would if it were not buffering; shown by the play button.
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
    qualities: tuple[Quality, ...]
    quality: Quality | None
    auto: bool
    quality_reason: str
    decode_ms: float
    late_frames: int
    corrupt_segments: int
    message: str = ""
    wants_play: bool = False
    scrubbing: bool = False
    chosen_quality: Quality | None = None
    fetch_reason: str = ""
    throughput_bps: float = 0.0
    ahead_s: float = 0.0
    static_layers: tuple[int, int] = (0, 0)
    live: LiveStatus | None = None
    backwards: bool = False
    smooth: bool = True

    @property
    def bitrate_bps(self) -> float:
        """Bits per second of content at the quality being shown; 0 before the first frame."""
        return self.quality.bitrate_bps if self.quality else 0.0


@dataclass(frozen=True)
class PlaybackError:
    """An error of a running playback.

    Args:
        message: What happened and what to do, for a person.
        fatal: Whether it ends the scene; playback continues after other errors.
    """

    message: str
    fatal: bool


def fault_message(error: Exception) -> str:
    """The message of a `PlaybackError` for an unexpected error."""
    return tr(
        "Playback stopped by a fault in this program ({error}). Open it again.", error=repr(error)
    )


def layer_message(error: Exception) -> str:
    """The message of a `PlaybackError` for static Gaussians that are left out."""
    return tr(
        "A background layer could not be loaded; some detail is missing: {error}", error=error
    )
