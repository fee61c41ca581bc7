"""Which pictures are worth drawing while a scene plays and the camera moves."""

from __future__ import annotations

from streamstgs.app.player.status import PlaybackFrame, PlaybackState, PlaybackStatus


def leaves_time(status: PlaybackStatus, shown: PlaybackFrame, raster_ms: float) -> bool:
    """Whether a picture in which only the camera has moved is done before the next frame is due.

    Where drawing takes a good part of a frame's time, pictures in between would make the frames
    of the content late, and the camera would move in uneven steps; so it then moves with them.

    Args:
        status: of the playback now.
        shown: the frame that was drawn already.
        raster_ms: what drawing takes.
    """
    stands = status.state is not PlaybackState.PLAYING or status.scrubbing
    if stands or status.fps <= 0.0:
        return True
    due_s = ((shown.index + 1) / status.fps - status.position_s) / status.speed
    return raster_ms <= 1000.0 * due_s
