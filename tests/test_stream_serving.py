"""Scenes from servers that people run, and programs that are not ours."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import ServeError
from streamstgs.codec.package.sound_track import RATE_HZ
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.server.throttle import Bottleneck, NetworkTrace, TraceInterval, read_trace

from tests.golden.make_golden import golden_scene
from tests.sound_samples import scene_with_sound, tone_with_claps
from tests.synthetic import SyntheticSource
from tests.test_codec_pages import QUICK
from tests.test_stream_live_sound import publish

PROJECT = Path(__file__).resolve().parent.parent
SETTINGS = OpenSettings(cache=CacheSettings(max_bytes=0))
GOPS, WINDOW_EXTRA = (4, 3), 2  # of the golden scene: frames per GOP, E - G


def installed(program: str) -> str:
    """The path of a program, or a skipped test."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {program})")
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes")
    shutil.copy(golden_scene("hevc"), root / "ball.stgs")
    with zipfile.ZipFile(golden_scene("hevc")) as archive:
        archive.extractall(root / "ball")
    return root


@contextmanager
def development_server(root: Path, *options: str) -> Iterator[str]:
    """`main.py serve` in a process of its own; its URL."""
    command = [sys.executable, "main.py", "serve", str(root), "--port", "0", *options]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+?(?=/ )", line)
        assert found, line
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=100.0)


@pytest.fixture(scope="module")
def ours(root: Path) -> Iterator[str]:
    with development_server(root) as url:
        yield url


