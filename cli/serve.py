"""`streamstgs serve`: a local web server for scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.cli.interrupts import stop_reminding
from streamstgs.cli.options import option
from streamstgs.cli.parsing import UsageError


@dataclass(frozen=True)
class Serve:
    """Serve a directory of scenes over HTTP, to try streaming on this machine."""

    directory: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """Directory with the scenes."""
    host: str = "127.0.0.1"
    """Listen on this address; 0.0.0.0 lets other machines connect."""
    port: int = 8000
    """Listen on this TCP port."""
    throttle: Annotated[
        Path | None,
        option("TRACE.json", "Limit the connection like this recorded network trace.", "off"),
    ] = None

    def run(self) -> int:
        try:
            from streamstgs.server.development_server import serve
        except ModuleNotFoundError as error:
            raise UsageError(
                f"serve needs {error.name}; install it with: pip install 'streamstgs[serve]'"
            ) from error

        try:
            serve(self.directory, self.host, self.port, self.throttle)
        except KeyboardInterrupt:
            stop_reminding()
            print("Stopped.")
        return 0
