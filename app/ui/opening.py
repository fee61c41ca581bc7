"""Opens a scene with the settings of the window. It loads torch: import it late."""

from __future__ import annotations

from functools import partial

import torch
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings


def open_playback(
    location: str,
    clock: PlaybackClock,
    preferences: Preferences,
    cache: CacheSettings,
    posters: PosterLoader,
    device: torch.device | str,
    fps: float | None = None,
    ahead: CodesAhead | None = None,
    latency_s: float | None = None,
) -> Playback:
    """Start the playback of a scene with the remembered speed, loop and quality."""
    live = LiveSettings() if latency_s is None else LiveSettings(latency_s)
    settings = PlaybackSettings(
        loop=preferences.loop,
        speed=preferences.speed,
        smooth=preferences.smooth,
        qp=preferences.quality_qp,
        opening=OpenSettings(
            cache=cache,
            on_poster=partial(posters.offer, location),
            ahead=ahead,
        ),
        fps=fps,
        live=live,
    )
    return Playback(location, settings, device, clock=clock)
