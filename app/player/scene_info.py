"""What never changes once a scene is open: its order in time and what can be fetched of it."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.scene import Scene
from streamstgs.codec.source import SceneMeta
from streamstgs.codec.streaming.adaptive import Ladder


@dataclass(frozen=True)
class OpenedScene:
    """Timeline, qualities and sizes of an open scene. Immutable, so any thread may read it.

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
