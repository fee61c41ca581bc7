"""Looped streaming for long, with seeks and outages, in simulated time: nothing grows.

`STGS_SOAK_S=3600` plays for an hour instead of two minutes and prints what was measured.
"""

from __future__ import annotations

import gc
import os
import resource
import threading
from pathlib import Path
from random import Random
from statistics import median

import pytest
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import PlaybackSettings
from streamstgs.codec.errors import SceneUnreachable

from tests.scripted_scene import ScriptedNetwork, ScriptedScene
from tests.scripted_session import WAIT_S, Session
from tests.synthetic import SyntheticSource

SECONDS = float(os.environ.get("STGS_SOAK_S", "120"))
TICK_S = 0.25
CHUNK_S = 5.0
GOPS, FPS = 24, 10.0
OUTAGE_EVERY_S, OUTAGE_S = 60.0, 9.0
SETTLE_IN_OUTAGE_S = 0.01  # of real time
GROWTH_MAX_MIB = 16.0
PROC = Path("/proc/self")


def resident_mib() -> float:
    pages = int((PROC / "statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def descriptors() -> int:
    return len(list((PROC / "fd").iterdir()))


def is_outage(now_s: float) -> bool:
    return now_s % OUTAGE_EVERY_S < OUTAGE_S


def play_on(session: Session) -> int:
    """Let some time pass; the number of frames that were new. An outage is not waited for."""
    shown, last = 0, None
    end_s = session.clock() + CHUNK_S
    while session.clock() < end_s:
        with session.line.passing:
            session.clock.advance(TICK_S)
        disturbed = is_outage(session.clock())
        settled = session.playback.settle(SETTLE_IN_OUTAGE_S if disturbed else WAIT_S)
        assert settled or disturbed or is_outage(session.clock())
        frame = session.playback.tick()
        shown += frame is not None and frame is not last
        last = frame
    return shown


@pytest.mark.skipif(not PROC.exists(), reason="reads memory and descriptors as Linux tells them")
def test_nothing_grows_while_a_stream_loops() -> None:
    """Each loop fetches and decodes everything again, as the buffers hold a part of the scene."""
    rng, refused = Random(7), 0

    def line_of_a_train(line: ScriptedNetwork, name: str) -> None:
        nonlocal refused
        line.bps = rng.choice((0.2e6, 1e6, 4e6, 20e6))
        if is_outage(line.clock()):
            refused += 1
            raise SceneUnreachable(f"{name}: no answer")

    threads, opened = set(threading.enumerate()), descriptors()
    scene = ScriptedScene(SyntheticSource(200, 100, (10,) * GOPS, fps=FPS), static_layers=3)
    bounds = PipelineSettings(SceneBufferSettings(3, packet_bytes=40_000), retry_s=0.001)
    session = Session(scene, 4.0, line_of_a_train, PlaybackSettings(late_s=1e9, pipeline=bounds))
    playback, samples, shown, fetched = session.playback, list[float](), 0, 0
    began_s = session.clock()
    while session.clock() - began_s < SECONDS:
        shown += play_on(session)
        playback.take_events()
        if rng.random() < 0.3:
            playback.seek(rng.uniform(0, GOPS * 10 / FPS), scrubbing=rng.random() < 0.2)
        if rng.random() < 0.1:
            playback.set_speed(rng.choice((0.5, 1.0, 1.0, 2.0, -1.0)))
        fetched += len(scene.fetched)
        for notes in (scene.fetched, scene.decoded, scene.started, scene.cancellations):
            notes.clear()  # what the test writes down is no leak
        session.line.cancelled.clear()
        samples.append(resident_mib())
    playback.close()
    assert session.scene.closed
    third = len(samples) // 3
    growth = median(samples[-third:]) - median(samples[third:-third])
    gc.collect()
    left = set(threading.enumerate()) - threads
    print(
        f"{SECONDS:.0f} s: {shown} frames shown, {fetched} parts fetched, {refused} requests "
        f"refused, growth {growth:.1f} MiB, threads left {len(left)}, descriptors left "
        f"{descriptors() - opened}"
    )
    assert refused > 0
    assert shown > 0.2 * SECONDS / TICK_S
    assert fetched > SECONDS / 10
    assert growth <= GROWTH_MAX_MIB
    assert left == set()
    assert descriptors() <= opened
