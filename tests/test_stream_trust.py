"""What servers may do and what they may not: short answers, redirects, shared caches."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from streamstgs.codec.errors import SceneChanged, SceneUnreachable
from streamstgs.codec.limits import Limits
from streamstgs.codec.streaming.archive import ArchiveContainer
from streamstgs.codec.streaming.disk_cache import DATABASE, CacheSettings, DiskCache
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.containers import HttpContainer, HttpRanges
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.locate import open_remote
from streamstgs.codec.streaming.transport import ByteRange

from tests.golden.make_golden import golden_scene

QUICK = HttpSettings(backoff_s=0.001, connect_s=0.5, stall_s=2.0, deadline_s=20.0)
DATA = bytes(range(256)) * 40
Answer = Callable[[httpx.Request], httpx.Response]


@contextmanager
def transport(answer: Answer, settings: HttpSettings = QUICK) -> Iterator[HttpTransport]:
    made = HttpTransport(settings, httpx.MockTransport(answer))
    try:
        yield made
    finally:
        made.close()


def ranges_of(data: bytes, most: int, form: str = "bytes {}-{}/{}", **headers: str) -> Answer:
    """A server that answers ranges with at most `most` bytes at a time."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", "bytes=0-"))
        assert asked is not None
        if asked[1]:
            first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        else:
            first, last = max(len(data) - int(asked[2]), 0), len(data) - 1
        last = min(last, len(data) - 1, first + most - 1)
        told = {"Content-Range": form.format(first, last, len(data))} | headers
        body = httpx.ByteStream(data[first : last + 1])
        return httpx.Response(206, headers=told, stream=body)

    return answer


@pytest.mark.parametrize("most", [1, 37, 4096])
@pytest.mark.parametrize("wanted", [ByteRange(0, 200), ByteRange(5, 128), None])
def test_short_parts_are_completed(most: int, wanted: ByteRange | None) -> None:
    data = DATA[:300]
    with transport(ranges_of(data, most)) as files:
        reply = files.get("http://x/a", 300, byte_range=wanted)
    end = len(data) if wanted is None else wanted.last + 1
    assert reply.content == data[wanted.first if wanted and wanted.first else 0 : end]


@pytest.mark.parametrize("form", ["bytes {}-{}/*", "BYTES {}-{}/{}", "Bytes  {}-{}/{}"])
def test_content_range_may_leave_the_length_open(form: str) -> None:
    archive = golden_scene("h264").read_bytes()
    with transport(ranges_of(archive, len(archive), form)) as files:
        ranges = HttpRanges("http://x/a.stgs", files)
        assert ranges.size_bytes == len(archive)
        scene = ArchiveContainer(ranges, Limits())
        assert scene.read("scene.json", 1 << 20).startswith(b"{")


def without_last_bytes(data: bytes, answer_to_them: Answer) -> tuple[Answer, list[str]]:
    """A server that knows ranges, but not "the last n bytes" as one."""
    plain, asked = ranges_of(data, len(data)), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("Range", "")
        asked.append(wanted)
        return answer_to_them(request) if wanted.startswith("bytes=-") else plain(request)

    return answer, asked


@pytest.mark.parametrize("status", [200, 206, 400, 416, 501])
def test_last_bytes_are_asked_for_by_their_place_too(status: int) -> None:
    archive = bytes(100_000) + golden_scene("h264").read_bytes()  # longer than its tail

    def refuse(request: httpx.Request) -> httpx.Response:
        told = {"Content-Range": f"bytes 0-99/{len(archive)}"} if status == 206 else {}
        body = httpx.ByteStream(archive[:100] if status == 206 else archive)
        return httpx.Response(status, headers=told, stream=body)

    answer, asked = without_last_bytes(archive, refuse)
    with transport(answer) as files:
        scene = ArchiveContainer(HttpRanges("http://x/a.stgs", files), Limits())
        assert scene.read("scene.json", 1 << 20).startswith(b"{")
    assert asked[1] == "bytes=0-0"


@pytest.mark.parametrize("status", [200, 400, 405, 501])
def test_server_without_ranges_is_asked_twice_and_named(status: int) -> None:
    asked = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Range"])
        return httpx.Response(status, stream=httpx.ByteStream(DATA))

    with transport(answer) as files, pytest.raises(SceneUnreachable, match="byte ranges"):
        HttpRanges("http://x/a.stgs", files)
    assert asked == ["bytes=-65536", "bytes=0-0"]


def test_content_encoding_of_an_upload_is_ignored() -> None:
    answer = ranges_of(DATA, len(DATA), **{"Content-Encoding": "aws-chunked"})
    with transport(answer) as files:
        assert files.get("http://x/a", len(DATA)).content == DATA
    answer = ranges_of(DATA, len(DATA), **{"Content-Encoding": "aws-chunked, gzip"})
    with transport(answer) as files, pytest.raises(SceneUnreachable, match="compresses"):
        files.get("http://x/a", len(DATA))


def redirect_to(location: str) -> tuple[Answer, list[str]]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if len(asked) > 1:
            return httpx.Response(200, stream=httpx.ByteStream(b"secret"))
        return httpx.Response(302, headers={"Location": location})

    return answer, asked


@pytest.mark.parametrize(
    "inside",
    ["http://127.0.0.1/", "http://[::1]:80/", "http://192.168.0.1/", "http://10.1.2.3/",
     "http://169.254.169.254/latest", "http://localhost/", "http://0.0.0.0/", "http://100.64.0.1/",
     "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:c0a8:1::]/",
     "http://[fe80::1]/", "http://[fd00::1]/", "http://2130706433/", "http://127.1/", "http://0/"],
)  # fmt: skip
def test_redirect_from_the_internet_into_the_own_network_is_refused(inside: str) -> None:
    answer, asked = redirect_to(inside)
    with transport(answer) as files, pytest.raises(SceneUnreachable, match="own network"):
        files.get("http://8.8.8.8/scene.json", 100)
    assert asked == ["http://8.8.8.8/scene.json"]


