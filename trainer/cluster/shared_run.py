"""Files of a capture and of a run, in a store that all machines of a cluster reach (fsspec)."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
from filelock import FileLock
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.trainer.errors import TrainerError
from streamstgs.trainer.run_directory import LOCK_NAME, RunDirectory
from streamstgs.trainer.stage_settings import GopStageSettings
from streamstgs.trainer.training_record import changed_settings

COMPLETE = ".complete"  # written last into a folder that was copied
PUSH_S = 5.0  # a checkpoint is looked for this often


class SharedFolder:
    """A folder in a store.

    Args:
        address: An address that fsspec knows, such as s3://bucket/run, or a path.

    Raises:
        TrainerError: The address is of a kind that fsspec does not know.
    """

    def __init__(self, address: str) -> None:
        self.address = self._shown = redact_credentials(address)
        try:
            self._files, root = fsspec.core.url_to_fs(address)
        except (ValueError, ImportError, OSError) as error:
            raise TrainerError(f"{self._shown} cannot be used: {error}") from error
        self._root = root.rstrip("/")

    def push(self, path: Path, name: str | None = None) -> None:
        """Copy a file into the folder, whole or not at all as far as its store can. TrainerError:
        it fails."""
        target = f"{self._root}/{name or path.name}"
        with self._errors(target):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(path), target + ".part")
            self._files.mv(target + ".part", target)

    def pull(self, name: str, path: Path) -> bool:
        """Copy a file out of the folder; returns whether there was one. TrainerError: it fails."""
        source = f"{self._root}/{name}"
        with self._errors(source):
            if not self._files.exists(source):
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".part-{os.getpid()}-{path.name}")
            self._files.get_file(source, str(partial))
            os.replace(partial, path)
            return True

    def drop(self, name: str) -> None:
        """Delete a file of the folder, if it is there."""
        with self._errors(name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    def names(self) -> list[str]:
        """Paths of all files below the folder, relative to it."""
        with self._errors(self._root):
            self._files.invalidate_cache()
            found = self._files.find(self._root)
        return [path[len(self._root) + 1 :] for path in map(str, found)]

    def pull_all(self, target: Path) -> None:
        """Copy the folder, once for all processes of a machine."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if (target / COMPLETE).exists():
                return
            for name in self.names():
                if ".." in Path(name).parts or name.startswith("/"):
                    raise TrainerError(f"{self._shown} names a file that leads out of it: {name}")
                self.pull(name, target / name)
            target.mkdir(exist_ok=True)
            (target / COMPLETE).touch()

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except TrainerError:
            raise
        except Exception as error:  # each store has errors of its own
            raise TrainerError(f"{redact_credentials(what)} cannot be copied: {error}") from error


def push_run(run: Path, store: SharedFolder) -> None:
    """Copy what GOPs need of a run into the store.

    Raises:
        TrainerError: The store fails, or it holds another run, whose checkpoints would be taken for
            those of this one.
    """
    _check_same_run(run, store)
    for path in sorted(run.iterdir()):
        is_input = path.is_file() and path.name != LOCK_NAME and not path.name.startswith("gop-")
        if is_input or path.name.endswith(".checkpoint.pt"):
            store.push(path)


def _check_same_run(run: Path, store: SharedFolder) -> None:
    with tempfile.TemporaryDirectory(prefix="streamstgs-run-") as folder:
        here, there = RunDirectory(run), RunDirectory(Path(folder))
        for name in ("config.json", "capture.json"):
            store.pull(name, there.path / name)
        now, begun = here.read_config(), there.read_config()
        if now is None or begun is None:
            return
        if changed_settings(begun, now) or there.read_identity() != here.read_identity():
            raise TrainerError(
                f"{store.address} holds another run; name another folder with --cluster-storage, "
                "or empty this one"
            )


def pull_gop(run: RunDirectory, index: int, store: SharedFolder) -> None:
    """Copy what came of a GOP into the run; what tells that it is trained comes last."""
    stem = run.gop_path(index).stem
    last = run.gop_path(index).name
    for name in [n for n in store.names() if n.startswith(f"{stem}.") and n != last]:
        if not name.endswith(".checkpoint.pt"):
            store.pull(name, run.path / name)
    store.pull(last, run.gop_path(index))


@contextlib.contextmanager
def local_copy(settings: GopStageSettings, index: int, store: str) -> Iterator[GopStageSettings]:
    """Yields settings of a run on this machine, whose checkpoints and results go to the store.

    Args:
        index: The GOP to train.
        store: Address of the run in the store.
    """
    shared = SharedFolder(store)
    with tempfile.TemporaryDirectory(prefix="streamstgs-gop-") as folder:
        run = RunDirectory(Path(folder))
        stem = run.gop_path(index).stem
        for name in shared.names():
            if not name.startswith("gop-") or name.startswith(f"{stem}."):
                shared.pull(name, run.path / name)
        with _pushed_checkpoints(run, index, shared):
            yield replace(settings, out=run.path)
        finished = run.gop_path(index)
        for path in sorted(run.path.glob(f"{stem}.*"), key=lambda path: path == finished):
            shared.push(path)  # what tells that it is trained comes last
        shared.drop(run.checkpoint_path(index).name)


@contextlib.contextmanager
def _pushed_checkpoints(run: RunDirectory, index: int, store: SharedFolder) -> Iterator[None]:
    """Copy each new checkpoint of a GOP to the store while it is trained."""
    checkpoint, ended = run.checkpoint_path(index), threading.Event()
    pushed = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

    def watch() -> None:
        nonlocal pushed
        while not ended.wait(PUSH_S):
            with contextlib.suppress(OSError, TrainerError):  # the next one is tried again
                found = checkpoint.stat().st_mtime_ns
                if found != pushed:
                    store.push(checkpoint)
                    pushed = found

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
