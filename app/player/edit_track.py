"""Keys in the order of their times, with the edits that a person makes to them and their undo."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from psygnal import Signal

SAME_TIME_S = 1e-6  # closer keys are one
UNDO_STEPS = 200


class Key(Protocol):
    """A frozen dataclass that belongs to a time."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def time_s(self) -> float: ...


K = TypeVar("K", bound=Key)


@dataclass(frozen=True)
class TrackState(Generic[K]):
    """Everything that an edit can change; `EditTrack.snapshot` returns it.

    Args:
        keys: The keys in the order of their times.
        switch: The option of the track, such as constant speed.
    """

    keys: tuple[K, ...] = ()
    switch: bool = False


class EditTrack(Generic[K]):
    """Editable keys with bounded undo and redo. Owner: the thread of the viewer model.

    Each edit is one step of undo. Edits inside `with track.one_edit():` are one step together, such
    as those of a key that is dragged.
    """

    changed = Signal()

    def __init__(self, keys: Sequence[K] = (), switch: bool = False) -> None:
        self._state: TrackState[K] = TrackState(_ordered(keys), switch)
        self._undo: list[TrackState[K]] = []
        self._redo: list[TrackState[K]] = []
        self._depth = 0  # of nested edits

    def __len__(self) -> int:
        return len(self._state.keys)

    def __iter__(self) -> Iterator[K]:
        return iter(self._state.keys)

    def __getitem__(self, index: int) -> K:
        return self._state.keys[index]

    @property
    def duration_s(self) -> float:
        """The time of the last key; 0 while there is none."""
        return self._state.keys[-1].time_s if self._state.keys else 0.0

    def add(self, key: K) -> int:
        """Add a key and return its index; one at the same time is replaced."""
        with self.one_edit():
            return self._put(key)

    def replace(self, index: int, key: K) -> int:
        """Put another key in the place of one and return its index.

        Raises:
            IndexError: There is no such key.
        """
        with self.one_edit():
            self._take(index)
            return self._put(key)

    def move(self, index: int, time_s: float) -> int:
        """Give a key another time and return its new index.

        Raises:
            IndexError: There is no such key.
        """
        with self.one_edit():
            return self._put(replace(self._take(index), time_s=time_s))

    def copy(self, index: int, time_s: float) -> int:
        """Repeat a key at another time and return the index of the copy.

        Raises:
            IndexError: There is no such key.
        """
        return self.add(replace(self[index], time_s=time_s))

    def remove(self, index: int) -> None:
        """Remove a key.

        Raises:
            IndexError: There is no such key.
        """
        with self.one_edit():
            self._take(index)

    def clear(self) -> None:
        """Remove all keys."""
        with self.one_edit():
            self._state = replace(self._state, keys=())

    def snapshot(self) -> TrackState[K]:
        """The current state, for `restore`; later edits do not change the snapshot."""
        return self._state

    def restore(self, snapshot: TrackState[K]) -> None:
        """Go back to a `snapshot`; this is an edit, too.

        Raises:
            TypeError: The value is no snapshot.
        """
        if not isinstance(snapshot, TrackState):
            raise TypeError(f"{snapshot!r} is no snapshot of a track")
        with self.one_edit():
            self._state = snapshot

    # --- undo -------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit that was taken back."""
        return bool(self._redo)

    def undo(self) -> bool:
        """Take the last edit back; returns whether there was one."""
        return self._step(self._undo, self._redo)

    def redo(self) -> bool:
        """Do the edit again that was taken back last; returns whether there was one."""
        return self._step(self._redo, self._undo)

    @contextmanager
    def one_edit(self) -> Iterator[None]:
        """Make the edits of a block one step of undo and one `changed`; an error undoes them."""
        before, self._depth = self._state, self._depth + 1
        try:
            yield
        except BaseException:
            self._state = before
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            if self._state != before:
                self._undo = [*self._undo[1 - UNDO_STEPS :], before]
                self._redo = []
            self.changed.emit()

    def _step(self, source: list[TrackState[K]], target: list[TrackState[K]]) -> bool:
        if not source:
            return False
        target.append(self._state)
        self._state = source.pop()
        self.changed.emit()
        return True

    def _put(self, key: K) -> int:
        keys = self._state.keys
        times = [other.time_s for other in keys]
        index = bisect_left(times, key.time_s - SAME_TIME_S)
        same = index < len(times) and abs(times[index] - key.time_s) <= SAME_TIME_S
        kept = (*keys[:index], key, *keys[index + same :])
        self._state = replace(self._state, keys=kept)
        return index

    def _take(self, index: int) -> K:
        keys = self._state.keys
        taken = keys[index]
        index %= len(keys)
        self._state = replace(self._state, keys=keys[:index] + keys[index + 1 :])
        return taken


def _ordered(keys: Sequence[K]) -> tuple[K, ...]:
    """Keys in the order of their times; the later one of two at the same time."""
    kept: list[K] = []
    for key in sorted(keys, key=lambda key: key.time_s):
        if kept and key.time_s - kept[-1].time_s <= SAME_TIME_S:
            kept.pop()
        kept.append(key)
    return tuple(kept)
