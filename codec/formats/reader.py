"""The protocols of a scene reader. Importing this module does not load torch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality

if TYPE_CHECKING:
    import torch
    from streamstgs.renderer import Gaussians


@dataclass(frozen=True)
class SceneInfo:
    """What is known of a scene before anything of it is decoded.

    Args:
        location: path or URL, without credentials.
        format: name of the format, such as "stgs".
        meta: title, frame rate, orientation, opening cameras and the like.
        segment_frames: content frames of each segment, in the order of time; each at least 1.
    """

    location: str
    format: str
    meta: SceneMeta
    segment_frames: tuple[int, ...]

    @cached_property
    def segment_starts(self) -> tuple[int, ...]:
        """Index of the first content frame of each segment."""
        return tuple(accumulate(self.segment_frames, initial=0))[:-1]

    @property
    def frame_count(self) -> int:
        """Content frames of the whole scene."""
        return sum(self.segment_frames)

    @property
    def duration_s(self) -> float:
        """Length of the scene in seconds."""
        return self.frame_count / self.meta.fps

    def segment_at(self, time_s: float) -> int:
        """Index of the segment that shows a time, in seconds; times outside give the ends."""
        frame = time_s * self.meta.fps + 1e-4  # a time of frame / fps belongs to that frame
        return max(bisect_right(self.segment_starts, frame) - 1, 0)


class Segment(Protocol):
    """A decoded stretch of a scene, on one device. Independent of its reader, also when closed."""

    @property
    def start_s(self) -> float:
        """When it begins, in seconds from the start of the scene."""
        ...

    @property
    def duration_s(self) -> float:
        """How long it lasts, in seconds."""
        ...

    def gaussians_at(self, time_s: float) -> Gaussians:
        """All Gaussians at a time, activated.

        Args:
            time_s: seconds from the start of the scene; times outside the segment are moved to its
                first or last frame. Times between two frames are interpolated.
        """
        ...


class SceneReader(Protocol):
    """An open scene of any format. A context manager; belongs to one thread at a time."""

    @property
    def info(self) -> SceneInfo:
        """What is known of the scene before anything of it is decoded."""
        ...

    @property
    def qualities(self) -> Sequence[Quality]:
        """What segments can be read at, from the worst to the best; at least one."""
        ...

    def segment(
        self,
        index: int,
        quality: Quality | None = None,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> Segment:
        """Read and decode a segment.

        Args:
            index: 0 to the number of `info.segment_frames` - 1.
            quality: one of `qualities`; None for the best.
            device: where its tensors are put.
            cancel: ends the reading early.

        Raises:
            CodecError: a file is missing or damaged, the server does not answer, the scene has no
                such quality, or reading was cancelled.
            IndexError: no such segment.
        """
        ...

    def close(self) -> None:
        """Close files and connections; safe to call twice."""
        ...

    def __enter__(self) -> SceneReader: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class SceneFormat(Protocol):
    """One format: recognises its files and opens them. The registry holds one object of each."""

    @property
    def name(self) -> str:
        """Short name of the format, for people: "stgs"."""
        ...

    def can_open(self, head: bytes, name: str) -> bool:
        """Whether a location is of this format. Reads no file; a folder may be listed.

        Args:
            head: the first `registry.HEAD_BYTES` of a file on this machine; empty for folders and
                for locations on a server.
            name: path or URL without query. The name of a folder ends with "/".
        """
        ...

    def open(self, location: str, cancel: CancelToken = NEVER) -> SceneReader:
        """Open a scene; reads only what `SceneInfo` needs.

        Raises:
            NotAScene: the location holds no scene of this format, or a broken one.
            SceneUnreachable: the server does not answer as it should.
            Cancelled: through the token.
        """
        ...
