"""The transport against a server on real sockets that does everything wrong."""

from __future__ import annotations

import gzip
import shutil
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from streamstgs.codec.errors import (
    Cancelled,
    CodecError,
    CorruptSegment,
    MissingSegment,
    SceneChanged,
    SceneUnreachable,
)
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.download import Download
from streamstgs.codec.streaming.http.partial import PartialDownloads
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.transport import ByteRange, RequestProgress, ignore_progress

from tests.cancel_tokens import cancelled_when
from tests.fault_server import (
    Exchange,
    Fault,
    FaultServer,
    corrupt,
    cut_to,
    drip,
    encoded,
    endless,
    redirect,
    reset_after,
    silence,
    stall_after,
    status,
)

BODY = bytes(k * 7 % 251 for k in range(200_000))
IMPATIENT = HttpSettings(
    connect_s=2.0, stall_s=0.3, stall_bytes=1000, deadline_s=5.0, tries=3, backoff_s=0.01
)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    before = set(threading.enumerate())
    running = FaultServer({"/a": BODY})
    yield running
    running.stop()
    assert set(threading.enumerate()) <= before, "a thread was leaked"


@pytest.fixture
def transport(server: FaultServer) -> Iterator[HttpTransport]:
    made = HttpTransport(IMPATIENT)
    yield made
    made.close()


def fetch(transport: HttpTransport, server: FaultServer, path: str = "/a") -> bytes:
    return transport.get(server.url + path, len(BODY)).content


def test_one_connection_serves_all_requests(server: FaultServer, transport: HttpTransport) -> None:
    for _ in range(5):
        assert fetch(transport, server) == BODY
    assert server.connections == 1
    assert server.requests[0][1]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "fault",
    [
        reset_after(50_000),
        cut_to(50_000, declared=False),
        stall_after(50_000),
    ],
    ids=["reset", "short body", "stall"],
)
def test_broken_body_is_resumed(
    server: FaultServer, transport: HttpTransport, fault: Fault
) -> None:
    server.faults["/a"] = [fault]
    assert fetch(transport, server) == BODY
    second = server.requests[1][1]
    first_byte = int(second["range"].removeprefix("bytes=").split("-")[0])
    assert 0 < first_byte <= 50_000
    assert second["if-range"] == f'"{zlib.crc32(BODY):08x}"'


def test_many_breaks_with_progress_are_survived(
    server: FaultServer, transport: HttpTransport
) -> None:
    server.faults["/a"] = [reset_after(30_000)] * 6  # twice as often as fruitless tries allow
    assert fetch(transport, server) == BODY
    assert len(server.requests) == 7


def test_broken_range_is_resumed(server: FaultServer, transport: HttpTransport) -> None:
    server.faults["/a"] = [reset_after(1000)]
    reply = transport.get(f"{server.url}/a", 5000, byte_range=ByteRange(100, 5099))
    assert reply.content == BODY[100:5100]
    assert (reply.range_start, reply.whole_bytes) == (100, len(BODY))
    assert server.requests[1][1]["range"].endswith("-5099")


def test_server_without_ranges_restarts_the_body(
    server: FaultServer, transport: HttpTransport
) -> None:
    server.ranges = False
    server.faults["/a"] = [reset_after(50_000)]
    assert fetch(transport, server) == BODY


