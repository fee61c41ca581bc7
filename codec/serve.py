"""A development server for scenes: plain files, byte ranges, open to every origin."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from codec.errors import ServeError

CONTENT_TYPES = {
    ".json": "application/json",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".stgs": "application/zip",
}
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Range",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, Accept-Ranges",
}


def serve(directory: Path, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve a directory until Ctrl-C; prints the URL.

    Args:
        directory: holds scenes; nothing outside is served, links included.
        host: address to listen on.
        port: 0 picks a free one.

    Raises:
        ServeError: no such directory, or the port is taken.
    """
    if not directory.is_dir():
        raise ServeError(f"{directory} is not a directory that can be served.")
    try:
        asyncio.run(_serve_for_ever(directory, host, port))
    except KeyboardInterrupt:
        print("Stopped.")


def application(directory: Path) -> web.Application:
    """The server without its socket."""
    app = web.Application()
    app.router.add_route("OPTIONS", "/{path:.*}", _preflight)
    app.router.add_static("/", directory.resolve(), follow_symlinks=False)
    app.on_response_prepare.append(_add_headers)
    return app


async def _serve_for_ever(directory: Path, host: str, port: int) -> None:
    runner = web.AppRunner(application(directory))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        print(f"Serving {directory} at http://{name}:{address[1]}/ (Ctrl-C stops)", flush=True)
        await asyncio.Event().wait()
    except OSError as error:
        raise ServeError(f"{host}:{port} cannot be served: {error.strerror}.") from error
    finally:
        await runner.cleanup()


async def _preflight(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(CORS_HEADERS)
    response.headers["Cache-Control"] = "no-cache"  # scenes are encoded again while one works
    content_type = CONTENT_TYPES.get(Path(request.path).suffix)
    if content_type and response.status in (200, 206):
        response.content_type = content_type
