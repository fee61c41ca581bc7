"""The choice of quality of a viewer: automatic, or one quality of the scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from psygnal import Signal
from streamstgs.app.player.viewer.open_scene import OpenScene
from streamstgs.app.player.viewer.transport import Transport
from streamstgs.codec.quality import Quality


class QualitySelection:
    """Reads and sets the quality of the shown scene. Owner: the thread of the viewer model.

    Example:
        viewer.quality.choice = viewer.quality.available[-1]  # the best
        viewer.quality.choice = None  # automatic
    """

    changed = Signal(object)  # the new choice: a quality, or None

    def __init__(self, transport: Transport, scenes: Callable[[], Sequence[OpenScene]]) -> None:
        self._transport, self._scenes = transport, scenes

    @property
    def available(self) -> tuple[Quality, ...]:
        """The qualities of the shown scene, the worst first; empty without a scene."""
        status = self._transport.status
        return status.qualities if status is not None else ()

    @property
    def shown(self) -> Quality | None:
        """The quality of the frame on the screen; None before the first one."""
        status = self._transport.status
        return status.quality if status is not None else None

    @property
    def coming(self) -> Quality | None:
        """The quality of the segment that was fetched last; None before the first one."""
        status = self._transport.status
        return status.chosen_quality if status is not None else None

    @property
    def choice(self) -> Quality | None:
        """The quality that a person chose; None is automatic."""
        status = self._transport.status
        return None if status is None or status.auto else status.quality

    @choice.setter
    def choice(self, quality: Quality | None) -> None:
        for scene in self._scenes():
            if scene.playback is not None:
                scene.playback.set_quality(quality)
        self._transport.refresh()
        self.changed.emit(quality)

    def choose(self, quality: Quality | None) -> None:
        """Set `choice`; for callbacks."""
        self.choice = quality

    def step(self, steps: int) -> None:
        """Choose the quality that is `steps` better than the shown one (negative: worse)."""
        available, shown = self.available, self.shown
        if shown is not None:
            self.choice = available[min(max(shown.index + steps, 0), len(available) - 1)]

    def toggle_automatic(self) -> None:
        """Keep the shown quality, or choose automatically again."""
        if self.shown is not None:
            self.choice = self.shown if self.choice is None else None
