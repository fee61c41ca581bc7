"""The film preview: plays camera track and time track as the exported video will show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.arguments import finite
from streamstgs.app.player.position.time_mapping import FilmTimeMapping

if TYPE_CHECKING:  # they load torch, and a window has a preview before that
    from streamstgs.app.player.camera.track import CameraTrack
    from streamstgs.app.player.time_track import TimeTrack
    from streamstgs.app.player.viewer.open_scene import OpenScene
    from streamstgs.app.player.viewer.transport import Transport

Tracks = Callable[[], "tuple[CameraTrack, TimeTrack]"]
SHORTEST_S = 1e-3


class FilmPreview:
    """The time of the film, and playing it. Owner: the thread of the viewer model.

    Without a time track the time of the film is the content time. With one, `position_s` is where
    the film was sought or played to. A seek to a content time ends the preview.

    Example:
        viewer.film.play()
        viewer.film.seek(1.5)

    Args:
        scene: Gives the shown scene.
        transport: Plays and pauses.
        tracks: Gives the camera track and the time track of the viewer.
    """

    changed = Signal()  # the preview began or ended, or the film was sought

    def __init__(
        self, scene: Callable[[], OpenScene | None], transport: Transport, tracks: Tracks
    ) -> None:
        self._scene, self._transport, self._tracks = scene, transport, tracks
        self._cursor_s = 0.0  # where the film is while it is not played
        self._seeks = False  # a seek of our own is under way
        transport.sought.connect(self._sought)

    @property
    def active(self) -> bool:
        """Whether the film is played, or paused on its way."""
        return self._mapping is not None

    @property
    def playing(self) -> bool:
        """Whether the film runs now."""
        status = self._transport.status
        return self.active and status is not None and status.wants_play

    @property
    def duration_s(self) -> float:
        """Length of the film: of the time track, else of the camera track, else of the scene."""
        camera, time = self._tracks()
        return time.duration_s or camera.duration_s or self._scene_s

    @property
    def position_s(self) -> float:
        """The time of the film now, in seconds."""
        scene, mapping = self._scene(), self._mapping
        if scene is None:
            return 0.0
        clock = scene.clock.clock
        if mapping is not None:
            return mapping.film_time(clock.run_s, clock.loop)
        _, time = self._tracks()
        if len(time):
            return self._cursor_s
        status = self._transport.status
        return status.position_s if status is not None else clock.position_s()

    def content_at(self, film_s: float) -> float:
        """The content time that the film shows at a time, within the scene."""
        _, time = self._tracks()
        content_s = time.curve().content_at(film_s, self._scene_s) if len(time) else film_s
        return min(max(content_s, 0.0), self._scene_s)

    def seek(self, film_s: float, scrubbing: bool = False) -> None:
        """Go to a time of the film, limited to its length; ends the preview.

        Args:
            scrubbing: Whether another seek follows soon, as while a lane is dragged.
        """
        cursor_s = max(finite("The time of the film", film_s), 0.0)
        self.stop(pauses=False)
        self._cursor_s = cursor_s
        self._seek_content(scrubbing)
        self.changed.emit()

    def play(self) -> None:
        """Play the film from its time; from the start if it is at its end."""
        scene = self._scene()
        if scene is None or scene.playback is None or self._scene_s <= 0.0:
            return
        film_s = max(self.duration_s, SHORTEST_S)
        start_s = self.position_s
        if start_s >= film_s - SHORTEST_S:
            start_s = 0.0
        self._cursor_s = start_s
        _, time = self._tracks()
        curve = time.curve() if len(time) else None

        def content_at(time_s: float, scene_s: float) -> float:
            return curve.content_at(time_s, scene_s) if curve is not None else time_s

        self._transport.set_speed(abs(scene.clock.clock.rate))
        scene.playback.set_time_mapping(FilmTimeMapping(content_at, film_s), start_s)
        self._seek_content(scrubbing=False)
        self._transport.play()
        self.changed.emit()

    def stop(self, pauses: bool = True) -> None:
        """End the preview; the picture stays where the film was.

        Args:
            pauses: Whether the scene stands still from then on.
        """
        scene = self._scene()
        if scene is None or scene.playback is None or not self.active:
            return
        self._cursor_s = self.position_s
        if pauses:
            self._transport.pause()
        self._transport.apply_time_mapping()
        self.changed.emit()

    def toggle(self) -> None:
        """Play the film, or stop it if it is played."""
        if self.playing:
            self.stop()
        else:
            self.play()

    @property
    def _mapping(self) -> FilmTimeMapping | None:
        scene = self._scene()
        mapping = scene.clock.clock.time_mapping if scene is not None else None
        return mapping if isinstance(mapping, FilmTimeMapping) else None

    @property
    def _scene_s(self) -> float:
        status = self._transport.status
        return status.duration_s if status is not None else 0.0

    def _seek_content(self, scrubbing: bool) -> None:
        self._seeks = True
        try:
            self._transport.seek(self.content_at(self._cursor_s), scrubbing)
        finally:
            self._seeks = False

    def _sought(self) -> None:
        """A person went to a content time."""
        if not self._seeks:
            self.stop(pauses=False)