def replaced_while_read(server: FaultServer, old: bytes) -> Fault:
    """Half of the old file; from then on there is a new one."""

    async def fault(exchange: Exchange) -> None:
        await reset_after(len(exchange.body) // 2)(exchange)
        server.files["/a"] = old[::-1]

    return fault


def test_versions_of_a_file_are_never_mixed(server: FaultServer, transport: HttpTransport) -> None:
    server.faults["/a"] = [replaced_while_read(server, BODY)]
    assert fetch(transport, server) == BODY[::-1]
    server.files["/a"] = BODY
    server.faults["/a"] = [replaced_while_read(server, BODY)]
    with pytest.raises(SceneChanged, match="replaced"):
        transport.get(f"{server.url}/a", 5000, byte_range=ByteRange(100, 5099))


def test_versions_differ_by_validator_if_if_range_is_ignored(
    server: FaultServer, transport: HttpTransport
) -> None:
    async def without_if_range(exchange: Exchange) -> None:
        headers = {k: v for k, v in exchange.headers.items() if k != "if-range"}
        await Exchange("/a", headers, server.files["/a"], exchange.writer).answer()

    server.faults["/a"] = [replaced_while_read(server, BODY), without_if_range]
    assert fetch(transport, server) == BODY[::-1]


@pytest.mark.parametrize(
    ("fault", "error", "words", "requests"),
    [
        (status(404), MissingSegment, "HTTP 404", 1),
        (status(500), SceneUnreachable, "HTTP 500", 3),
        (status(503), SceneUnreachable, "HTTP 503", 3),
        (status(429, Retry_After="0"), SceneUnreachable, "HTTP 429", 3),
        (reset_after(0), SceneUnreachable, "cannot be fetched", 3),
        (silence(), SceneUnreachable, "silent", 3),
        (stall_after(0), SceneUnreachable, "silent", 3),
        (drip(0.02), SceneUnreachable, "silent", 3),
        (endless(), CorruptSegment, "longer", 1),
        (endless(declared=True), CorruptSegment, "longer", 1),
        (encoded("gzip", gzip.compress(bytes(10**7))), SceneUnreachable, "compresses", 1),
        (redirect("/a"), SceneUnreachable, "without end", None),
        (redirect("file:///etc/passwd"), SceneUnreachable, "file:", 1),
        (redirect("ftp://127.0.0.1/a"), SceneUnreachable, "ftp:", 1),
        (redirect("/a", endless=True), SceneUnreachable, "without end", None),
        (redirect("http://["), SceneUnreachable, "cannot be fetched", None),
        (redirect("http://127.0.0.1:99999/a"), SceneUnreachable, "cannot be fetched", None),
        (redirect("http://xn--/a"), SceneUnreachable, "cannot be fetched", None),
    ],
)
def test_permanent_errors_are_raised_in_time(
    server: FaultServer,
    transport: HttpTransport,
    fault: Fault,
    error: type[CodecError],
    words: str,
    requests: int | None,
) -> None:
    server.always["/a"] = fault
    with pytest.raises(error, match=words) as caught:
        fetch(transport, server)
    assert server.url in str(caught.value)
    assert requests is None or len(server.requests) == requests


@pytest.mark.parametrize(
    "faults", [[status(503)], [status(500), reset_after(0)], [silence(), status(429)]]
)
def test_transient_errors_are_survived(
    server: FaultServer, transport: HttpTransport, faults: list[Fault]
) -> None:
    server.faults["/a"] = faults
    assert fetch(transport, server) == BODY


def test_returning_server_is_used_again(server: FaultServer, transport: HttpTransport) -> None:
    assert fetch(transport, server) == BODY
    server.vanish()
    with pytest.raises(SceneUnreachable):
        fetch(transport, server)
    server.come_back()
    assert fetch(transport, server) == BODY


def test_redirects_lead_to_the_file(server: FaultServer, transport: HttpTransport) -> None:
    server.always["/moved"] = redirect("/a")
    assert fetch(transport, server, "/moved") == BODY


def test_transport_does_not_alter_bytes(server: FaultServer, transport: HttpTransport) -> None:
    """Damage of equal length is for the checksum to find."""
    server.faults["/a"] = [corrupt()]
    assert fetch(transport, server) == bytes(byte ^ 0x55 for byte in BODY)


@pytest.mark.parametrize("fault", [silence(), stall_after(50_000), drip(0.01), endless()])
def test_cancelling_frees_the_connection_at_once(server: FaultServer, fault: Fault) -> None:
    patient = HttpTransport(HttpSettings(stall_s=600.0, deadline_s=600.0))
    server.always["/a"] = fault
    try:
        with (
            cancelled_when(lambda: server.open_connections > 0) as token,
            pytest.raises(Cancelled),
        ):
            patient.get(f"{server.url}/a", 1 << 40, token)
        assert server.wait_for(lambda: server.open_connections == 0)
        server.always.clear()
        assert patient.get(f"{server.url}/a", len(BODY)).content == BODY
    finally:
        patient.close()


def test_cancelling_while_connecting_leaves_no_connection(server: FaultServer) -> None:
    """The token is cancelled as soon as the server has the connection, 40 times."""
    server.always["/a"] = stall_after(50_000)
    for _ in range(40):
        patient = HttpTransport(HttpSettings(stall_s=600.0, deadline_s=600.0))
        try:
            with (
                cancelled_when(lambda: server.open_connections > 0) as token,
                pytest.raises(Cancelled),
            ):
                patient.get(f"{server.url}/a", 1 << 40, token)
            assert server.wait_for(lambda: server.open_connections == 0)
        finally:
            patient.close()


@pytest.mark.parametrize("part", [None, ByteRange(100, 90_099)], ids=["file", "range"])
def test_cancelled_request_is_resumed(server: FaultServer, part: ByteRange | None) -> None:
    """A static layer that let a GOP pass, from a directory and from an archive."""
    server.faults["/a"], server.files["/b"] = [stall_after(50_000)], BODY
    came: list[int] = []
    patient = HttpTransport(
        HttpSettings(stall_s=600.0), listener=lambda step: came.append(step.received_bytes)
    )
    try:
        with (
            cancelled_when(lambda: max(came, default=0) >= 50_000) as token,
            pytest.raises(Cancelled),
        ):
            patient.get(f"{server.url}/a", len(BODY), token, part)
        assert server.wait_for(lambda: server.open_connections == 0)
        whole = BODY if part is None else BODY[100:90_100]
        assert patient.get(f"{server.url}/b", len(BODY)).content == BODY  # the GOP that passes
        assert patient.get(f"{server.url}/a", len(BODY), byte_range=part).content == whole
    finally:
        patient.close()
    path, asked = server.requests[-1][:2]
    begin = 50_000 if part is None else 50_100
    assert path == "/a"
    assert asked["range"].startswith(f"bytes={begin}-")
    assert asked["if-range"] == f'"{zlib.crc32(BODY):08x}"'


def test_cancelled_request_is_not_resumed_with_another_version(server: FaultServer) -> None:
    server.faults["/a"] = [stall_after(50_000)]
    came: list[int] = []
    patient = HttpTransport(
        HttpSettings(stall_s=600.0), listener=lambda step: came.append(step.received_bytes)
    )
    try:
        with (
            cancelled_when(lambda: max(came, default=0) >= 50_000) as token,
            pytest.raises(Cancelled),
        ):
            patient.get(f"{server.url}/a", len(BODY), token)
        server.files["/a"] = BODY[::-1]
        assert patient.get(f"{server.url}/a", len(BODY)).content == BODY[::-1]
    finally:
        patient.close()
        server.files["/a"] = BODY


def unfinished(name: str, size_bytes: int, fresh: bool = False) -> Download:
    part = Download(name, 1000, None, fresh, lambda: 0.0, ignore_progress)
    part.content += bytes(size_bytes)
    return part


def test_kept_parts_are_bounded_but_for_the_newest() -> None:
    parts = PartialDownloads(most_bytes=500)
    for name, size_bytes in (("a", 200), ("b", 200), ("c", 200), ("whole", 1000), ("none", 0)):
        parts.put(unfinished(name, size_bytes))
    assert parts.size_bytes == 400
    parts.put(unfinished("large", 900))
    assert parts.size_bytes == 900
    parts.put(unfinished("past caches", 10, fresh=True))
    again = unfinished("large", 0)
    parts.resume(again)
    assert (len(again.content), parts.size_bytes) == (900, 0)
    parts.resume(unfinished("large", 0))  # it is given out once


def test_closing_cancels_requests_of_other_threads(server: FaultServer) -> None:
    patient = HttpTransport(HttpSettings(stall_s=600.0, deadline_s=600.0))
    server.always["/a"] = silence()
    ends: list[BaseException] = []

    def wait() -> None:
        try:
            patient.get(f"{server.url}/a", 10)
        except CodecError as error:
            ends.append(error)

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert server.wait_for(lambda: server.open_connections == 3)
    patient.close()
    for thread in waiting:
        thread.join(10.0)
    assert [type(end) for end in ends] == [Cancelled] * 3
    assert server.wait_for(lambda: server.open_connections == 0)
    with pytest.raises(Cancelled):
        patient.get(f"{server.url}/a", 10)
    patient.close()


def test_requests_of_many_threads_share_few_connections(server: FaultServer) -> None:
    shared = HttpTransport(HttpSettings(connections=2))
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch(shared, server))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    shared.close()
    assert results == [BODY] * 8
    assert server.connections <= 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("HTTP_PROXY", "socks://127.0.0.1:9"),
        ("SSL_CERT_FILE", "/nothing/here.pem"),
        ("NO_PROXY", "[::1"),
    ],
)
def test_unusable_proxy_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SceneUnreachable, match=name):
        HttpTransport(IMPATIENT)


