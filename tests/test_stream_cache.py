"""What was fetched once is not fetched again; what is damaged is."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamstgs.codec.errors import (
    CodecError,
    CorruptSegment,
    MissingSegment,
    SceneChanged,
    SceneUnreachable,
)
from streamstgs.codec.scene import OpenSettings, Scene, open_scene
from streamstgs.codec.streaming.disk_cache import DATABASE, CacheSettings, DiskCache
from streamstgs.codec.streaming.http.settings import HttpSettings

from tests.cancel_tokens import cancelled_token
from tests.fault_server import Exchange, FaultServer, corrupt, cut_to, silence, status
from tests.served_scene import scene_files

QUICK = HttpSettings(connect_s=2.0, stall_s=1.0, deadline_s=5.0, tries=2, backoff_s=0.001)
VIDEO = "/ball/features/qp20/0001.m4s"
QP = 20


@pytest.fixture
def server() -> Iterator[FaultServer]:
    before = set(threading.enumerate())
    running = FaultServer(scene_files())
    yield running
    running.stop()
    assert set(threading.enumerate()) <= before, "a thread was leaked"


@pytest.fixture
def settings(tmp_path: Path) -> OpenSettings:
    return OpenSettings(http=QUICK, cache=CacheSettings(directory=tmp_path))


WITHOUT_CACHE = OpenSettings(http=QUICK, cache=CacheSettings(max_bytes=0))


def watch(scene: Scene) -> None:
    for gop in range(scene.gop_count):
        scene.decode_gop(gop, scene.quality(QP))


@pytest.mark.parametrize("path", ["/ball", "/ball.stgs"])
def test_a_second_viewing_needs_no_network(
    server: FaultServer, settings: OpenSettings, path: str
) -> None:
    with open_scene(server.url + path, settings) as scene:
        watch(scene)
    first = len(server.requests)
    with open_scene(server.url + path, settings) as scene:
        watch(scene)
    assert len(server.requests) <= first + 2  # only whether it is still the same scene
    server.vanish()
    with open_scene(server.url + path, settings) as scene:
        watch(scene)
        with pytest.raises(SceneUnreachable):
            scene.decode_gop(0, scene.quality(32))
        server.come_back()
        scene.decode_gop(0, scene.quality(32))  # what was not kept comes once the server is back


def test_without_cache_everything_is_fetched_again(server: FaultServer, tmp_path: Path) -> None:
    for _ in range(2):
        with open_scene(f"{server.url}/ball", WITHOUT_CACHE) as scene:
            watch(scene)
    assert server.paths().count(VIDEO) == 2
    assert not list(tmp_path.iterdir())


def test_damage_on_disk_is_found_and_fetched_again(
    server: FaultServer, settings: OpenSettings, tmp_path: Path
) -> None:
    with open_scene(f"{server.url}/ball", settings) as scene:
        watch(scene)
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("UPDATE streams SET chunk_data = zeroblob(length(chunk_data))")
    database.close()
    for asked in (2, 2):  # damaged once, whole afterwards
        with open_scene(f"{server.url}/ball", settings) as scene:
            watch(scene)
        assert server.paths().count(VIDEO) == asked


@pytest.mark.parametrize("rubbish", [b"", b"no database at all" * 1000])
def test_broken_cache_is_replaced(
    server: FaultServer, settings: OpenSettings, tmp_path: Path, rubbish: bytes
) -> None:
    (tmp_path / DATABASE).write_bytes(rubbish)
    for _ in range(2):
        with open_scene(f"{server.url}/ball", settings) as scene:
            watch(scene)
    assert server.paths().count(VIDEO) == 1


def test_unwritable_cache_is_ignored(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    settings = OpenSettings(http=QUICK, cache=CacheSettings(directory=tmp_path / "file"))
    with open_scene(f"{server.url}/ball", settings) as scene:
        watch(scene)


def test_cache_evicts_the_least_recently_used_file(tmp_path: Path) -> None:
    cache = DiskCache(CacheSettings(max_bytes=2_000_000, directory=tmp_path, grace_s=0.0))
    for k in range(100):
        cache.put(f"file {k}", bytes([k]) * 100_000)
        assert cache.get("file 0", 1 << 20) is not None  # used all the time, so it stays
    assert cache.get("file 99", 1 << 20) == bytes([99]) * 100_000
    assert cache.get("file 5", 1 << 20) is None
    cache.put("too large", bytes(600_000))
    assert cache.get("too large", 1 << 20) is None
    assert cache.get("file 99", 99_999) is None  # longer than its reader allows
    cache.close()
    assert (tmp_path / DATABASE).stat().st_size < 2_600_000


@pytest.mark.parametrize("grace_s", [0.0, 10.0])
def test_cache_size_stays_bounded_under_load(tmp_path: Path, grace_s: float) -> None:
    """On the disk, with SQLite's journal, though nothing that is new may be thrown away."""
    bound, most = 20_000_000, [0]
    cache = DiskCache(CacheSettings(bound, tmp_path, grace_s))

    def pour(name: str, size_bytes: int) -> None:
        for k in range(4 * bound // 3 // size_bytes):
            cache.put(f"{name} {k}", bytes(size_bytes))
            most[0] = max(most[0], sum(file.stat().st_size for file in tmp_path.iterdir()))

    sizes = {"small": 150_000, "large": bound // 10, "largest": bound // 10}
    threads = [threading.Thread(target=pour, args=item) for item in sizes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    assert bound * 0.6 < most[0] <= bound


def test_the_cache_is_shared_by_threads_and_programs(tmp_path: Path) -> None:
    settings = CacheSettings(directory=tmp_path)
    one, other = DiskCache(settings), DiskCache(settings)
    found: list[bytes | None] = []

    def use(cache: DiskCache, k: int) -> None:
        cache.put(f"{k}", bytes([k]) * 1000)
        found.append(cache.get(f"{k}", 1000))

    threads = [threading.Thread(target=use, args=(c, k)) for k in range(8) for c in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert sorted(filter(None, found))[::2] == [bytes([k]) * 1000 for k in range(8)]
    one.put("a", b"old")
    other.put("a", b"new")
    assert one.get("a", 10) == b"new"
    one.close()
    other.close()


@pytest.mark.parametrize("path", ["/ball", "/ball.stgs"])
def test_cache_stores_no_addresses(
    server: FaultServer, settings: OpenSettings, tmp_path: Path, path: str
) -> None:
    server.files.update({f"{k}?key=secret": v for k, v in list(server.files.items())})
    with open_scene(f"{server.url}{path}?key=secret", settings) as scene:
        watch(scene)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in kept
    assert b"127.0.0.1" not in kept


# Damage and change on the server


@pytest.mark.parametrize("fault", [corrupt(), cut_to(10, declared=True), status(404)])
def test_a_damaged_answer_is_fetched_again_past_caches(server: FaultServer, fault) -> None:  # type: ignore[no-untyped-def]
    server.faults[VIDEO] = [fault]
    with open_scene(f"{server.url}/ball", WITHOUT_CACHE) as scene:
        scene.decode_gop(1, scene.quality(QP))
    headers = [headers for path, headers in server.requests if path == VIDEO]
    assert [h.get("cache-control") for h in headers] == [None, "no-cache"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (corrupt(), CorruptSegment),
        (cut_to(10, declared=True), CorruptSegment),
        (status(404), MissingSegment),
        (status(503), MissingSegment),  # as the server gives everything else
    ],
)
def test_permanent_error_affects_one_file_only(server: FaultServer, fault, error) -> None:  # type: ignore[no-untyped-def]
    server.always[VIDEO] = fault
    with open_scene(f"{server.url}/ball", WITHOUT_CACHE) as scene:
        with pytest.raises(error, match=r"0001\.m4s"):
            scene.decode_gop(1, scene.quality(QP))
        scene.decode_gop(0, scene.quality(QP))


def exchange_scene(server: FaultServer) -> None:
    """Another scene takes the place of the one that is served."""
    server.files.update(scene_files("hevc"))


def test_file_that_never_arrives_is_abandoned_early(server: FaultServer) -> None:
    """Patience is spent once: past all caches there is a single try."""
    server.always[VIDEO] = silence()
    quick = replace(QUICK, stall_s=0.1, tries=3)
    settings = OpenSettings(http=quick, cache=CacheSettings(max_bytes=0))
    with (
        open_scene(f"{server.url}/ball", settings) as scene,
        pytest.raises(MissingSegment, match="all but this file"),
    ):
        scene.decode_gop(1, scene.quality(QP))
    headers = [headers for path, headers in server.requests if path == VIDEO]
    assert [h.get("cache-control") for h in headers] == [None, None, None, "no-cache"]


@pytest.mark.parametrize("path", ["/ball", "/ball.stgs"])
def test_replaced_scene_raises_scene_changed(
    server: FaultServer, settings: OpenSettings, path: str
) -> None:
    with open_scene(server.url + path, settings) as scene:
        scene.decode_gop(0, scene.quality(QP))
        exchange_scene(server)
        scene.decode_gop(0, scene.quality(QP))  # kept
        with pytest.raises(SceneChanged, match="replaced"):
            scene.decode_gop(1, scene.quality(QP))
    with open_scene(server.url + path, settings) as scene:
        assert scene.manifest.representations[0].codec == "hevc"
        watch(scene)


@pytest.mark.parametrize("path", ["/ball", "/ball.stgs"])
def test_removed_scene_may_return(server: FaultServer, path: str) -> None:
    with open_scene(server.url + path, WITHOUT_CACHE) as scene:
        scene.decode_gop(0, scene.quality(QP))
        server.files.clear()
        with pytest.raises(SceneUnreachable):
            scene.decode_gop(1, scene.quality(QP))
        server.files.update(scene_files())
        scene.decode_gop(1, scene.quality(QP))


def test_a_cached_manifest_is_only_used_when_the_server_is_out_of_reach(
    server: FaultServer, settings: OpenSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with open_scene(f"{server.url}/ball", settings):
        pass
    server.always["/ball/scene.json"] = status(500)
    with caplog.at_level(logging.WARNING), open_scene(f"{server.url}/ball", settings):
        assert "the cached copy" in caplog.text
    server.always["/ball/scene.json"] = status(404)
    with pytest.raises(CodecError):
        open_scene(f"{server.url}/ball", settings)


def test_silent_server_does_not_delay_a_cached_scene(
    server: FaultServer,
    settings: OpenSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with open_scene(f"{server.url}/ball", settings) as scene:
        watch(scene)
    monkeypatch.setattr("streamstgs.codec.streaming.scene_files.OFFLINE_S", 0.1)
    server.always["/ball/scene.json"] = silence()
    patient = replace(settings, http=HttpSettings(stall_s=600.0, deadline_s=600.0))
    with open_scene(f"{server.url}/ball", patient) as scene:
        watch(scene)
    assert "did not answer in 0.1 s" in caplog.text


def test_reading_stops_when_cancelled_before_it_begins(server: FaultServer) -> None:
    with open_scene(f"{server.url}/ball", WITHOUT_CACHE) as scene:
        with pytest.raises(InterruptedError):
            scene.decode_gop(0, scene.quality(QP), cancel=cancelled_token())
        scene.decode_gop(0, scene.quality(QP))


def test_fault_server_answers_ranges() -> None:
    """`Exchange` is the server of these tests: it must speak ranges as real ones do."""
    exchange = Exchange("/a", {"range": "bytes=-3"}, b"0123456789", None)  # type: ignore[arg-type]
    assert (exchange.status, exchange.body) == (206, b"789")
    assert exchange.extra["Content-Range"] == "bytes 7-9/10"
