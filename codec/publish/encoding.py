"""Publishes the GOPs of a scene while it is encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.publish.live_sound import LiveSound, samples_of
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store
from streamstgs.codec.sound.sound_coding import read_sound

ReadFile = Callable[[str], bytes]
USUAL = PublishSettings()


class EncodingPublisher:
    """Takes GOPs from the encoder, in order. GOPs that are published already are left out, so an
    encoding that was stopped goes on where it stopped.

    Args:
        store: where the live scene lies.
        settings: window and pages.
        audio: an audio or video file with the sound of the scene, and the seconds of it that the
            scene takes; None for a scene without sound.

    Raises:
        EncodeError: the file cannot be read, or it has no sound.
    """

    def __init__(
        self,
        store: Store,
        settings: PublishSettings = USUAL,
        audio: tuple[Path, float] | None = None,
    ) -> None:
        self._store, self._settings = store, settings
        self._samples = None if audio is None else read_sound(*audio)
        self._sound: LiveSound | None = None
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
            EncodeError: the GOP is too long for sound.
        """
        if self._publisher is None:
            if self._samples is not None:
                self._sound = LiveSound(self._samples.shape[1], header.meta.fps)
                header = replace(header, sound=self._sound.header)
            publisher = Publisher(self._store, header, self._settings)
            if self._sound is not None:
                self._store.write(self._sound.header.init.name, self._sound.init)
            files = [layer.file for layer in header.static]
            self._copy([*files, *(entry.init for entry in header.representations)], read)
            self._publisher = publisher
        if self._number >= self._publisher.count:
            layers = [layer.file for layer in gop.layers]
            self._copy([*layers, gop.field, *(part.file for part in gop.segments)], read)
            self._publisher.append(replace(gop, sound=self._publish_sound(gop)))
        self._number += 1

    def _publish_sound(self, gop: GopEntry) -> FileEntry | None:
        if self._sound is None or self._samples is None or self._publisher is None:
            return None
        begin = self._publisher.frames
        read, write = samples_of(self._samples), self._publisher.write
        return self._sound.write_gop(self._number, (begin, begin + gop.frames), read, write)

    def finish(self) -> None:
        """End the event: the scene stays as an ordinary one. Raises WriteError, EncodeError."""
        if self._publisher is None:
            raise EncodeError("Nothing was encoded, so nothing is published.")
        self._publisher.finish()

    def _copy(self, files: list[FileEntry], read: ReadFile) -> None:
        for file in files:
            self._store.write(file.name, read(file.name))
