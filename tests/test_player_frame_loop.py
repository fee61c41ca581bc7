"""Features that are switched off cost the frame loop nothing: it calls what it called before."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from streamstgs.app.player import viewer_model
from streamstgs.app.player.camera.track import capture
from streamstgs.app.player.film.markers import Marker
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.time_track import TimeKey
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0
SIZE = (32, 18)


def opened() -> ViewerModel:
    def playback(location: str, clock: PlaybackClock) -> Playback:
        return Playback(location, PlaybackSettings(), opener=lambda _: ScriptedScene(), clock=clock)

    model = ViewerModel(playback)
    model.open("ball", play=False)
    model.settle(WAIT_S)
    return model


def calls_of_a_frame(model: ViewerModel, renderer: FrameRenderer) -> Counter[str]:
    """How often each function of the player and the renderer is called for one image.

    Time stands meanwhile, because statuses are published every so many milliseconds.
    """
    calls: Counter[str] = Counter()
    now_s = time.monotonic()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and "/renderer/" in (file := frame.f_code.co_filename):
            calls[f"{file}:{frame.f_code.co_qualname}"] += 1
        elif event == "call" and "/player/" in frame.f_code.co_filename:
            calls[f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}"] += 1

    def one_image() -> None:
        frame = model.tick(0.016)
        assert frame is not None
        request = RenderRequest(frame, model.picture_camera(*SIZE), model.render_settings())
        model.frame_painted(renderer.render(request).request.frame)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(viewer_model.time, "monotonic", lambda: now_s)
        one_image()  # what is made at the first image is not counted
        sys.setprofile(count)
        try:
            one_image()
        finally:
            sys.setprofile(None)
    return calls


def use_everything(model: ViewerModel) -> None:
    """Switch each feature on, show an image with it, and switch it off again."""
    options = model.options
    for name, value, off in (
        ("mode", "depth", "color"),
        ("exposure", 1.0, 0.0),
        ("splat_scale", 0.5, 1.0),
        ("crop", ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)), None),
        ("background", "#204060", "scene"),
        ("stereo", "side-by-side", "off"),
    ):
        setattr(options, name, value)
        model.screenshot(*SIZE, backend="reference")
        setattr(options, name, off)
    model.track.add(capture(model.camera, 0.0))
    model.time_track.add(TimeKey(0.0, 0.1))
    model.time_track.add(TimeKey(0.2, 0.1))
    model.film.play()
    model.tick(0.016)
    model.film.stop()
    model.history.undo()
    model.time_track.clear()
    model.track.clear()
    model.markers.add(Marker(0.1, "here"))
    model.follows_track = True
    model.tick(0.016)
    model.follows_track = False
    model.camera.flies = True
    model.tick(0.016)
    model.camera.flies = False
    model.comparison.with_quality(model.quality.available[0])
    model.screenshot(*SIZE, backend="reference")
    model.comparison.stop()
    model.transport.seek(0.0)
    model.settle(WAIT_S)


def test_features_that_are_off_add_no_call_to_a_frame() -> None:
    fresh, used = opened(), opened()
    renderers = [FrameRenderer(ReferenceBackend()) for _ in range(2)]
    try:
        use_everything(used)
        before, after = (
            calls_of_a_frame(model, renderer)
            for model, renderer in zip((fresh, used), renderers, strict=True)
        )
        assert sum(before.values()) > 50
        assert after == before
        used.options.mode = "depth"  # the count tells a feature that is on
        assert calls_of_a_frame(used, renderers[1]) != before
    finally:
        for renderer in renderers:
            renderer.close()
        fresh.close()
        used.close()
