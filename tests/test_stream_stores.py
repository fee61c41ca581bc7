"""Publishing to stores that fail: what players see is whole, and what is old is deleted."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import msgspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from streamstgs.codec import limits
from streamstgs.codec.errors import WriteError
from streamstgs.codec.package import schema
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.paged_gops import PagedGops
from streamstgs.codec.publish.feed import SceneFeed
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store
from streamstgs.codec.scene import open_scene

from tests.test_stream_live import SCENE, SETTINGS, Event


class FailingStore(MemoryFileSystem):  # type: ignore[misc]
    """An object store in memory that refuses operations, counted over all instances."""

    protocol = "failing"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    operations: ClassVar[Iterator[int]] = itertools.count()
    fails_at: ClassVar[set[int]] = set()

    def _count(self) -> None:
        if next(FailingStore.operations) in FailingStore.fails_at:
            raise ConnectionError("the upload was interrupted")

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self._count()
        super().pipe_file(path, value, mode, **kwargs)

    def rm_file(self, path: str) -> None:
        self._count()
        self._rm(path)


@pytest.fixture
def failing() -> Iterator[type[FailingStore]]:
    fsspec.register_implementation("failing", FailingStore, clobber=True)
    FailingStore.store.clear()
    FailingStore.operations, FailingStore.fails_at = itertools.count(), set()
    yield FailingStore
    FailingStore.store.clear()


def whole_manifest(store: Store) -> Manifest | None:
    """What scene.json names, after each file of each GOP was read and checked."""
    data = store.read("scene.json")
    if data is None:
        return None

    def read(file: Any, cancel: Any = None) -> bytes:
        content = store.read(file.name)
        assert content is not None, f"{file.name} is missing"
        assert file.describes(content), f"{file.name} is another file"
        return content

    manifest = read_manifest(data, read)
    gops = manifest.gops
    assert isinstance(gops, PagedGops)
    for number in range(gops.pages.available, len(gops)):
        gop = gops[number]
        files = [layer.file for layer in gop.layers] + [segment.file for segment in gop.segments]
        for file in [*files, gop.field]:
            read(file)
    for entry in manifest.static:
        read(entry.file)
    return manifest


@pytest.mark.parametrize("location", ["memory://stores/event", "failing://bucket/event"])
def test_object_stores_hold_the_whole_scene(location: str, failing: type[FailingStore]) -> None:
    event = Event(location)
    event.publish(7)
    manifest = whole_manifest(Store(location))
    assert manifest is not None
    assert list(manifest.times) == [4, 3, 4, 3, 4, 3, 4]
    event.publisher.finish()
    ended = whole_manifest(Store(location))
    assert ended is not None
    assert ended.live is None
    event.feed.close()


def test_interrupted_upload_never_leaves_a_list_of_missing_files(
    failing: type[FailingStore],
) -> None:
    """Each operation fails once; the publisher is started again and goes on."""
    settings, store = (
        replace(SETTINGS, window_s=0.6, grace_pages=1),
        Store("failing://bucket/event"),
    )
    event = Event(store.location, settings)
    known, step = 0, 0
    while known < 24:
        failing.operations, failing.fails_at = itertools.count(), {step % 29}
        with contextlib.suppress(WriteError):
            event.start()
            event.publish(3)
        step += 1
        manifest = whole_manifest(store)
        if manifest is not None:
            assert len(manifest.times) >= known
            known = len(manifest.times)
            assert list(manifest.times) == ([4, 3] * known)[:known]
        assert step < 200
    event.feed.close()


def test_segment_is_appended_once_if_announcing_it_fails(failing: type[FailingStore]) -> None:
    event = Event("failing://bucket/event", replace(SETTINGS, window_s=0.6, grace_pages=0))
    for number in range(20):
        failing.operations, failing.fails_at = itertools.count(), set()
        while event.publisher.count == number:
            first = next(failing.operations)
            failing.fails_at = {first + 1 + number % 12} if first < 60 else set()
            try:
                event.publish(1)
            except WriteError:
                assert event.publisher.count == number
    manifest = whole_manifest(Store(event.location))
    assert manifest is not None
    assert list(manifest.times) == [4, 3] * 10
    event.feed.close()


def test_next_publisher_deletes_what_another_left(tmp_path: Path) -> None:
    settings = replace(SETTINGS, window_s=0.6, grace_pages=2)
    event = Event(str(tmp_path / "event"), settings)
    for _ in range(12):
        event.publish(3)
        event.start()
    root = tmp_path / "event"
    with open_scene(root) as scene:
        kept = scene.gop_count - scene.first_gop + (settings.grace_pages + 1) * settings.per_page
    assert len(list((root / "fields").iterdir())) <= kept
    assert len(list((root / "pages").glob("*.index"))) <= 2
    (root / "pages/notes.txt").write_text("of somebody else")
    event.start()
    event.publish(1)
    assert (root / "pages/notes.txt").exists()
    event.feed.close()


def test_old_files_that_cannot_be_deleted_do_not_stop_the_event(
    failing: type[FailingStore], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = Event("failing://bucket/event", replace(SETTINGS, window_s=0.3, grace_pages=0))

    def refuse(store: FailingStore, path: str) -> None:
        raise PermissionError("no right to delete")

    with monkeypatch.context() as refusing:
        refusing.setattr(FailingStore, "rm_file", refuse)
        event.publish(12)
    assert "old files remain" in caplog.text
    before = len(failing.store)
    event.publish(1)
    assert len(failing.store) < before
    event.feed.close()


def test_an_event_without_segments_is_no_scene() -> None:
    event = Event("memory://stores/nothing")
    with pytest.raises(WriteError, match="Nothing was published"):
        event.publisher.finish()
    event.feed.close()


def test_clock_that_was_set_back_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    event = Event(str(tmp_path / "event"))
    event.publish(1)
    store, header = Store(event.location), event.feed.header
    Publisher(store, header, PublishSettings(), lambda: 1000.0)
    assert "behind that of the last publisher" in caplog.text
    event.feed.close()


@pytest.mark.parametrize("limit", ["TIME_RUNS", "PAGES", "GOPS_PER_PAGE"])
def test_publisher_lists_nothing_that_players_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """What was published until then stays as it is."""
    event = Event(str(tmp_path / "event"))
    event.publish(2)
    if limit == "TIME_RUNS":  # as after many hours, of which the first are gone
        state, times = event.publisher._state, GopTimes(((4, 1), (3, 1)) * (limits.TIME_RUNS // 2))
        first = len(times) - 2
        state.inline = [
            replace(gop, start_frame=times.start(first + k)) for k, gop in enumerate(state.inline)
        ]
        state.times, state.first, state.available = times, first, first
        event.publisher.finish()
    else:
        monkeypatch.setattr(limits, limit, 2)
    with pytest.raises(WriteError, match="beyond what players read"):
        event.publish(12)
    with open_scene(event.location) as scene:
        for number in range(scene.first_gop, scene.gop_count):
            scene.decode_gop(number, scene.qualities[0])
    event.feed.close()


def test_event_may_last_as_long_as_its_pages_allow() -> None:
    """A GOP begins at a frame that is larger than those of scenes without pages."""
    late = limits.PAGED_GOPS * limits.FRAMES_PER_GOP // 2
    feed = SceneFeed(str(SCENE))
    data = write_manifest(feed._manifest)
    document = json.loads(data)
    document["gops"][0]["start_frame"] = late
    decoded = msgspec.json.decode(json.dumps(document), type=schema.Document)
    assert decoded.gops[0].start_frame == late
    feed.close()
