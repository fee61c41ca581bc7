"""Every decode has a time budget, and can be cancelled between two images or frames."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled, CorruptSegment
from streamstgs.codec.limits import DECODE_S, DECODE_SAMPLES_PER_S
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.scene_decoder import SceneDecoder
from streamstgs.codec.sound.sound_coding import decode_sound, encode_sound
from streamstgs.codec.time_budget import TimeBudget

from tests.cancel_tokens import cancelled_token
from tests.golden.make_golden import PATHS

PARTS = ("static", "keyframe", "features")
Decode = Callable[[CancelToken], object]


def steps_of(step_s: float) -> Callable[[], float]:
    """A clock that begins at 0 and goes on by a step each time it is read."""
    readings = itertools.count()
    return lambda: step_s * next(readings)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with open_scene(PATHS) as opened:
        yield opened


def decode_of(scene: Scene, part: str, clock: Callable[[], float]) -> Decode:
    """Decodes a part of the scene by a clock."""
    decoder = SceneDecoder(scene.manifest, monotonic=clock)
    if part == "static":
        data = scene.fetch_static(0)
        return lambda cancel: decoder.static(0, data, cancel)
    if part == "keyframe":
        keyframe = scene.fetch_keyframe(0)
        return lambda cancel: decoder.keyframe(0, keyframe, cancel)
    features = scene.fetch_features(0, scene.qualities[0])
    return lambda cancel: decoder.features(0, features, cancel)


@pytest.mark.parametrize("part", PARTS)
def test_decode_that_takes_too_long_is_a_broken_segment(scene: Scene, part: str) -> None:
    with pytest.raises(CorruptSegment, match=r"Given up after 10 s: decoding \w+/"):
        decode_of(scene, part, steps_of(DECODE_S / 3))(NEVER)


@pytest.mark.parametrize("part", PARTS)
def test_slow_decode_within_its_budget_ends(scene: Scene, part: str) -> None:
    assert decode_of(scene, part, steps_of(DECODE_S / 1000))(NEVER) is not None


@pytest.mark.parametrize("part", PARTS)
def test_decode_is_cancelled_between_images_or_frames(scene: Scene, part: str) -> None:
    with pytest.raises(Cancelled):
        decode_of(scene, part, steps_of(0.0))(cancelled_token())
    token, readings = CancelToken(), itertools.count()

    def clock() -> float:
        if next(readings) == 3:  # the token is looked at before each image or frame, then the clock
            token.cancel()
        return 0.0

    with pytest.raises(Cancelled):
        decode_of(scene, part, clock)(token)
    assert next(readings) == 4


def test_budget_grows_with_the_declared_size() -> None:
    small, large = TimeBudget(0, NEVER), TimeBudget(60_000_000, NEVER)
    assert small.seconds == DECODE_S
    assert large.seconds - small.seconds == pytest.approx(60_000_000 / DECODE_SAMPLES_PER_S)


def test_sound_that_takes_too_long_is_a_broken_segment() -> None:
    init, _, segments = encode_sound(np.zeros((9600, 2), np.int16))
    media, count = segments[0]
    budget = TimeBudget(2 * count, NEVER, steps_of(DECODE_S / 3))
    with pytest.raises(CorruptSegment, match=r"Given up after 10 s: decoding sound/0"):
        decode_sound(init, None, media, (2, 0, count), "sound/0", budget)
