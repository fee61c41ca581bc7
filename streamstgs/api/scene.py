"""An open scene: what it contains, and its segments, frames and Gaussians."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex

from streamstgs.api.cameras import Camera, natural_size
from streamstgs.api.drawing import Drawing
from streamstgs.app.player.arguments import finite
from streamstgs.app.player.errors import ArgumentError, NoSceneError
from streamstgs.app.player.export.frame_source import SceneFrames
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.codec.errors import UnknownQuality
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.reader import Segment as DecodedSegment
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality

if TYPE_CHECKING:
    import torch

    from streamstgs.renderer import Gaussians

AnyQuality = Quality | int | None
ROUNDING_FRAMES = 1e-4  # a time of exactly frame / fps belongs to that frame


def open(
    location: str | Path, device: torch.device | str = "cpu", fps: float | None = None
) -> Scene:
    """Open a scene; only its manifest is read.

    Example:
        with st.open("scene.stgs") as scene:
            print(scene.title, scene.duration_s)

    Args:
        location: a .stgs file, a scene directory, the http(s) URL of either, a splat file (.ply,
            .spz, .sog, .ksplat, .splat), a folder or ZIP archive with one splat file per frame, or
            a file of a format that an installed package adds.
        device: torch device on which Gaussians are decoded, such as "cuda".
        fps: frames per second of a folder or archive of splat files; None for the reader's choice.
            Other scenes know their own.

    Raises:
        CodecError: `location` holds no scene, the scene is damaged or of a newer format, or the
            server does not answer.
        PlayerError: PyTorch knows no such device on this machine.
    """
    _check_device(device)
    return Scene(open_reader(location, fps=fps), str(location), device, fps)


@dataclass(frozen=True)
class Frame:
    """One content frame.

    Args:
        index: place in the scene, from 0.
        time_s: when the frame is shown first, seconds from the start of the scene.
        gaussians: all Gaussians of the frame.
    """

    index: int
    time_s: float
    gaussians: Gaussians


class Segment:
    """A stretch of frames that is decoded in one piece. `Scene.segments` holds them."""

    def __init__(self, scene: Scene, index: int) -> None:
        self._scene = scene
        self.index = index
        self.start_frame = scene._reader.info.segment_starts[index]
        self.frame_count = scene._reader.info.segment_frames[index]

    def __repr__(self) -> str:
        return f"<Segment {self.index}: {self.frame_count} frames from {self.start_s:g} s>"

    @property
    def start_s(self) -> float:
        """When the first frame is shown, seconds from the start of the scene."""
        return self.start_frame / self._scene.fps

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frame_count / self._scene.fps

    def frames(self, quality: AnyQuality = None) -> Iterator[Frame]:
        """Decode the segment and yield its frames in order.

        Args:
            quality: as of `Scene.gaussians`.

        Raises:
            CodecError: the segment is missing or damaged, or the server does not answer.
        """
        decoded = self._scene._segment(self.index, self._scene._quality(quality))
        for index in range(self.start_frame, self.start_frame + self.frame_count):
            time_s = index / self._scene.fps
            yield Frame(index, time_s, decoded.gaussians_at(time_s))


class Scene:
    """An open scene. `open` makes them. A scene belongs to one thread.

    The segment decoded last is kept, so that neighbouring times are decoded once.
    """

    def __init__(
        self,
        reader: SceneReader,
        location: str,
        device: torch.device | str,
        given_fps: float | None = None,
    ) -> None:
        self._reader = reader
        self._given_fps = given_fps  # as of `open`, for those who open the scene again
        self._decoded: tuple[int, Quality, DecodedSegment] | None = None
        self._drawing: Drawing | None = None
        self._closed = False
        self.location = location
        self.device = device

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Scene {self.title!r}: {self.frame_count} frames, {self.fps:g} fps>"

    def close(self) -> None:
        """Close the file or connection, and the renderer. What the scene tells can still be read.

        Decoding and rendering then raise PlayerError.
        """
        self._closed = True
        self._decoded = None
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None
        self._reader.close()

    # --- what it contains ------------------------------------------------------------------------

    @property
    def meta(self) -> SceneMeta:
        """Everything that the scene tells about itself: axes, centre, licence and more."""
        return self._reader.info.meta

    @property
    def title(self) -> str:
        """Title of the scene."""
        return self.meta.title

    @property
    def fps(self) -> float:
        """Content frames per second."""
        return self.meta.fps

    @property
    def frame_count(self) -> int:
        """Number of content frames."""
        return self._reader.info.frame_count

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._reader.info.duration_s

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of the capture."""
        return natural_size(self.meta)

    @cached_property
    def cameras(self) -> Mapping[str, Camera]:
        """Named cameras of the scene; the first is the opening view."""
        return {preset.name: Camera.from_preset(preset) for preset in self.meta.presets}

    @property
    def qualities(self) -> tuple[Quality, ...]:
        """Qualities that the scene can be read at, from the worst to the best."""
        return tuple(self._reader.qualities)

    @cached_property
    def segments(self) -> Sequence[Segment]:
        """Segments in the order of time."""
        return tuple(Segment(self, index) for index in range(len(self._reader.info.segment_frames)))

    # --- Gaussians -------------------------------------------------------------------------------

    def gaussians(
        self, time_s: float, quality: AnyQuality = None, interpolate: bool = False
    ) -> Gaussians:
        """The Gaussians at a time, on the device of the scene.

        Example:
            gaussians = scene.gaussians(time_s=1.5)
            print(gaussians.means.shape, gaussians.colors.max())

        Args:
            time_s: seconds from the start of the scene; times outside are moved to its ends.
            quality: one of `qualities`, or its index there (-1 for the best); None for the best.
            interpolate: whether features are interpolated between two frames, as in slow motion.
                Without it, the frame that a player shows at `time_s` is returned.

        Returns:
            Gaussians after activation: means [N, 3], quats [N, 4] (w first), scales [N, 3],
            opacities [N], colors [N, 3], float32 tensors that the caller may change.

        Raises:
            CodecError: a file of the scene is missing or damaged, the server does not answer, or
                the scene has no such quality.
            PlayerError: the scene is closed, or the time is not finite.
        """
        segment, shown_s = self._shown(time_s, quality)
        return segment.gaussians_at(float(time_s) if interpolate else shown_s)

    def frames(
        self, start_s: float = 0.0, stop_s: float | None = None, quality: AnyQuality = None
    ) -> Iterator[Frame]:
        """Yield the frames of a time range in order.

        Example:
            for frame in scene.frames(start_s=1.0, stop_s=2.0):
                print(frame.index, len(frame.gaussians))

        Args:
            start_s: time of the first frame, seconds.
            stop_s: time before which the range ends, seconds; None for the end of the scene.
            quality: as of `gaussians`.

        Raises:
            CodecError, PlayerError: as `gaussians`.
        """
        first, stop = self.frame_range(start_s, stop_s)
        chosen = self._quality(quality)
        for index in range(first, stop):
            time_s = index / self.fps
            segment = self._segment(self._reader.info.segment_at(time_s), chosen)
            yield Frame(index, time_s, segment.gaussians_at(time_s))

    def frame_at(self, time_s: float) -> int:
        """Index of the content frame that is shown at a time; times outside give the ends."""
        frame = int(finite("time_s", time_s) * self.fps + ROUNDING_FRAMES)
        return min(max(frame, 0), self.frame_count - 1)

    def frame_range(self, start_s: float = 0.0, stop_s: float | None = None) -> tuple[int, int]:
        """(first, stop) indices of the content frames whose time lies in a range of seconds."""
        first = self.frame_at(start_s)
        if stop_s is None or stop_s >= self.duration_s:
            return first, self.frame_count
        last = self.frame_at(stop_s)
        return first, last + (last / self.fps < stop_s - 1e-6)

    # --- for the modules beside this one ---------------------------------------------------------

    def _check_open(self) -> None:
        """Raise PlayerError after `close`."""
        if self._closed:
            raise NoSceneError("This scene is closed. Open it again with st.open.")

    def _quality(self, quality: AnyQuality) -> Quality:
        """One of `qualities`. Raises CodecError."""
        known = self.qualities
        if quality is None:
            return known[-1]
        if isinstance(quality, SupportsIndex):  # an int, or one of NumPy
            index = operator.index(quality)
            if -len(known) <= index < len(known):
                return known[index]
        if isinstance(quality, Quality) and quality in known:
            return quality
        raise UnknownQuality(f"{quality!r} is none of the {len(known)} qualities of this scene.")

    def _shown(self, time_s: float, quality: AnyQuality) -> tuple[DecodedSegment, float]:
        """The decoded segment at a time, and when its frame begins. Raises as `gaussians`."""
        shown_s = self.frame_at(time_s) / self.fps
        return self._segment(self._reader.info.segment_at(shown_s), self._quality(quality)), shown_s

    def _segment(self, index: int, quality: Quality) -> DecodedSegment:
        """The decoded segment; the last one is kept. Raises as `gaussians`."""
        self._check_open()
        if self._decoded is None or self._decoded[:2] != (index, quality):
            self._decoded = None  # two segments need not fit into memory
            self._decoded = index, quality, self._reader.segment(index, quality, self.device)
        return self._decoded[2]

    def _frames(self, quality: Quality, backend: str | None, look: Look) -> SceneFrames:
        """A source of frames for a video."""
        drawing = self._renderer(backend)
        return SceneFrames(self._reader, quality, drawing.backend, drawing.deformer, look)

    def _renderer(self, backend: str | None) -> Drawing:
        """The renderer of this scene, kept until another backend is asked for."""
        self._check_open()
        if self._drawing is None or (backend is not None and backend != self._drawing.name):
            if self._drawing is not None:
                self._drawing.close()
            self._drawing = Drawing(backend)
        return self._drawing


def check_scene(scene: object) -> None:
    """Raise TypeError for what is no open scene, such as its path."""
    if not isinstance(scene, Scene):
        kind = type(scene).__name__
        raise TypeError(f"scene is a {kind}; open a scene with st.open(location) and pass that")


def _check_device(device: torch.device | str) -> None:
    """Raise PlayerError for a device that this machine does not have."""
    if device == "cpu":
        return
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:  # what torch raises for them
        reason = str(error).split("\n")[0]
        raise ArgumentError(f"The device {device!r} cannot be used: {reason}") from error