def documented_configuration() -> str:
    """The nginx configuration that docs/guide/publish.md tells people to use."""
    text = (PROJECT / "docs" / "guide" / "publish.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
def nginx(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = installed("nginx")
    home = tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = documented_configuration()
    assert "listen 8080;" in site
    assert "root /srv/scenes;" in site
    site = site.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    site = site.replace("root /srv/scenes;", f'root "{root}";')
    places = "".join(
        f'{name}_temp_path "{home}/{name}";\n'
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root root;\n" if os.geteuid() == 0 else ""  # who may read temporary folders
    (home / "nginx.conf").write_text(
        f'{user}daemon off;\npid "{home}/pid";\nerror_log stderr;\nevents {{}}\n'
        f"http {{\naccess_log off;\n{places}{site}}}\n"
    )
    options = ["-p", str(home), "-e", "stderr", "-c", str(home / "nginx.conf")]
    process = subprocess.Popen([program, *options], stderr=subprocess.PIPE, text=True)
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=100.0)


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(500):
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("no server listens")


@pytest.fixture(params=["ours", "nginx"])
def served(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.mark.parametrize("path", ["ball", "ball.stgs", "ball/scene.mpd"])
def test_the_same_scene_from_each_server(served: str, path: str) -> None:
    with open_scene(f"{served}/{path}", SETTINGS) as far, open_scene(golden_scene("hevc")) as near:
        assert far.manifest == near.manifest
        for gop in range(near.gop_count):
            assert (
                far.decode_gop(gop, far.quality(20)).features
                == near.decode_gop(gop, near.quality(20)).features
            ).all()


def test_headers_of_each_server(served: str) -> None:
    with httpx.Client(base_url=served, trust_env=False) as client:
        segment = client.get("/ball/features/qp20/0000.m4s")
        assert segment.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert segment.headers["Content-Type"] == "video/iso.segment"
        for name in ("ball/scene.json", "ball/scene.mpd", "ball.stgs"):
            assert client.head(f"/{name}").headers["Cache-Control"] == "no-cache"
        part = client.get("/ball.stgs", headers={"Range": "bytes=0-3", "Origin": "https://x"})
        assert (part.status_code, part.content) == (206, b"PK\x03\x04")
        size = (golden_scene("hevc")).stat().st_size
        assert part.headers["Content-Range"] == f"bytes 0-3/{size}"
        assert part.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in part.headers
        assert client.get("/ball.stgs", headers={"Range": "bytes=-4"}).status_code == 206
        assert client.options("/ball/scene.json").status_code == 204
        assert client.get("/nothing").status_code == 404


@pytest.mark.parametrize("number", [0, 1])
def test_ffmpeg_reads_the_dash_manifest(served: str, number: int) -> None:
    ffmpeg = installed("ffmpeg")
    source = ["-i", f"{served}/ball/scene.mpd", "-map", f"0:v:{number}"]
    command = [ffmpeg, "-v", "error", "-nostdin", *source, "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    pictures = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert len(pictures) == sum(frames + WINDOW_EXTRA for frames in GOPS)


def test_ffmpeg_reads_parts_shorter_than_a_second(root: Path, ours: str) -> None:
    """FFmpeg 5.1 loses most of them where they are listed instead of numbered."""
    ffmpeg = installed("ffmpeg")
    source = SyntheticSource(60, 40, (6,) * 6, fps=24.0)
    encode_scene(source, root / "parts", replace(QUICK, codec="h264"))
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", f"{ours}/parts/scene.mpd"]
    command += ["-fps_mode", "passthrough", "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert (done.returncode, done.stderr) == (0, "")
    pictures = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert len(pictures) == 6 * (6 + WINDOW_EXTRA)


def test_ffmpeg_plays_the_sound_of_an_event_that_is_over(
    root: Path, ours: str, tmp_path: Path
) -> None:
    """Its segments were encoded one by one: to FFmpeg they are one track without a gap."""
    ffmpeg = installed("ffmpeg")
    frames = sum(GOPS)
    scene = scene_with_sound(tmp_path, tone_with_claps(frames / 24, (0.1,)))
    publish(scene, root / "event", 24, ends=True)
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", f"{ours}/event/scene.mpd"]
    done = subprocess.run([*command, "-map", "0:a", "-f", "s16le", "-"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    heard = np.frombuffer(done.stdout, np.int16).reshape(-1, 2)[:, 0]
    assert len(heard) / RATE_HZ == pytest.approx(12 * frames / 24, abs=0.04)
    claps = [heard[round((0.09 + k * frames / 24) * RATE_HZ) :][:1_000] for k in range(12)]
    assert min(int(np.abs(clap).max()) for clap in claps) > 5_000


# A slow network before the server


def test_trace_gives_arrival_times() -> None:
    trace = NetworkTrace(
        [
            TraceInterval(1.0, 8000.0, 0.1),
            TraceInterval(1.0, 0.0, 0.3),
            TraceInterval(2.0, 800.0, 0.2),
        ]
    )
    assert trace.arrival_s(0.0, 500) == pytest.approx(0.5)
    assert trace.arrival_s(0.5, 500) == pytest.approx(1.0)
    assert trace.arrival_s(0.5, 600) == pytest.approx(3.0)  # waits while nothing gets through
    assert trace.arrival_s(0.0, 1200) == pytest.approx(4.0)
    assert trace.arrival_s(3.0, 600) == pytest.approx(4.5)  # from the start again
    assert trace.arrival_s(0.25, 12_000) == pytest.approx(40.25)
    assert [trace.latency_s(at_s) for at_s in (0.5, 1.5, 2.5, 4.5)] == [0.1, 0.3, 0.2, 0.1]


def test_connections_share_one_bottleneck() -> None:
    """In simulated time: two downloads of 1000 bytes over 8000 bit/s take two seconds."""
    now_s = 50.0

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    async def share() -> list[float]:
        line = Bottleneck(NetworkTrace([TraceInterval(1.0, 8000.0, 0.25)]), lambda: now_s, sleep)
        ends = [await line.pass_bytes(500, 0.0) for _ in range(4)]
        await line.wait_latency()
        return [*ends, line.now_s()]

    assert asyncio.run(share()) == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.25])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[1]",
        '[{"duration_ms": 5}]',
        '[{"duration_ms": -5, "bandwidth_kbps": 1, "latency_ms": 0}]',
        '[{"duration_ms": 5, "bandwidth_kbps": 0, "latency_ms": 0}]',
        '[{"duration_ms": 5, "bandwidth_kbps": 1e999, "latency_ms": 0}]',
        '[{"duration_ms": 5, "bandwidth_kbps": "x", "latency_ms": 0}]',
        '[{"duration_ms": 0, "bandwidth_kbps": 9, "latency_ms": 0}]',
    ],
)
def test_invalid_traces_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trace.json"
    path.write_text(text)
    with pytest.raises(ServeError):
        read_trace(path)
    with pytest.raises(ServeError):
        read_trace(tmp_path / "nothing.json")


def test_a_throttled_server_serves_the_same_scene(root: Path, tmp_path: Path) -> None:
    trace = [{"duration_ms": 1000, "bandwidth_kbps": 2000, "latency_ms": 30}]
    (tmp_path / "trace.json").write_text(json.dumps(trace))
    (root / "large.stgs").write_bytes(bytes(100_000))
    with development_server(root, "--throttle", str(tmp_path / "trace.json")) as url:
        for path in ("ball", "ball.stgs"):
            with open_scene(f"{url}/{path}", SETTINGS) as far:
                assert far.decode_gop(0, far.quality(20)).frames == GOPS[0]
        transport = HttpTransport(HttpSettings())
        began_s = time.monotonic()
        for _ in range(2):
            assert len(transport.get(f"{url}/large.stgs", 100_000).content) == 100_000
        took_s = time.monotonic() - began_s
        transport.close()
    assert took_s >= 0.8, "faster than the line"  # 200 kB over 2 Mbit/s