def test_listener_gets_progress(server: FaultServer) -> None:
    told: list[RequestProgress] = []
    listening = HttpTransport(IMPATIENT, listener=told.append)
    server.faults["/a"] = [reset_after(50_000)]
    listening.get(f"{server.url}/a", len(BODY))
    with pytest.raises(MissingSegment):
        listening.get(f"{server.url}/b", 10)
    listening.close()
    mine = [step for step in told if step.url.endswith("/a")]
    assert [step.tries for step in mine] == sorted(step.tries for step in mine)
    assert (mine[0].state, mine[0].received_bytes, mine[0].tries) == ("waiting", 0, 1)
    last = mine[-1]
    assert (last.state, last.received_bytes, last.tries) == ("done", len(BODY), 2)
    assert last.first_byte_s is not None
    assert last.first_byte_s <= last.elapsed_s
    assert told[-1].state == "failed"


STUCK_RESOLVER = """
import socket, threading, time
from streamstgs.codec.cancel import CancelToken
asked = CancelToken()

def never_answers(*address, **hints):
    asked.cancel()
    time.sleep(600.0)

socket.getaddrinfo = never_answers
from streamstgs.codec.errors import Cancelled
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.settings import HttpSettings
transport = HttpTransport(HttpSettings())
try:
    transport.get("http://scenes.invalid/a", 10, asked)
except Cancelled:
    transport.close()
    print("closed")
"""


def test_hanging_name_lookup_does_not_delay_exit() -> None:
    command = [sys.executable, "-c", STUCK_RESOLVER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True)
    assert (done.stdout, done.stderr) == ("closed\n", "")


def test_backoff_grows_with_jitter_up_to_a_limit() -> None:
    settings = HttpSettings(backoff_s=0.5, longest_backoff_s=3.0, jitter=0.5)
    assert [settings.pause_s(k, 0.0) for k in (1, 2, 3, 4, 90)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert settings.pause_s(2, 1.0) == 0.5
    assert settings.allowed_s(0) < settings.allowed_s(1 << 20)


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[str]:
    """A TLS server with a self-signed certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", "-x509", *options, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        http.socket = context.wrap_socket(http.socket, server_side=True)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"https://127.0.0.1:{http.server_port}/a"
        http.shutdown()
        thread.join()


def test_certificates_are_verified(tls_server: str, transport: HttpTransport) -> None:
    with pytest.raises(SceneUnreachable, match="certificate is refused"):
        transport.get(tls_server, 10)
