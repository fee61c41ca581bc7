"""GOPs of a finished scene, to be published again as they would be live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from streamstgs.codec.package.dash import start_ticks
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.package.sound_track import RATE_HZ
from streamstgs.codec.publish.live_sound import LiveSound, SceneSound
from streamstgs.codec.publish.publisher import Publisher
from streamstgs.codec.scene import OpenSettings, Scene
from streamstgs.codec.streaming.locate import open_uncached
from streamstgs.codec.video.mp4_boxes import with_times


class SceneFeed:
    """Takes GOPs from a scene; after the last one it begins again.

    Args:
        location: path or URL of a scene.
        with_sound: whether its sound is published, too.

    Raises:
        CodecError: it cannot be opened, or its segments are too long for sound.
    """

    def __init__(self, location: str, with_sound: bool = True) -> None:
        self._files = open_uncached(location)
        self._manifest = manifest = read_manifest(self._files.manifest, self._files.read)
        self._sound: LiveSound | None = None
        if manifest.sound is not None and with_sound:
            self._sound = LiveSound(manifest.sound.channels, manifest.meta.fps)
            self._sound.check_length(max(frames for frames, _ in manifest.times.runs))
            self._samples = SceneSound(Scene(self._files, manifest, OpenSettings()))

    @property
    def gop_count(self) -> int:
        """Number of GOPs of the scene."""
        return len(self._manifest.times)

    @property
    def header(self) -> Manifest:
        """The scene without GOPs."""
        manifest = self._manifest
        static = (replace(e, file=replace(e.file, at=None)) for e in manifest.static)
        qualities = (replace(e, init=replace(e.init, at=None)) for e in manifest.representations)
        poster = manifest.poster
        if poster is not None:
            poster = replace(poster, file=replace(poster.file, at=None))
        return replace(
            manifest,
            gops=(),
            live=None,
            sound=None if self._sound is None else self._sound.header,
            static=tuple(static),
            representations=tuple(qualities),
            poster=poster,
        )

    def duration_s(self, number: int) -> float:
        """Content seconds of a GOP; numbers count on over the repeats."""
        return self._manifest.times[number % self.gop_count] / self._manifest.meta.fps

    def publish_header(self, publisher: Publisher) -> None:
        """Write what all GOPs share: static layers, initialisation segments, poster.

        Raises:
            CodecError: a file cannot be read or written.
        """
        manifest = self._manifest
        files = [layer.file for layer in manifest.static]
        files += [entry.init for entry in manifest.representations]
        if manifest.poster is not None:
            files.append(manifest.poster.file)
        for file in files:
            publisher.write(file.name, self._files.read(file))
        if self._sound is not None:
            publisher.write(self._sound.header.init.name, self._sound.init)

    def publish(self, publisher: Publisher, number: int, start_frame: int) -> None:
        """Write the files of a GOP under names of its number, and append it.

        Raises:
            CodecError: its files cannot be read or written.
        """
        gop = self._manifest.gops[number % self.gop_count]
        ticks = start_ticks(start_frame, self._manifest.meta.fps)

        def moved(file: FileEntry, folder: str, times: bool = False) -> FileEntry:
            data = self._files.read(file)
            suffix = PurePosixPath(file.name).suffix
            data = with_times(data, ticks) if times else data
            return publisher.write(f"{folder}/{number:06d}{suffix}", data)

        layers = tuple(
            replace(layer, file=moved(layer.file, f"keyframes/{k}"))
            for k, layer in enumerate(gop.layers)
        )
        qps = [entry.qp for entry in self._manifest.representations]
        segments = tuple(
            replace(segment, file=moved(segment.file, f"features/qp{qp}", times=True))
            for qp, segment in zip(qps, gop.segments, strict=True)
        )
        field = moved(gop.field, "fields")
        sound = self._publish_sound(publisher, number, start_frame)
        publisher.append(_replaced(gop, layers=layers, segments=segments, field=field, sound=sound))

    def _publish_sound(
        self, publisher: Publisher, number: int, start_frame: int
    ) -> FileEntry | None:
        if self._sound is None:
            return None
        times, fps = self._manifest.times, self._manifest.meta.fps
        place = number % self.gop_count
        shift = round((start_frame - times.start(place)) / fps * RATE_HZ)
        span = start_frame, start_frame + times[place]
        return self._sound.write_gop(
            number, span, lambda first, count: self._samples.read(first - shift, count),
            publisher.write,
        )  # fmt: skip

    def close(self) -> None:
        """Close the scene."""
        self._files.close()


def _replaced(gop: GopEntry, **changes: object) -> GopEntry:
    return replace(gop, **changes)  # type: ignore[arg-type]
