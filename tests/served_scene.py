"""The small golden scene as the files of a scripted server."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from tests.golden.make_golden import golden_scene


@cache
def scene_files(codec: str = "h264") -> dict[str, bytes]:
    """URL path -> content: the scene as a directory /ball and as an archive /ball.stgs."""
    archive = io.BytesIO(golden_scene(codec).read_bytes())
    with zipfile.ZipFile(archive, "a") as entries:
        files = {f"/ball/{name}": entries.read(name) for name in entries.namelist()}
        # The first request is for the end of the file: it must not bring all of it.
        entries.writestr("padding", bytes(100_000))
    return {**files, "/ball.stgs": archive.getvalue()}
