"""What the shown scene is compared with, and how both are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from psygnal import Signal
from streamstgs.app.player.arguments import finite
from streamstgs.app.player.compare.ground_truth import (
    FramedPicture,
    GroundTruth,
    TruthReader,
    fitted,
    shown_picture,
)
from streamstgs.app.player.compare.two_sides import LAYOUTS, Layout, OtherSide, side_camera
from streamstgs.app.player.errors import NoSceneError
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.viewer.open_scene import FINAL, OpenScene, SceneState

if TYPE_CHECKING:
    from streamstgs.codec.quality import Quality
    from streamstgs.renderer import Camera


class Stack(Protocol):
    """What a comparison uses of the scenes of a viewer."""

    scene: OpenScene | None

    def open_beside(self, location: str, keeps_quality: bool = False) -> OpenScene: ...
    def close_beside(self, companion: OpenScene) -> None: ...
    def warn(self, message: str) -> None: ...


class Comparison:
    """Two pictures of one moment. Owner: the thread of the viewer model.

    Both sides show the same content frame from the same camera: while one of them has no such
    frame, the pictures on the screen stay.

    Example:
        viewer.comparison.with_quality(viewer.quality.available[0])
        viewer.comparison.layout = "difference"
        viewer.comparison.stop()

    Args:
        stack: The scenes of the viewer.
    """

    changed = Signal()  # something else is compared, or another way
    measured = Signal(float)  # PSNR in dB of the two pictures on the screen

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._layout: Layout = "split"
        self._share = 0.5
        self._companion: OpenScene | None = None
        self._quality: Quality | None = None
        self._reader: TruthReader | None = None
        self._camera_name = ""
        self._other: OtherSide | None = None  # of the last pair
        self._source: object = None  # what it was made of, and how
        self._how: tuple[object, ...] = ()
        self.psnr_db: float | None = None  # written by `report`
        self.label = ""  # what is on the other side

    # --- what is compared -------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether anything is compared."""
        return self._companion is not None or self._reader is not None

    def with_scene(self, location: str) -> None:
        """Compare with another scene, at the same content times.

        Raises:
            NoSceneError: No scene is shown.
        """
        self.stop()
        self._companion = self._stack.open_beside(location)
        self.label = location
        self.changed.emit()

    def with_quality(self, quality: Quality) -> None:
        """Compare with another quality of the shown scene, which is opened a second time.

        Raises:
            NoSceneError: No scene is shown.
        """
        scene = self._stack.scene
        if scene is None:
            raise NoSceneError("No scene is open. Open one before it is compared.")
        if self._quality is None:
            self.stop()
            self._companion = self._stack.open_beside(scene.location, keeps_quality=True)
        self._quality = quality
        assert self._companion is not None
        if self._companion.playback is not None:
            self._companion.playback.set_quality(quality)
        self.label = f"QP {quality.qp}"
        self.changed.emit()

    def with_capture(self, truth: GroundTruth, camera: str | None = None) -> None:
        """Compare with what a camera of a capture recorded; the view is that of the camera.

        Args:
            camera: The name of the camera; None takes the first one.

        Raises:
            KeyError: There is no such camera.
        """
        name = camera or truth.names[0]
        truth.camera(name)
        if self._reader is None or self._reader.truth is not truth:
            self.stop()
            self._reader = TruthReader(truth, self._stack.warn)
        self._camera_name = self.label = name
        self.changed.emit()

    def with_camera(self, name: str) -> None:
        """Compare with another camera of the same capture.

        Raises:
            KeyError: There is no such camera, or no capture.
        """
        if self._reader is None:
            raise KeyError(name)
        self.with_capture(self._reader.truth, name)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras of the capture that is compared with; empty without one."""
        return self._reader.truth.names if self._reader is not None else ()

    @property
    def quality(self) -> Quality | None:
        """The quality that is compared with; None without one."""
        return self._quality

    def stop(self) -> None:
        """Compare nothing any more."""
        was_active = self.active
        companion, self._companion, self._quality = self._companion, None, None
        reader, self._reader = self._reader, None
        self._other, self._source, self.psnr_db, self.label = None, None, None, ""
        if companion is not None and companion.state is not SceneState.CLOSED:
            self._stack.close_beside(companion)
        if reader is not None:
            reader.close()
        if was_active:
            self.changed.emit()

    # --- how --------------------------------------------------------------------------------------

    @property
    def layout(self) -> str:
        """ "split", "side" (by side) or "difference"."""
        return self._layout

    @layout.setter
    def layout(self, layout: str) -> None:
        known = [one for one in LAYOUTS if one == layout]
        if not known:
            raise ValueError(f"There is no layout {layout!r}; choose one of {', '.join(LAYOUTS)}.")
        self._layout = known[0]
        self.changed.emit()

    @property
    def share(self) -> float:
        """Where the split is: 0 is the left edge, 1 the right one."""
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        self._share = min(max(finite("The share of the split", share), 0.0), 1.0)
        self.changed.emit()

    # --- for those who draw -----------------------------------------------------------------------

    def pair(
        self, frame: PlaybackFrame, camera: Camera
    ) -> tuple[PlaybackFrame, Camera, OtherSide] | None:
        """The frame and camera to draw, and what they are compared with.

        Args:
            frame: The newest frame of the shown scene.
            camera: The camera of the viewer, at the size of the image.

        Returns:
            The same `OtherSide` while nothing changed; None while the other side has no picture of
            this moment.
        """
        if self._reader is not None:
            found = self._reader.ask(frame, self._camera_name)
            return None if found is None else self._with_picture(found, camera)
        companion = self._companion
        if companion is None or companion.frame is None:
            return None
        other = companion.frame
        if other.index != frame.index or companion.state is SceneState.FAILED:
            return None
        if self._is_new(other, ()):
            self._other = OtherSide(self._layout, self._share, frame=other)
        assert self._other is not None
        return frame, self._halved(camera), self._other

    def report(self, psnr_db: float | None) -> None:
        """Tell how much the two pictures on the screen differ."""
        self.psnr_db = psnr_db
        if psnr_db is not None:
            self.measured.emit(psnr_db)

    def tick(self) -> None:
        """Let the other scene go on, also before its frame is on the screen."""
        companion = self._companion
        if companion is None:
            return
        if companion.state in (SceneState.FAILED, SceneState.CLOSED):
            self.stop()
        elif companion.state not in FINAL and companion.frame is not None:
            companion.painted(companion.frame)

    def _with_picture(
        self, found: FramedPicture, camera: Camera
    ) -> tuple[PlaybackFrame, Camera, OtherSide]:
        assert self._reader is not None
        width = camera.width // 2 if self._layout == "side" else camera.width
        recorded = self._reader.truth.camera(self._camera_name)
        placed, place = fitted(recorded, width, camera.height)
        if self._is_new(found, place):
            picture = shown_picture(found.rgb8, place)
            self._other = OtherSide(self._layout, self._share, picture=picture)
        assert self._other is not None
        return found.frame, placed, self._other

    def _is_new(self, source: object, place: tuple[int, ...]) -> bool:
        """Whether another `OtherSide` is needed than for the last pair."""
        how = (self._layout, self._share, place)
        if source is self._source and how == self._how:
            return False
        self._source, self._how = source, how
        return True

    def _halved(self, camera: Camera) -> Camera:
        return side_camera(camera) if self._layout == "side" else camera
