"""Where the bytes of a scene come from: one contract for directories, archives and servers."""

from __future__ import annotations

from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken


class Container(Protocol):
    """The files of one scene. Reads may come from two threads at a time."""

    location: str  # for people

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """The whole content of a file.

        Args:
            name: a path that `codec.package.manifest_json` accepted.
            most_bytes: a longer file is not read.
            cancel: ends the reading early.

        Raises:
            MissingSegment: there is no such file.
            CorruptSegment: it is longer than `most_bytes`, or broken.
            SceneUnreachable: the server does not answer as it should.
            Cancelled: the caller asked for it.
        """
        ...

    def close(self) -> None:
        """Let go of the file or the connection."""
        ...
