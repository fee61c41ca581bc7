"""Comparisons without a window: two qualities, two scenes, and a scene with its capture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from streamstgs.app.player.compare.ground_truth import fitted, resized
from streamstgs.app.player.compare.two_sides import composed, psnr_db, side_camera
from streamstgs.app.player.errors import NoSceneError
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.renderer import Camera
from streamstgs.renderer.backends.reference import ReferenceBackend
from streamstgs.trainer.datasets.capture import Capture, CapturedView
from streamstgs.trainer.errors import CaptureError

from streamstgs.api.capture_truth import CaptureTruth
from tests.scripted_scene import ScriptedScene
from tests.synthetic import SyntheticSource

WAIT_S = 60.0
SIZE = (64, 36)
UP = torch.tensor([0.0, -1.0, 0.0])
RECORDED = Camera.look_at(torch.tensor([0.4, 0.0, -4.0]), torch.zeros(3), UP, 0.7, 48, 48)


def scripted(location: str, clock: PlaybackClock) -> Playback:
    """The location "other" is a scene of other Gaussians."""
    source = SyntheticSource(30, 20, (10, 10, 10, 10, 5), fps=10.0)
    scene = ScriptedScene(source) if location == "other" else ScriptedScene()
    return Playback(location, PlaybackSettings(), opener=lambda _: scene, clock=clock)


@pytest.fixture
def opened() -> Iterator[ViewerModel]:
    model = ViewerModel(scripted)
    model.open("ball", play=False)
    model.settle(WAIT_S)
    yield model
    model.close()


def drawn(model: ViewerModel, beside: bool, camera: Camera | None = None) -> np.ndarray:
    """What the reference backend draws of the shown scene, or of the one beside it."""
    frame = model.companions[0].frame if beside else model.frame
    assert frame is not None
    renderer = FrameRenderer(ReferenceBackend())
    seen_by = camera or model.camera.to_camera(*SIZE)
    image = renderer.render(RenderRequest(frame, seen_by, model.render_settings())).rgb8
    renderer.close()
    return np.asarray(image)


def test_two_scenes_are_equal_to_their_own_renders(opened: ViewerModel) -> None:
    opened.comparison.with_scene("other")
    assert opened.compares
    opened.comparison.share = 0.25
    split = opened.screenshot(*SIZE, backend="reference")
    ours, theirs = drawn(opened, False), drawn(opened, True)
    assert np.array_equal(split[:, :16], ours[:, :16])
    assert np.array_equal(split[:, 16:], theirs[:, 16:])
    assert not np.array_equal(ours, theirs)
    opened.comparison.layout = "side"
    sides = opened.screenshot(*SIZE, backend="reference")
    half = side_camera(opened.camera.to_camera(*SIZE))
    assert np.array_equal(sides[:, :32], drawn(opened, False, half))
    assert np.array_equal(sides[:, 32:], drawn(opened, True, half))
    opened.comparison.layout = "difference"
    apart = opened.screenshot(*SIZE, backend="reference")
    expected = np.minimum(4 * np.abs(ours.astype(int) - theirs), 255)
    assert np.array_equal(apart, expected)
    assert opened.comparison.psnr_db == pytest.approx(psnr_db(ours, theirs))
    opened.comparison.stop()
    assert not opened.compares
    assert np.array_equal(opened.screenshot(*SIZE, backend="reference"), ours)


def test_both_sides_are_in_step(opened: ViewerModel) -> None:
    opened.comparison.with_scene("other")
    for seconds in (1.3, 3.0, 0.2):
        opened.transport.seek(seconds)
        opened.screenshot(*SIZE, backend="reference")
        companion = opened.companions[0].frame
        assert opened.frame is not None
        assert companion is not None
        assert companion.index == opened.frame.index == round(10 * seconds)


def test_quality_of_the_other_side_is_left_alone(opened: ViewerModel) -> None:
    low, high = opened.quality.available[0], opened.quality.available[-1]
    opened.comparison.with_quality(low)
    opened.screenshot(*SIZE, backend="reference")
    opened.quality.choice = high
    opened.settle(WAIT_S)
    opened.screenshot(*SIZE, backend="reference")
    beside = opened.companions[0]
    assert beside.frame is not None
    assert beside.frame.quality == low
    opened.comparison.with_quality(high)
    assert len(opened.companions) == 1
    with pytest.raises(ValueError, match="layout"):
        opened.comparison.layout = "onion"


def test_another_scene_ends_the_comparison(opened: ViewerModel) -> None:
    opened.comparison.with_scene("other")
    opened.open("ball", play=False)
    opened.settle(WAIT_S)
    opened.tick()
    assert not opened.compares
    assert not opened.companions
    empty = ViewerModel(scripted)
    with pytest.raises(NoSceneError):
        empty.comparison.with_scene("other")


class Recording:
    """Frames of a camera: frame k is grey k."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, ...]] = []
        self.broken = False

    def read(self, frames: range) -> np.ndarray:
        if self.broken:
            raise CaptureError("cam01 has no frame 3")
        self.reads.append(tuple(frames))
        return np.stack([np.full((48, 48, 3), frame, np.uint8) for frame in frames])

    def check(self, count: int) -> None:
        pass


