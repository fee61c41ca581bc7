"""`streamstgs serve`: a web server for scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.cli.options import option


@dataclass(frozen=True)
class Serve:
    """Serve a directory of scenes over HTTP, for trying out streaming."""

    directory: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    host: str = "127.0.0.1"
    port: int = 8000
    throttle: Annotated[
        Path | None, option("TRACE.json", "Play a recorded network before the server.", "not")
    ] = None

    def run(self) -> int:
        from streamstgs.server.development_server import serve

        serve(self.directory, self.host, self.port, self.throttle)
        return 0
