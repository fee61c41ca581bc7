"""Facts about an open scene: its timeline, qualities and sizes. A live one gets new facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.package.filmed_view import FilmedView, filmed_views
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.package.sound_track import Sound
from streamstgs.codec.quality import Quality, quality_with_qp
from streamstgs.codec.scene import Scene
from streamstgs.codec.streaming.adaptive import Ladder

ReadSound = Callable[[int, CancelToken], NDArray[np.int16]]
NOTHING_TO_FETCH = Ladder((0,), (), (), ())


@dataclass(frozen=True)
class OpenedScene:
    """Timeline, qualities and sizes of an open scene. Immutable, so any thread may read it.

    Args:
        meta: Title, frame rate and cameras.
        timeline: Frames and GOPs.
        qualities: What each GOP can be fetched at, worst first.
        ladder: Bytes and PSNR of everything that can be fetched; empty if nothing is.
        filmed: What the cameras of the capture saw; empty for scenes that were not filmed.
        live: Of a scene that grows; None for one that is complete.
        sound: The sound track; None for scenes without sound.
        read_sound: Returns a segment of it, [samples, channels] int16; any thread may call it.
    """

    meta: SceneMeta
    timeline: Timeline
    qualities: tuple[Quality, ...]
    ladder: Ladder
    filmed: tuple[FilmedView, ...] = ()
    live: LiveEntry | None = None
    sound: Sound | None = None
    read_sound: ReadSound | None = None

    @staticmethod
    def of(scene: Scene) -> OpenedScene:
        """The facts about a scene."""
        timeline, qualities = Timeline.of(scene), tuple(scene.qualities)
        meta, ladder = scene.meta, scene.ladder()
        return OpenedScene(
            meta,
            timeline,
            qualities,
            ladder,
            filmed_views(meta),
            scene.live,
            scene.sound,
            scene.read_sound,
        )

    def grew_from(self, before: OpenedScene) -> bool:
        """Whether these are facts about the same live scene, some time later."""
        return before.live is not None and before.qualities is self.qualities

    @staticmethod
    def of_reader(reader: SceneReader) -> OpenedScene:
        """The facts about a scene of another program; each frame counts as a GOP."""
        info = reader.info
        timeline = Timeline(info.meta.fps, (1,) * info.frame_count)
        return OpenedScene(info.meta, timeline, tuple(reader.qualities), NOTHING_TO_FETCH)

    def quality(self, qp: int) -> Quality:
        """The quality of a QP; raises UnknownQuality."""
        return quality_with_qp(self.qualities, qp)

    @property
    def best(self) -> Quality:
        return self.qualities[-1]

    @property
    def lowest(self) -> Quality:
        return self.qualities[0]

    @property
    def static_layers(self) -> int:
        """How many layers the static Gaussians have."""
        return len(self.ladder.static_bytes)
