"""Publishes the GOPs of a scene while it is encoded."""

from __future__ import annotations

from collections.abc import Callable

from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store

ReadFile = Callable[[str], bytes]
USUAL = PublishSettings()


class EncodingPublisher:
    """Takes GOPs from the encoder, in order. GOPs that are published already are left out, so an
    encoding that was stopped goes on where it stopped.

    Args:
        store: where the live scene lies.
        settings: window and pages.
    """

    def __init__(self, store: Store, settings: PublishSettings = USUAL) -> None:
        self._store, self._settings = store, settings
        self._publisher: Publisher | None = None
        self._number = 0

    def __call__(self, header: Manifest, gop: GopEntry, read: ReadFile) -> None:
        """Publish the next GOP.

        Args:
            header: the scene without GOPs.
            gop: lists the files of the GOP.
            read: returns the content of a file.

        Raises:
            WriteError: another scene is at the store, or it fails.
        """
        if self._publisher is None:
            self._publisher = Publisher(self._store, header, self._settings)
            files = [layer.file for layer in header.static]
            self._copy([*files, *(entry.init for entry in header.representations)], read)
        if self._number >= self._publisher.count:
            layers = [layer.file for layer in gop.layers]
            self._copy([*layers, gop.field, *(part.file for part in gop.segments)], read)
            self._publisher.append(gop)
        self._number += 1

    def finish(self) -> None:
        """End the event: the scene stays as an ordinary one. Raises WriteError, EncodeError."""
        if self._publisher is None:
            raise EncodeError("Nothing was encoded, so nothing is published.")
        self._publisher.finish()

    def _copy(self, files: list[FileEntry], read: ReadFile) -> None:
        for file in files:
            self._store.write(file.name, read(file.name))
