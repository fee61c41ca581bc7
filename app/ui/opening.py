"""How the window opens a scene. Imported once there is torch."""

from __future__ import annotations

from functools import partial

import torch
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.poster_loader import Posters
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings


def open_playback(
    location: str,
    preferences: Preferences,
    keeps_fetched: bool,
    posters: Posters,
    device: torch.device | str,
) -> Playback:
    """Begin to open a scene for playing, as the person left the last one."""
    settings = PlaybackSettings(
        loop=preferences.flag("loop", True),
        speed=preferences.number("speed", 1.0, 0.1, 8.0),
        qp=preferences.qp,
        opening=OpenSettings(
            cache=CacheSettings() if keeps_fetched else CacheSettings(max_bytes=0),
            on_poster=partial(posters.offer, location),
        ),
    )
    return Playback(location, settings, device)
