"""The state that the threads of a pipeline share, behind one lock.

`LockedState` has the fields. Each thread has a side with the methods that it may call:
`PlaybackSide`, `FetchSide`, `DecodeSide`. `PipelineState` is all of them.
"""

from streamstgs.app.player.pipeline.state.decode_side import DecodeSide, DecodeView
from streamstgs.app.player.pipeline.state.fetch_side import FetchSide
from streamstgs.app.player.pipeline.state.playback_side import PipelineCounters, PlaybackSide

__all__ = [
    "DecodeSide",
    "DecodeView",
    "FetchSide",
    "PipelineCounters",
    "PipelineState",
    "PlaybackSide",
]


class PipelineState(PlaybackSide, FetchSide, DecodeSide):
    """Shared by the owner of the position (`Playback`), the fetch thread and the decode thread."""
