"""The reader of this project's own format: `.stgs` files, scene folders, and URLs of either."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.file_kind import ZIP_FILE
from streamstgs.codec.formats.reader import SceneInfo
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import OpenSettings, Scene, open_scene
from streamstgs.codec.streaming.address import is_url

if TYPE_CHECKING:
    import torch
    from streamstgs.renderer import Gaussians, Gop

SUFFIX = ".stgs"
ZIP = ".zip"  # `SplatFormat`, which comes first, takes those without a scene of ours
FIRST_NAME = slice(30, 30 + len(MANIFEST_NAME))  # of the first entry in a ZIP


def is_zipped_scene(head: bytes) -> bool:
    """Whether a file begins as a ZIP archive whose first entry is scene.json."""
    return head.startswith(ZIP_FILE) and head[FIRST_NAME] == MANIFEST_NAME.encode()


class StgsFormat:
    """Implements `SceneFormat`."""

    name = "stgs"

    def can_open(self, head: bytes, name: str) -> bool:
        """As of `SceneFormat`; any folder and any URL may hold a scene."""
        if name.lower().endswith((SUFFIX, "/", MANIFEST_NAME, DASH_NAME)) or is_url(name):
            return True
        return is_zipped_scene(head) or (head.startswith(ZIP_FILE) and name.lower().endswith(ZIP))

    def open(
        self, location: str, cancel: CancelToken = NEVER, settings: OpenSettings | None = None
    ) -> StgsReader:
        """As of `SceneFormat`; `settings` are limits, patience with servers, and the cache."""
        return StgsReader(open_scene(location, settings, cancel))


class StgsReader:
    """Implements `SceneReader` over a `Scene`, which it closes.

    Attributes:
        scene: the scene itself, for programs that fetch or decode parts of segments.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        frames = tuple(scene.gop_times)
        self.info = SceneInfo(scene.location, StgsFormat.name, scene.meta, frames)
        self.qualities = scene.qualities

    def segment(
        self,
        index: int,
        quality: Quality | None = None,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> StgsSegment:
        """As of `SceneReader`."""
        chosen = self.qualities[-1] if quality is None else quality
        gop = self.scene.decode_gop(index, chosen, device, cancel)
        start_s = self.info.segment_starts[index] / self.info.meta.fps
        return StgsSegment(gop, start_s, self.info.meta.fps)

    def close(self) -> None:
        """Close the scene."""
        self.scene.close()

    def __enter__(self) -> StgsReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class StgsSegment:
    """Implements `Segment` with a decoded GOP.

    Attributes:
        gop: the GOP, for programs that ask for frames instead of times.
    """

    def __init__(self, gop: Gop, start_s: float, fps: float) -> None:
        self.gop = gop
        self.start_s = start_s
        self.duration_s = gop.frames / fps
        self._fps = fps

    def gaussians_at(self, time_s: float) -> Gaussians:
        """As of `Segment`."""
        frame = (time_s - self.start_s) * self._fps
        nearest = round(frame)  # a time of frame / fps means exactly that frame
        return self.gop.gaussians_at(nearest if abs(frame - nearest) < 1e-4 else frame)