@pytest.mark.parametrize(
    ("here", "there"),
    [("http://192.168.0.1/a", "http://127.0.0.1/a"), ("http://8.8.8.8/a", "http://8.8.4.4/a")],
)
def test_other_redirects_are_followed(here: str, there: str) -> None:
    answer, asked = redirect_to(there)
    with transport(answer) as files:
        assert files.get(here, 100).content == b"secret"
    assert asked == [here, there]


def test_redirect_with_a_login_is_refused() -> None:
    answer, asked = redirect_to("http://admin:admin@192.168.0.2/")
    with transport(answer) as files, pytest.raises(SceneUnreachable, match="login") as refusal:
        files.get("http://192.168.0.1/a", 100)
    assert "admin" not in str(refusal.value)
    assert len(asked) == 1


def test_cache_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o755)
    (directory / DATABASE).touch(mode=0o644)
    cache = DiskCache(CacheSettings(directory=directory))
    cache.put("a", b"content")
    assert cache.get("a", 100) == b"content"
    cache.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in directory.glob(f"{DATABASE}*")} == {0o600}


def test_locked_cache_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(CacheSettings(directory=tmp_path))
    cache.put("a", b"content")
    cache.close()
    connect = sqlite3.connect

    def impatient(*arguments: object, **named: object) -> sqlite3.Connection:
        return connect(*arguments, **named, timeout=0.05)  # type: ignore[call-overload]

    other = connect(str(tmp_path / DATABASE), isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", impatient)
    DiskCache(CacheSettings(directory=tmp_path)).close()
    other.execute("ROLLBACK")
    other.close()
    kept = DiskCache(CacheSettings(directory=tmp_path))
    assert kept.get("a", 100) == b"content"
    kept.close()


def scene_server(manifest: list[bytes], files: dict[str, bytes]) -> Answer:
    """Serves the latest manifest as scene.json, and files by their path and query."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("scene.json"):
            return httpx.Response(200, stream=httpx.ByteStream(manifest[-1]))
        content = files.get(request.url.raw_path.decode())
        return (
            httpx.Response(404)
            if content is None
            else httpx.Response(200, stream=httpx.ByteStream(content))
        )

    return answer


def test_only_a_checked_manifest_is_kept_for_the_next_opening(tmp_path: Path) -> None:
    """Whole files of the old version play without the server, an unchecked new one may not."""
    from streamstgs.codec.package.file_entry import FileEntry

    old, new = b'{"version": "old"}', b'{"version": "new"}'
    manifest, files = [old], {"/scene/a.bin": b"first"}
    cache, hasty = CacheSettings(directory=tmp_path), HttpSettings(tries=1, backoff_s=0.001)
    silences = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal silences
        silences -= 1
        if silences >= 0:
            raise httpx.ConnectError("no route")
        return scene_server(manifest, files)(request)

    with transport(answer, hasty) as network:
        scene = open_remote("http://x/scene", Limits(), network, cache)
        scene.accept(scene.manifest)
        scene.close()
    manifest.append(new)
    files["/scene/a.bin"] = b"other"
    silences = 1
    with transport(answer, hasty) as network:
        scene = open_remote("http://x/scene", Limits(), network, cache)
        assert scene.manifest == old
        with pytest.raises(SceneChanged):
            scene.read(FileEntry.of("a.bin", b"first"))
        scene.close()
    for accepted, kept in ((False, old), (True, new)):
        silences = 0
        with transport(answer, hasty) as network:
            scene = open_remote("http://x/scene", Limits(), network, cache)
            assert scene.manifest == new
            if accepted:
                scene.accept(new)
            scene.close()
        silences = 1
        with transport(answer, hasty) as network:
            scene = open_remote("http://x/scene", Limits(), network, cache)
            assert scene.manifest == kept
            scene.close()


def test_scenes_with_different_queries_share_no_cache(tmp_path: Path) -> None:
    from streamstgs.codec.package.file_entry import FileEntry

    manifest = [b"{}"]
    mine, yours = b"mine!", b"yours"
    files = {"/get/a.bin?tenant=a": mine, "/get/a.bin?tenant=b": yours}
    cache = CacheSettings(directory=tmp_path)
    forged = FileEntry("a.bin", 5, FileEntry.of("a.bin", mine).crc32)
    with transport(scene_server(manifest, files)) as network:
        scene = open_remote("http://x/get?tenant=a", Limits(), network, cache)
        assert scene.read(forged) == mine
        scene.close()
    with transport(scene_server(manifest, files)) as network:
        scene = open_remote("http://x/get?tenant=b", Limits(), network, cache)
        assert not scene.is_cached(forged)
        scene.close()


def test_upper_case_suffix_is_an_archive(tmp_path: Path) -> None:
    archive = golden_scene("h264").read_bytes()
    with transport(ranges_of(archive, len(archive))) as network:
        cache = CacheSettings(directory=tmp_path)
        scene = open_remote("http://x/SCENE.STGS", Limits(), network, cache)
        assert scene.manifest.startswith(b"{")
        scene.close()


def test_directory_is_read_through_its_query() -> None:
    with transport(scene_server([b"{}"], {"/s/a?x=1": b"content"})) as network:
        assert HttpContainer("http://x/s?x=1", network).read("a", 100) == b"content"
