"""What is played, and what of it is wanted: the two things that player threads tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.scene import Scene
from streamstgs.codec.source import SceneMeta
from streamstgs.codec.streaming.adaptive import Ladder


@dataclass(frozen=True)
class OpenedScene:
    """What never changes once a scene is open; may be read by any thread.

    Args:
        rungs: QPs, best quality (lowest QP) first.
        ladder: bytes and quality of everything that can be fetched.
        bytes_per_frame: QP -> bytes of one content frame, everything counted.
    """

    meta: SceneMeta
    timeline: Timeline
    rungs: tuple[int, ...]
    ladder: Ladder
    bytes_per_frame: dict[int, float]

    @staticmethod
    def of(scene: Scene) -> OpenedScene:
        totals = {rung: scene.bytes_per_frame(rung)["total"] for rung in scene.rungs}
        return OpenedScene(
            scene.meta, Timeline.of(scene), tuple(scene.rungs), scene.ladder(), totals
        )

    @property
    def static_layers(self) -> int:
        return len(self.ladder.static_bytes)


@dataclass(frozen=True)
class PlayTarget:
    """What the owner of the position wants.

    Args:
        gop: GOP at the position.
        serial: seek number.
        rung: QP, or None to choose automatically.
        loop: whether the first GOP follows the last.
        playing: whether the position moves; while it stands, the shown GOP may be replaced.
        speed: playback speed.
        scrubbing: whether the timeline is being dragged, so that no place is stayed at.
    """

    gop: int
    serial: int
    rung: int | None
    loop: bool
    playing: bool
    speed: float
    scrubbing: bool = False
