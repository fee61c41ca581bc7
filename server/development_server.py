"""A development server for scenes: static files with byte ranges and CORS headers."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from streamstgs.codec.errors import ServeError
from streamstgs.server.stop_signals import Stop, stop_on_signals
from streamstgs.server.throttle import Bottleneck, NetworkTrace, Relay, read_trace

CONTENT_TYPES = {
    ".json": "application/json",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".page": "application/json",
    ".stgs": "application/zip",
}
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Range, If-Range, Cache-Control",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, Accept-Ranges, ETag",
}
NO_CACHE = "no-cache"  # caches may keep it, and revalidate each time
IMMUTABLE = "public, max-age=31536000, immutable"
SEGMENTS = (".m4s", ".mp4", ".planes", ".safetensors", ".page", ".index")
SERVED = {".json", ".mpd", ".stgs", ".jpg", *SEGMENTS}
NAME_MAX_BYTES = 255
PORT_MAX = 65_535
SHUTDOWN_S = 1.0


def serve(
    directory: Path, host: str = "127.0.0.1", port: int = 8000, trace: Path | None = None
) -> None:
    """Serve a directory until a KeyboardInterrupt; prints the URL.

    Args:
        directory: holds scenes; links and files outside are not served.
        host: address to listen on.
        port: TCP port; 0 picks a free one.
        trace: file with a recorded network that limits the connection, see `server.throttle`.

    Raises:
        ServeError: the directory or trace cannot be read, or the port is in use.
    """
    if not directory.is_dir():
        raise ServeError(f"{directory} is not a directory that can be served.")
    if not 0 <= port <= PORT_MAX:
        raise ServeError(f"Port {port} does not exist; ports are 0 to {PORT_MAX}.")
    links = _links(directory)
    if links:
        print(f"Links are not served: {', '.join(links[:3])}{', ...' if links[3:] else ''}")
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # one line per broken request
    network = read_trace(trace) if trace else None
    asyncio.run(_serve_until_stopped(directory, host, port, network)).raise_again()


def application(directory: Path) -> web.Application:
    """Return the web application, without a socket."""
    app = web.Application(middlewares=[_scene_files_only])
    app.router.add_route("OPTIONS", "/{path:.*}", _preflight)
    app.router.add_static("/", directory.resolve(), follow_symlinks=False)
    app.on_response_prepare.append(_add_headers)
    return app


async def _serve_until_stopped(
    directory: Path, host: str, port: int, trace: NetworkTrace | None
) -> Stop:
    with stop_on_signals(stop := Stop()):
        # A player that is slowed down by the trace would hold up the end for a minute.
        runner = web.AppRunner(application(directory), shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            address = await start(runner, host, port, trace)
            name = f"[{address[0]}]" if ":" in address[0] else address[0]
            print(f"Serving {directory} at http://{name}:{address[1]}/ (Ctrl+C stops)", flush=True)
            await stop.asked.wait()
        except OSError as error:
            raise ServeError(f"{host}:{port} cannot be served: {error.strerror}.") from error
        finally:
            await runner.cleanup()
    return stop


async def start(
    runner: web.AppRunner, host: str, port: int, trace: NetworkTrace | None
) -> tuple[str, int]:
    """Listen, behind a throttle if there is a trace; return the address.

    Raises:
        OSError: the address is in use.
    """
    if trace is None:
        await web.TCPSite(runner, host, port).start()
        return runner.addresses[0][:2]
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    relay = await Relay(Bottleneck(trace), runner.addresses[0][1]).start(host, port)
    return relay.sockets[0].getsockname()[:2]


def _links(directory: Path) -> list[str]:
    """Return the names of symbolic links in the directory and its subdirectories."""
    places = [directory, *(p for p in directory.iterdir() if p.is_dir() and not p.is_symlink())]
    return sorted(p.name for place in places for p in place.iterdir() if p.is_symlink())


@web.middleware
async def _scene_files_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 404 to requests for hidden files and for files that no scene has.

    The server is open to every origin, and a directory may hold private files beside scenes.
    """
    parts = request.path.split("/")
    hidden = any(part.startswith(".") or len(part.encode()) > NAME_MAX_BYTES for part in parts)
    if request.method != "OPTIONS" and (hidden or Path(parts[-1]).suffix.lower() not in SERVED):
        raise web.HTTPNotFound
    try:
        return await handler(request)
    except (OSError, ValueError) as error:  # no such path can exist, for example a very long one
        raise web.HTTPNotFound from error


async def _preflight(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(CORS_HEADERS)
    response.headers["Cache-Control"] = _cache_control(Path(request.path), response.status)
    content_type = CONTENT_TYPES.get(Path(request.path).suffix)
    if content_type and response.status in (200, 206):
        response.content_type = content_type


def _cache_control(path: Path, status: int) -> str:
    """Return the header: segments never change under their name, manifests do."""
    return IMMUTABLE if path.suffix in SEGMENTS and status in (200, 206) else NO_CACHE
