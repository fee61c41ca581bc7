"""Edits of the tracks of a film that a person makes at its present time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from streamstgs.app.player.time_track import SAME_TIME_S, TimeKey, TimeTrack

if TYPE_CHECKING:
    from streamstgs.app.player.camera.keyframes import CameraKeyframe
    from streamstgs.app.player.viewer_model import ViewerModel

SHORTEST_S = 1e-3


def snapped(
    time_s: float, fps: float, others: Iterable[float] = (), within_s: float = 0.0
) -> float:
    """The nearest of other times within some seconds, else the nearest frame; never below 0.

    Args:
        fps: Frames per second of the grid.
        others: Times that attract, such as those of other keys and of markers.
    """
    near = min(others, key=lambda other: abs(other - time_s), default=None)
    if near is not None and abs(near - time_s) <= within_s:
        return near
    return max(round(time_s * fps) / fps, 0.0) if fps > 0.0 else max(time_s, 0.0)


def add_keyframe(model: ViewerModel, place: int | None = None) -> CameraKeyframe | None:
    """Make the present camera a keyframe of the film.

    Args:
        place: The index of a keyframe that gets the present camera and keeps its time and easing;
            None adds one at the time of the film, or replaces the one at that time.

    Returns:
        The keyframe; None without a scene.
    """
    from streamstgs.app.player.camera.track import capture

    status = model.status
    if status is None or not model.camera.available:
        return None
    if place is None:
        time_s = snapped(model.film.position_s, status.fps)
        keyframe = capture(model.camera, time_s)
        same = [key for key in model.track if abs(key.time_s - time_s) <= SAME_TIME_S]
        model.track.add(replace(keyframe, easing=same[0].easing) if same else keyframe)
        return keyframe
    old = model.track[place]
    keyframe = replace(capture(model.camera, old.time_s), easing=old.easing)
    model.track.replace(place, keyframe)
    return keyframe


def play_once(track: TimeTrack, scene_s: float) -> None:
    """Make a time track play the scene once at its own speed; one step of undo."""
    with track.one_edit():
        track.clear()
        track.add(TimeKey(0.0, 0.0))
        track.add(TimeKey(max(scene_s, SHORTEST_S), max(scene_s, SHORTEST_S)))


def hold(track: TimeTrack, at_s: float, for_s: float, scene_s: float) -> None:
    """Stop content time at a time of the film for a while (bullet time); one step of undo."""
    with track.one_edit():
        _begin(track, scene_s)
        track.insert_hold(at_s, for_s)


def change_speed(track: TimeTrack, at_s: float, speed: float, scene_s: float) -> None:
    """Play the stretch from a time of the film to the next key at another speed.

    It shows the same content for longer or shorter, or backwards; what follows moves along. One
    step of undo.

    Args:
        speed: Times the present speed; negative turns it around.

    Raises:
        ValueError: The speed is 0.
    """
    if speed == 0.0:
        raise ValueError("A speed of 0 is a hold.")
    with track.one_edit():
        _begin(track, scene_s)
        left = split(track, at_s)
        if left + 1 >= len(track):
            return
        keys = list(track)
        here, end = keys[left], keys[left + 1]
        span_s = (end.time_s - here.time_s) / abs(speed)
        change_s = (end.content_s - here.content_s) * (1.0 if speed > 0.0 else -1.0)
        later_s = here.time_s + span_s - end.time_s
        later_content_s = here.content_s + change_s - end.content_s
        keys[left] = replace(here, easing="linear")
        for place in range(left + 1, len(keys)):
            key = keys[place]
            keys[place] = replace(
                key, time_s=key.time_s + later_s, content_s=key.content_s + later_content_s
            )
        track.clear()
        for key in keys:
            track.add(key)


def split(track: TimeTrack, at_s: float) -> int:
    """Add a key on the curve at a time of the film; returns its index, or that of the one there."""
    for index, key in enumerate(track):
        if abs(key.time_s - at_s) <= SAME_TIME_S:
            return index
    inside = (one for one, other in pairwise(track) if one.time_s < at_s < other.time_s)
    before = next(inside, TimeKey(0.0, 0.0))
    return track.add(TimeKey(at_s, track.curve().content_at(at_s), before.easing))


def _begin(track: TimeTrack, scene_s: float) -> None:
    if not len(track):
        play_once(track, scene_s)