def captured(recording: Recording) -> CaptureTruth:
    views = tuple(
        CapturedView(name, split, RECORDED, recording)
        for name, split in (("cam00", "train"), ("cam01", "test"))
    )
    up, center = (0.0, -1.0, 0.0), (0.0, 0.0, 0.0)
    return CaptureTruth(Capture("test", views, 10.0, 45, up, center, None))


def test_pictures_of_a_capture_are_read_in_blocks() -> None:
    recording = Recording()
    truth = captured(recording)
    assert truth.names == ("cam01", "cam00")  # what training did not see comes first
    assert [int(truth.picture("cam01", k)[0, 0, 0]) for k in (3, 4, 9, 100)] == [3, 4, 9, 44]
    assert recording.reads == [tuple(range(8)), tuple(range(8, 16)), tuple(range(40, 45))]
    with pytest.raises(KeyError):
        truth.camera("cam99")


def test_capture_is_shown_from_its_camera_with_its_psnr(opened: ViewerModel) -> None:
    recording = Recording()
    opened.transport.seek(1.0)
    opened.comparison.with_capture(captured(recording))
    opened.comparison.share = 0.0
    picture = opened.screenshot(*SIZE, backend="reference")
    assert picture[18, 32].tolist() == [10, 10, 10]  # frame 10 at 1 s
    assert picture[18, 5].tolist() == [0, 0, 0]  # beside the square picture
    opened.comparison.share = 1.0
    ours = opened.screenshot(*SIZE, backend="reference")
    camera, place = fitted(RECORDED, *SIZE)
    assert np.array_equal(ours, drawn(opened, False, camera))
    left, top, width, height = place
    inside = ours[top : top + height, left : left + width]
    grey = np.full_like(inside, 10)
    assert opened.comparison.psnr_db == pytest.approx(psnr_db(inside, grey))
    warned: list[str] = []
    opened.warned.connect(warned.append)
    recording.broken = True
    opened.transport.seek(3.0)
    opened.settle(WAIT_S)
    while not warned:
        opened.tick()
        assert opened.frame is not None
        opened.comparison.pair(opened.frame, opened.camera.to_camera(*SIZE))
    assert "no frame 3" in warned[0]


def test_cameras_fit_and_pictures_keep_their_brightness() -> None:
    camera, (left, top, width, height) = fitted(RECORDED, 100, 50)
    assert (left, top, width, height) == (25, 0, 50, 50)
    assert camera.K[0, 2] == pytest.approx(50.0)
    grey = torch.full((40, 40, 3), 77, dtype=torch.uint8)
    assert bool((resized(grey, 13, 17) == 77).all())
    assert resized(grey, 40, 40) is grey


def test_tensors_and_arrays_are_composed_alike() -> None:
    one, other = (torch.randint(0, 256, (6, 8, 3), dtype=torch.uint8) for _ in range(2))
    for layout in ("split", "side", "difference"):
        tensor = composed(one, other, layout, 0.5)  # type: ignore[arg-type]
        array = composed(one.numpy(), other.numpy(), layout, 0.5)  # type: ignore[arg-type]
        assert np.array_equal(tensor.numpy(), array)
    assert psnr_db(one, one) == 99.0
