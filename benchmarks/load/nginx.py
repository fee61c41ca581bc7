"""The nginx of the distribution on loopback: an origin, and a caching proxy before it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 10.0
COMMON = """
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    map $uri $scene_cache {{
        default                                          "no-cache";
        ~\\.(m4s|mp4|planes|safetensors|page|index)$      "public, max-age=31536000, immutable";
    }}
"""
ORIGIN = """
    access_log off;
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        root {root};
        add_header Cache-Control $scene_cache;
    }}
}}
"""
PROXY = """
    log_format status $upstream_cache_status;
    access_log {folder}/cache.log status;
    proxy_cache_path {folder}/cache keys_zone=scenes:10m max_size=4g;
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location / {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_cache scenes;
            proxy_cache_lock on;
            proxy_cache_revalidate on;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A running nginx.

    Args:
        port: on loopback.
        pids: of its processes.
        folder: of its files.
    """

    port: int
    pids: tuple[int, ...]
    folder: Path


def nginx_path() -> str | None:
    """Where nginx is; None where it is not installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def origin(root: Path, folder: Path) -> Iterator[Server]:
    """Serve the scenes below a folder."""
    port = _free_port()
    text = _common(folder) + ORIGIN.format(port=port, root=root)
    with _running(text, port, folder) as server:
        yield server


@contextmanager
def proxy(before: Server, folder: Path) -> Iterator[Server]:
    """Serve what another server has, and keep it."""
    port = _free_port()
    text = _common(folder)
    text += PROXY.format(port=port, folder=folder, origin=before.port)
    with _running(text, port, folder) as server:
        yield server


def cache_hits(server: Server) -> Counter[str]:
    """How often a proxy had what was asked for: HIT, MISS and so on."""
    return Counter((server.folder / "cache.log").read_text().split())


def _common(folder: Path) -> str:
    # Workers of a server that root starts are of another user, who may not read its folders.
    user = "user root root;" if os.geteuid() == 0 else ""
    return COMMON.format(folder=folder, user=user)


@contextmanager
def _running(text: str, port: int, folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(text)
    path = nginx_path()
    assert path is not None
    process = subprocess.Popen([path, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        end_s = time.monotonic() + START_S
        while not _answers(port):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < end_s, "nginx does not answer"
            time.sleep(0.05)
        yield Server(port, (process.pid, *_children(process.pid)), folder)
    finally:
        process.terminate()
        process.wait(START_S)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _answers(port: int) -> bool:
    with socket.socket() as test:
        return test.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as test:
        test.bind(("127.0.0.1", 0))
        return int(test.getsockname()[1])
