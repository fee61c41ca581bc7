"""What scene.json says of a scene that grows while it is watched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LiveEntry:
    """A live scene. Times are UTC, in seconds since 1970, by the publisher's clock.

    Args:
        start_s: when the event began.
        anchor_frame, anchor_s: content frame and time at which the publisher started last; from
            there on content runs with the clock.
        edge_s: when the newest GOP was published.
        update_s: how often scene.json changes at most; a player asks no more often.
    """

    start_s: float
    anchor_frame: int
    anchor_s: float
    edge_s: float
    update_s: float
