"""The interface to the files of a scene in a directory, in an archive or on a server."""

from __future__ import annotations

from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken


class Container(Protocol):
    """The files of one scene. Thread-safe."""

    location: str  # path or URL without credentials, for messages

    def read(
        self, name: str, most_bytes: int, cancel: CancelToken = NEVER, at: int | None = None
    ) -> bytes:
        """Return the whole content of a file.

        Args:
            name: a path that `codec.package.manifest_json` accepted.
            most_bytes: the largest length that is accepted; a longer file is not read.
            cancel: ends the reading early.
            at: where the entry of the file begins in an archive, if that is told.

        Raises:
            MissingSegment: the scene has no such file.
            CorruptSegment: the file is longer than `most_bytes`, or damaged.
            SceneUnreachable: the server does not answer, or answers with an error.
            Cancelled: through `cancel`.
        """
        ...

    def close(self) -> None:
        """Close the file or the connection."""
        ...
