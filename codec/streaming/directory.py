"""Implements `Container` for a scene in a directory."""

from __future__ import annotations

from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment


class DirectoryContainer:
    """Reads files below `root`; links that lead out of it are refused."""

    def __init__(self, root: Path) -> None:
        self.location = str(root)
        self._root = root.resolve()

    def read(
        self, name: str, most_bytes: int, cancel: CancelToken = NEVER, at: int | None = None
    ) -> bytes:
        try:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root):
                raise MissingSegment(f"{name} leads out of the scene {self.location}.")
            if not path.is_file():  # a pipe or a device would make us wait for ever
                raise MissingSegment(f"{name} is missing in the scene {self.location}.")
            with path.open("rb") as file:
                data = file.read(most_bytes + 1)
        except MissingSegment:
            raise
        except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
            reason = getattr(error, "strerror", None) or error
            raise MissingSegment(
                f"{name} of the scene {self.location} cannot be read: {reason}."
            ) from error
        if len(data) > most_bytes:
            raise CorruptSegment(f"{name} is longer than the {most_bytes} bytes it should have.")
        return data

    def close(self) -> None:
        """Does nothing: no file stays open."""
