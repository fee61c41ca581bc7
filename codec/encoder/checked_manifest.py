"""Writes scene.json into a package, after checking that this program can read it."""

from __future__ import annotations

from collections.abc import Callable

from streamstgs.codec.errors import EncodeError
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.package.writer import PackageWriter


def write_checked(package: PackageWriter, content: Callable[[], bytes]) -> None:
    """Write scene.json.

    Args:
        package: has the pages, if there are any, once `content` has returned.
        content: returns the content of scene.json.

    Raises:
        EncodeError: it says more than the format allows.
    """
    try:
        data = content()
        if len(data) > Limits().manifest_bytes:
            raise ValueError(f"{MANIFEST_NAME} would be {len(data)} bytes long")
        read = read_manifest(data, lambda file, _: package.read(file.name))
        for gop, _ in zip(read.gops, read.times, strict=True):
            assert gop.frames  # reads each page
    except ValueError as error:
        raise EncodeError(f"The scene is beyond what the format allows: {error}") from error
    package.write(MANIFEST_NAME, data)
