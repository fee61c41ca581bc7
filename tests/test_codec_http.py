"""Scenes over HTTP: from the development server, and through every fault a server can have."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from streamstgs.codec.errors import (
    Cancelled,
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneUnreachable,
    ServeError,
)
from streamstgs.codec.limits import Limits
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.archive import ArchiveContainer
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.containers import HttpContainer, HttpRanges
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.server.development_server import application, serve

from tests.cancel_tokens import cancelled_when
from tests.golden.make_golden import golden_scene

IMPATIENT = HttpSettings(connect_s=2.0, stall_s=2.0, deadline_s=5.0, tries=3, backoff_s=0.001)
SETTINGS = OpenSettings(http=IMPATIENT, cache=CacheSettings(max_bytes=0))


class Server:
    """The development server in a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(application(directory))
        self.url = self._loop.run_until_complete(self._start())
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def _start(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    shutil.copy(golden_scene("hevc"), root / "ball.stgs")
    with zipfile.ZipFile(golden_scene("hevc")) as archive:
        archive.extractall(root / "ball")
    (root.parent / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    running = Server(root)
    yield running
    running.stop()


@pytest.mark.parametrize(
    "path",
    [
        "ball.stgs",
        "ball",
        "ball/",
        "ball/scene.json",
        "ball/scene.mpd",
        "ball.stgs?key=1",
        "ball#start",
        "ball.stgs#start",
        "ball/scene.json#start",
    ],
)
def test_scene_over_http_is_the_scene_on_disk(server: Server, path: str) -> None:
    with (
        open_scene(f"{server.url}/{path}", SETTINGS) as far,
        open_scene(golden_scene("hevc")) as near,
    ):
        assert far.manifest == near.manifest
        one, other = far.decode_gop(1, far.quality(20)), near.decode_gop(1, near.quality(20))
        assert (one.features == other.features).all()
        assert (one.static.means == other.static.means).all()


def test_missing_files_on_a_server_are_no_scene(server: Server) -> None:
    for path in ("nothing", "nothing.stgs", "ball/static"):
        with pytest.raises(NotAScene, match="HTTP 404"):
            open_scene(f"{server.url}/{path}", SETTINGS)


def test_missing_server_is_unreachable() -> None:
    for path in ("ball", "ball.stgs"):
        with pytest.raises(SceneUnreachable):
            open_scene(f"http://127.0.0.1:9/{path}", SETTINGS)


def test_server_speaks_ranges_and_cors(server: Server) -> None:
    url = f"{server.url}/ball.stgs"
    part = httpx.get(url, headers={"Range": "bytes=0-3"}, trust_env=False)
    assert part.status_code == 206
    assert part.content == b"PK\x03\x04"
    assert part.headers["Access-Control-Allow-Origin"] == "*"
    manifest = httpx.get(f"{server.url}/ball/scene.mpd", trust_env=False)
    assert manifest.headers["Content-Type"].startswith("application/dash+xml")
    asked = httpx.options(url, trust_env=False)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Headers"].startswith("Range")
    assert part.headers["Cache-Control"] == manifest.headers["Cache-Control"] == "no-cache"
    segment = httpx.get(f"{server.url}/ball/features/qp20/0000.m4s", trust_env=False)
    assert "immutable" in segment.headers["Cache-Control"]
    assert int(segment.headers["Content-Length"]) == len(segment.content)


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/ball/../../secret.txt"]
)
def test_server_stays_below_its_directory(server: Server, path: str) -> None:
    target = httpx.URL(server.url).copy_with(raw_path=path.encode())
    answer = httpx.get(target, trust_env=False)
    assert answer.status_code in (403, 404)
    assert "secret" not in answer.text


def test_serve_refuses_what_cannot_be_served(tmp_path: Path, server: Server) -> None:
    with pytest.raises(ServeError, match="not a directory"):
        serve(tmp_path / "nothing")
    taken = httpx.URL(server.url).port
    assert taken is not None
    with pytest.raises(ServeError, match=str(taken)):
        serve(tmp_path, "127.0.0.1", taken)


# Faults, scripted


@contextmanager
def remote(network: httpx.MockTransport, settings: HttpSettings = IMPATIENT) -> Iterator:
    """The scene directory http://x/scene on a scripted network."""
    transport = HttpTransport(settings, network)
    try:
        yield HttpContainer("http://x/scene", transport)
    finally:
        transport.close()


@contextmanager
def remote_archive(network: httpx.MockTransport) -> Iterator[ArchiveContainer]:
    """The archive http://x/a.stgs on a scripted network."""
    transport = HttpTransport(IMPATIENT, network)
    try:
        yield ArchiveContainer(HttpRanges("http://x/a.stgs", transport), Limits())
    finally:
        transport.close()


def scripted(
    *answers: Callable[[httpx.Request], httpx.Response],
) -> tuple[httpx.MockTransport, list]:
    """A transport that gives the answers in turn, the last one for ever."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answers[min(len(requests), len(answers)) - 1](request)

    return httpx.MockTransport(answer), requests


def status(code: int, content: bytes = b"") -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(code, stream=httpx.ByteStream(content))


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def reset(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset by peer", request=request)


@pytest.mark.parametrize("fault", [status(503), status(500), status(429), refuse, reset])
def test_transient_errors_are_retried(fault: Callable[[httpx.Request], httpx.Response]) -> None:
    transport, requests = scripted(fault, fault, status(200, b"abc"))
    with remote(transport) as container:
        assert container.read("a", 3) == b"abc"
        assert len(requests) == 3


@pytest.mark.parametrize(
    ("fault", "error", "tries"),
    [
        (status(503), SceneUnreachable, 3),
        (reset, SceneUnreachable, 3),
        (status(404), MissingSegment, 1),
        (status(403), MissingSegment, 1),
        (status(418), SceneUnreachable, 1),
        (status(200, b"abcd"), CorruptSegment, 1),
    ],
)
def test_permanent_errors_are_raised(
    fault: Callable[[httpx.Request], httpx.Response], error: type[Exception], tries: int
) -> None:
    transport, requests = scripted(fault)
    with remote(transport) as container:
        with pytest.raises(error, match="http://x/scene/a"):
            container.read("a", 3)
        assert len(requests) == tries


def test_redirects_are_followed_up_to_a_limit() -> None:
    transport, requests = scripted(lambda r: httpx.Response(302, headers={"Location": "/again"}))
    with remote(transport) as container:
        with pytest.raises(SceneUnreachable):
            container.read("a", 3)
        assert len(requests) == IMPATIENT.redirects + 1


class Dripping(httpx.AsyncByteStream):
    """A body that never ends and comes one byte at a time."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"."


def test_endless_bodies_end_at_the_declared_length() -> None:
    transport, _ = scripted(lambda r: httpx.Response(200, stream=Dripping()))
    with (
        remote(transport) as container,
        pytest.raises(CorruptSegment, match="longer"),
    ):
        container.read("a", 1000)


def test_slow_bodies_end_at_the_deadline() -> None:
    transport, _ = scripted(lambda r: httpx.Response(200, stream=Dripping()))
    settings = HttpSettings(deadline_s=0.1, slowest_bps=1e15)
    with (
        remote(transport, settings) as container,
        pytest.raises(SceneUnreachable, match="slowly"),
    ):
        container.read("a", 1 << 40)


def test_reading_can_be_cancelled_in_the_body_and_in_a_pause() -> None:
    for fault, patience in (
        (lambda r: httpx.Response(200, stream=Dripping()), 0.0),
        (refuse, 60.0),
    ):
        transport, requests = scripted(fault)
        settings = HttpSettings(backoff_s=patience, longest_backoff_s=patience)
        with (
            remote(transport, settings) as container,
            cancelled_when(lambda seen=requests: bool(seen)) as token,
            pytest.raises(Cancelled),
        ):
            container.read("a", 1 << 40, cancel=token)


def test_server_that_ignores_ranges_is_named() -> None:
    transport, _ = scripted(status(200, b"whole file"))
    with pytest.raises(SceneUnreachable, match="ignores byte ranges"), remote_archive(transport):
        pass


def ranged(data: bytes) -> Callable[[httpx.Request], httpx.Response]:
    """A server of one file that understands ranges."""

    def answer(request: httpx.Request) -> httpx.Response:
        first, last = request.headers["Range"].removeprefix("bytes=").split("-")
        start = int(first) if first else max(len(data) - int(last), 0)
        end = min(int(last) + 1, len(data)) if first else len(data)
        told = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
        return httpx.Response(206, stream=httpx.ByteStream(data[start:end]), headers=told)

    return answer


def test_archive_by_ranges_needs_one_request_per_file() -> None:
    data = bytes(100_000) + golden_scene("hevc").read_bytes()  # so that the tail is not all of it
    transport, requests = scripted(ranged(data))
    with remote_archive(transport) as container:
        assert len(requests) == 1
        manifest = container.read("scene.json", 1 << 20)
        assert manifest.startswith(b'{"format":"streamstgs"')
        assert len(requests) <= 2


@pytest.mark.parametrize(
    "content_range", ["bytes 0-9/10", "bytes 5-9/99999999999999999999", "rubbish", ""]
)
def test_wrong_ranges_raise_only_codec_errors(content_range: str) -> None:
    told = {"Content-Range": content_range}
    body = httpx.ByteStream(b"x" * 10)
    transport, _ = scripted(lambda r: httpx.Response(206, stream=body, headers=told))
    with pytest.raises((NotAScene, SceneUnreachable)), remote_archive(transport):
        pass


# What the development server gives away


@pytest.mark.parametrize(
    "name", [".env", ".git/config", "notes.txt", "key.pem", "scene/.hidden/scene.json", "a" * 300]
)
def test_only_scene_files_are_served(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if len(name) < 256:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    (tmp_path / "scene.json").write_text("{}")
    server = Server(tmp_path)
    try:
        assert httpx.get(f"{server.url}/{name}", trust_env=False).status_code == 404
        assert httpx.get(f"{server.url}/scene.json", trust_env=False).text == "{}"
    finally:
        server.stop()


@pytest.mark.parametrize(
    "path", ["/" + "a/" * 3000 + "x.json", "/scene.json/x.json", "/%00.json", "/%ff.json"]
)
def test_paths_that_cannot_exist_are_not_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "scene.json").write_text("{}")
    server = Server(tmp_path)
    try:
        url = httpx.URL(server.url).copy_with(raw_path=path.encode())
        assert httpx.get(url, trust_env=False).status_code == 404
    finally:
        server.stop()


def test_serve_names_links_that_are_not_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").symlink_to("/")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServeError):
            serve(tmp_path, "127.0.0.1", taken.getsockname()[1])
    assert "Links are not served: elsewhere" in capsys.readouterr().out


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_port_that_does_not_exist_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(ServeError, match=str(port)):
        serve(tmp_path, "127.0.0.1", port)
