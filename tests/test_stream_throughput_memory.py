"""The throughput of hosts that is remembered between sessions."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.throughput_memory import FILE, MemorySettings, ThroughputMemory

from tests.scripted_session import Start

pytest_plugins = ["tests.session_fixtures"]

DAY_S = 86_400.0


class Clock:
    now_s = 1e9

    def __call__(self) -> float:
        return self.now_s


def memory(folder: Path, clock: Clock) -> ThroughputMemory:
    return ThroughputMemory(MemorySettings(folder), clock)


def test_throughput_is_recalled_by_another_session_and_fades_with_age(tmp_path: Path) -> None:
    clock = Clock()
    memory(tmp_path, clock).remember("example.org", 8e6, 30.0)
    again = memory(tmp_path, clock)
    assert again.recall("example.org") == pytest.approx(8e6)
    assert again.recall("example.com") is None
    clock.now_s += 7 * DAY_S
    assert again.recall("example.org") == pytest.approx(4e6)
    clock.now_s += 60 * DAY_S
    assert again.recall("example.org") is None


def test_short_sessions_and_impossible_values_are_not_remembered(tmp_path: Path) -> None:
    store = memory(tmp_path, Clock())
    for host, bps, seconds in (("a", 8e6, 0.5), ("a", 0.0, 9.0), ("a", float("nan"), 9.0)):
        store.remember(host, bps, seconds)
    store.remember("", 8e6, 9.0)
    assert not (tmp_path / FILE).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_file_is_readable_for_its_owner_only_and_names_hosts_only(tmp_path: Path) -> None:
    memory(tmp_path, Clock()).remember("example.org:8000", 8e6, 30.0)
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "hosts": {"example.org:8000": {"bps": 8000000, "seen_s": 1e9}}
    }
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[1, 2]",
        b'{"hosts": 3}',
        b'{"hosts": {"a": {"bps": "fast"}}}',
        b"[" * 50_000,
        b" " * 70_000,
        b"\xff\xfe",
    ],
)
def test_corrupt_file_is_ignored_and_replaced(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(content)
    store = memory(tmp_path, Clock())
    with caplog.at_level("INFO"):
        assert store.recall("example.org") is None
    assert "cannot be read" in caplog.text
    store.remember("example.org", 8e6, 30.0)
    assert store.recall("example.org") == pytest.approx(8e6)


def test_values_out_of_range_are_left_out(tmp_path: Path) -> None:
    entries = {
        "slow": {"bps": 0.0, "seen_s": 1e9},
        "endless": {"bps": 1e999, "seen_s": 1e9},
        "future": {"bps": 8e6, "seen_s": 2e9},
        "right": {"bps": 8e6, "seen_s": 1e9},
    }
    (tmp_path / FILE).write_text(json.dumps({"hosts": entries}))
    store = memory(tmp_path, Clock())
    known = [host for host in entries if store.recall(host) is not None]
    assert known == ["right"]


def test_only_the_most_recent_hosts_are_kept(tmp_path: Path) -> None:
    clock = Clock()
    settings = replace(MemorySettings(tmp_path), most_hosts=3)
    store = ThroughputMemory(settings, clock)
    for k in range(5):
        clock.now_s += 1.0
        store.remember(f"host{k}", 8e6, 30.0)
    known = [k for k in range(5) if store.recall(f"host{k}") is not None]
    assert known == [2, 3, 4]


def test_unwritable_folder_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    store = memory(blocked, Clock())
    store.remember("example.org", 8e6, 30.0)
    assert store.recall("example.org") is None


def opening(folder: Path, most_bytes: int = 1 << 20) -> OpenSettings:
    return OpenSettings(cache=CacheSettings(most_bytes, folder))


def test_playback_remembers_its_server_when_it_is_closed(start: Start, tmp_path: Path) -> None:
    session = start(mbps=0.05, opening=opening(tmp_path))
    session.play(10.0)
    session.playback.close()
    bps = ThroughputMemory(MemorySettings(tmp_path)).recall("scripted")
    assert bps == pytest.approx(0.05e6, rel=0.05)


def test_playback_expects_the_throughput_of_the_last_session(tmp_path: Path) -> None:
    ThroughputMemory(MemorySettings(tmp_path)).remember("127.0.0.1:9", 8e6, 30.0)
    for most_bytes, expected in ((1 << 20, 8e6), (0, 0.0)):  # 0: nothing is kept, nothing read
        settings = PlaybackSettings(opening=opening(tmp_path, most_bytes))
        playback = Playback("http://127.0.0.1:9/scene", settings)
        try:
            assert playback._pipeline.throughput_bps() == pytest.approx(expected, rel=1e-3)
        finally:
            playback.close()
