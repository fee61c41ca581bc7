"""Measurements over time, and the bug report."""

from __future__ import annotations

import logging
import os
from dataclasses import replace

import pytest
from streamstgs.app.player.measuring.bug_report import RecentLog, bug_report
from streamstgs.app.player.measuring.history import (
    LENGTH_S,
    PERIOD_S,
    StatisticsHistory,
    percentile,
)
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.codec.quality import Quality

QUALITY = Quality(1, 24, 2e6, None)
STATUS = PlaybackStatus(
    state=PlaybackState.PLAYING, position_s=1.0, duration_s=4.0, frame=24, frames=96, fps=24.0,
    speed=1.0, loop=True, buffered_s=(), gop_starts_s=(), qualities=(QUALITY,), quality=QUALITY,
    auto=True, quality_reason="", decode_ms=1.0, late_frames=0, corrupt_segments=0,
    fetch_reason="the network carries it", throughput_bps=5e6, ahead_s=2.5,
)  # fmt: skip


def test_history_tells_the_times_between_images() -> None:
    history = StatisticsHistory()
    now_s = 10.0
    for number in range(21):
        history.image_painted(now_s)
        now_s += 0.1 if number == 10 else 0.02
    history.take(STATUS, now_s)
    (sample,) = history.samples
    assert sample.frame_ms == pytest.approx((20.0, 20.0, 100.0))
    assert (sample.bitrate_bps, sample.throughput_bps, sample.ahead_s) == (2e6, 5e6, 2.5)
    assert (sample.quality, sample.reason) == (1, "the network carries it")


def test_a_pause_is_no_slow_image() -> None:
    history = StatisticsHistory()
    history.image_painted(1.0)
    history.image_painted(60.0)
    history.take(None, 60.1)
    assert history.samples[0].frame_ms is None


def test_history_keeps_two_minutes_and_one_sample_a_period() -> None:
    history = StatisticsHistory()
    for step in range(2000):
        history.take(STATUS, step * PERIOD_S / 2)
    samples = history.samples
    assert len(samples) == LENGTH_S / PERIOD_S
    assert samples[-1].time_s - samples[0].time_s == pytest.approx(LENGTH_S, abs=1.0)


def test_missing_measurements_are_none() -> None:
    history = StatisticsHistory()
    history.take(replace(STATUS, throughput_bps=0.0, quality=None), 1.0)
    sample = history.samples[0]
    assert (sample.throughput_bps, sample.bitrate_bps, sample.quality) == (None, None, None)


def test_percentile_is_a_measured_value() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.95) == 95.0
    assert percentile([7.0], 0.95) == 7.0


def test_bug_report_names_versions_and_hides_secrets() -> None:
    home = os.path.expanduser("~")
    recent = RecentLog()
    logger = logging.getLogger("streamstgs.tests")
    logger.addHandler(recent)
    try:
        logger.info("not kept")
        for number in range(100):
            logger.warning("warning %d in %s/a.stgs", number, home)
    finally:
        logger.removeHandler(recent)
    rows = [("Renderer", "cpu")]
    report = bug_report("Version 1", "https://u:secret@host/a", rows, tuple(recent.lines))
    for part in ("Version 1", "Python 3.", "torch 2.", "- Renderer: cpu", "warning 99 in ~/a.stgs"):
        assert part in report
    assert "secret" not in report
    assert "warning 5 " not in report
    assert home not in report
