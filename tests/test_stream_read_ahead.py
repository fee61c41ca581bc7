"""Fetching runs ahead of decoding, and only for what is still wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled, SceneUnreachable
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.streaming.read_ahead import ReadAhead

from tests.cancel_tokens import cancelled_when

A, B, C = (FileEntry(name, 1, 0) for name in "abc")


class Source:
    """Brings files when the test lets it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.open = True
        self.failures: set[str] = set()

    def __call__(self, file: FileEntry, cancel: CancelToken) -> bytes:
        with self.changed:
            self.begun.append(file.name)
            self.changed.notify_all()
            while not self.open:
                if cancel.cancelled:
                    self.cancelled.append(file.name)
                    self.changed.notify_all()
                    raise Cancelled(file.name)
                self.changed.wait(0.005)
        if file.name in self.failures:
            raise SceneUnreachable(file.name)
        return file.name.encode()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, 10.0)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def ahead(source: Source) -> Iterator[ReadAhead]:
    before = set(threading.enumerate())
    made = ReadAhead(source)
    yield made
    made.close()
    made.close()
    assert set(threading.enumerate()) <= before


def test_listed_files_are_prefetched_in_order(source: Source, ahead: ReadAhead) -> None:
    ahead.request([A, B, C])
    source.wait_for(lambda: sorted(source.begun) == ["a", "b", "c"])
    assert [ahead.take(file, NEVER) for file in (C, A, B)] == [b"c", b"a", b"b"]
    assert ahead.take(A, NEVER) == b"a"  # a reader that gave up in between finds it again
    ahead.request([])
    assert ahead.take(A, NEVER) is None
    assert sorted(source.begun) == ["a", "b", "c"]


def test_files_that_stay_listed_are_fetched_once(source: Source, ahead: ReadAhead) -> None:
    ahead.request([A, B])
    ahead.request([B, C])
    assert ahead.take(A, NEVER) is None
    assert ahead.take(B, NEVER) == b"b"
    assert ahead.take(C, NEVER) == b"c"
    assert source.begun.count("b") == 1


def test_files_no_longer_listed_are_cancelled(source: Source, ahead: ReadAhead) -> None:
    source.open = False
    ahead.request([A, B])
    source.wait_for(lambda: sorted(source.begun) == ["a", "b"])
    ahead.request([C, B])
    source.wait_for(lambda: "c" in source.begun)
    assert source.cancelled == ["a"]
    source.open = True
    assert ahead.take(C, NEVER) == b"c"


def test_cancelled_reader_finds_the_file_later(source: Source, ahead: ReadAhead) -> None:
    source.open = False
    ahead.request([A])
    with cancelled_when(lambda: bool(source.begun)) as token, pytest.raises(Cancelled):
        ahead.take(A, token)
    ahead.request([A])
    source.open = True
    assert ahead.take(A, NEVER) == b"a"
    assert source.begun == ["a"]


def test_failures_are_raised_once_and_retried(source: Source, ahead: ReadAhead) -> None:
    source.failures = {"a", "b"}
    ahead.request([A, B])
    with pytest.raises(SceneUnreachable):
        ahead.take(A, NEVER)
    source.failures.clear()
    assert ahead.take(B, NEVER) is None  # the line has ended
    ahead.request([A, B])
    assert [ahead.take(file, NEVER) for file in (A, B)] == [b"a", b"b"]


def test_closing_ends_threads_and_waiting_readers(source: Source) -> None:
    source.open = False
    ahead = ReadAhead(source)
    ahead.request([C, A, B])
    source.wait_for(lambda: sorted(source.begun) == ["a", "c"])
    ends: list[object] = []

    def wait() -> None:
        try:
            ends.append(ahead.take(B, NEVER))
        except Cancelled as error:
            ends.append(error)

    reader = threading.Thread(target=wait)
    reader.start()
    ahead.close()
    reader.join(10.0)
    assert sorted(source.begun) == ["a", "c"]
    assert [end is None or isinstance(end, Cancelled) for end in ends] == [True]
    ahead.request([C])
    assert ahead.take(C, NEVER) is None
