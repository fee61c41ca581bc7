"""What never changes once a scene is open: its order in time and what can be fetched of it."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality, quality_with_qp
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import Ladder


@dataclass(frozen=True)
class OpenedScene:
    """Timeline, qualities and sizes of an open scene. Immutable, so any thread may read it.

    Args:
        qualities: what each GOP can be fetched at, worst first.
        ladder: bytes and quality of everything that can be fetched.
        bytes_per_frame: QP -> bytes of one content frame, everything counted.
    """

    meta: SceneMeta
    timeline: Timeline
    qualities: tuple[Quality, ...]
    ladder: Ladder
    bytes_per_frame: dict[int, float]

    @staticmethod
    def of(scene: Scene) -> OpenedScene:
        totals = {q.qp: scene.bytes_per_frame(q)["total"] for q in scene.qualities}
        return OpenedScene(scene.meta, Timeline.of(scene), scene.qualities, scene.ladder(), totals)

    @property
    def rungs(self) -> tuple[int, ...]:
        """QPs of the ladder, best quality (lowest QP) first."""
        return tuple(quality.qp for quality in reversed(self.qualities))

    def quality(self, qp: int) -> Quality:
        """The quality of a QP; raises UnknownQuality."""
        return quality_with_qp(self.qualities, qp)

    @property
    def static_layers(self) -> int:
        return len(self.ladder.static_bytes)
