"""Writes files and directories for all commands: whole or not at all.

Everything is written beside the target under a name of its own, synced, and renamed. Until then an
older file stays as it is; an error, Ctrl+C or a signal leaves nothing behind. What must not be
replaced is refused by `check_output`, which commands call before they begin to work.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from streamstgs.codec.errors import WriteError

PREFIX = ".partial-"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
OS_ERROR = re.compile(r"\(os error (\d+)\)")
TORCH_WRITER = "inline_container"  # the place in torch's sources that reports a failed write
FULL_BELOW_BYTES = 1 << 20  # less free space than this after a failure: it was the cause
KINDS = {
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a directory",
}  # fmt: skip


def check_output(path: Path | str) -> Path:
    """Where a file will be written: `~` expanded, links resolved.

    Raises:
        WriteError: the target is there and no regular file, or its directory cannot be written.
    """
    target = _resolved(path)
    mode = _mode(target)
    if mode is not None and not stat.S_ISREG(mode):
        raise WriteError(f"{path} is {KINDS.get(stat.S_IFMT(mode), 'no file')}; name a file")
    _check_parent(target, path)
    return target


def check_output_directory(path: Path | str, is_ours: Callable[[Path], bool]) -> Path:
    """Where a directory will be written; otherwise as `check_output`.

    Args:
        is_ours: whether an existing directory that is not empty may be replaced.
    """
    target = _resolved(path)
    mode = _mode(target)
    if mode is not None and not stat.S_ISDIR(mode):
        kind = "a file" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "no directory")
        raise WriteError(f"{path} is {kind}; name a directory")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise WriteError(f"{path} is the working directory or above it; name another one")
    if mode is not None and any(target.iterdir()) and not is_ours(target):
        raise WriteError(f"{path} holds other files; it is left as it is")
    _check_parent(target, path)
    return target


@contextlib.contextmanager
def output_file(path: Path | str) -> Iterator[Path]:
    """Yields a path to write to, with the target's name; the file takes the target's place.

    Raises:
        WriteError: as `check_output`; or the file cannot be written, for example because the disk
            is full. The message names the target.
    """
    target = check_output(path)
    with beside(target) as partial:
        yield partial
        partial.chmod(_new_mode(target))
        _sync(partial)
        os.replace(partial, target)


@contextlib.contextmanager
def output_directory(path: Path | str, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Yields an empty directory to fill; it takes the target's place. Otherwise as `output_file`.

    Args:
        is_ours: whether an existing directory that is not empty may be replaced.
    """
    target = check_output_directory(path, is_ours)
    with beside(target) as partial:
        partial.mkdir()
        yield partial
        for file in partial.rglob("*"):
            _sync(file)
        _exchange(partial, target)


def write_json(path: Path | str, document: Any) -> None:
    """Write a JSON file as `output_file` does."""
    text = json.dumps(document, indent=2) + "\n"
    with output_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A path of the target's name in a new directory beside it; the directory is removed.

    Raises:
        WriteError: nothing can be written there, for example because the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
    except OSError as error:
        raise WriteError(f"{target} cannot be written: {error.strerror}") from error
    try:
        yield folder / target.name
        _sync(target.parent)
    except Exception as error:
        problem = _problem(error, folder)
        if problem is None:
            raise
        raise WriteError(f"{target} cannot be written: {problem}") from error
    except BaseException as interrupt:  # Ctrl+C or a signal
        interrupt.add_note(f"{target} was not written.")
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _problem(error: Exception, folder: Path) -> str | None:
    """Why writing below a folder failed; None for an error that has another cause.

    Libraries hide a full disk in errors of their own, so the free space is asked as well.
    """
    told = OS_ERROR.search(str(error))  # how libraries in Rust tell the number
    number = error.errno if isinstance(error, OSError) else int(told[1]) if told else None
    if number in FULL:
        return "the disk is full"
    with contextlib.suppress(OSError):
        if shutil.disk_usage(folder).free < FULL_BELOW_BYTES:
            return "the disk is full"
    if TORCH_WRITER in str(error):  # torch tells no number
        return "the disk is full, or files may not be so large here"
    name = getattr(error, "filename", None)
    if isinstance(error, OSError) and name and folder in Path(os.fsdecode(name)).parents:
        return error.strerror or str(error)
    return None


def _resolved(path: Path | str) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a link to itself; a user that is not known
        raise WriteError(f"{path} cannot be followed: {error}") from error


def _mode(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise WriteError(f"{target} cannot be written: {error.strerror}") from error


def _check_parent(target: Path, path: Path | str) -> None:
    """The nearest directory above the target that exists can be written to."""
    above = next(p for p in target.parents if p.exists())
    if not above.is_dir():
        raise WriteError(f"{path} cannot be written: {above} is no directory")
    if not os.access(above, os.W_OK | os.X_OK):
        raise WriteError(f"{path} cannot be written: no permission to write to {above}")


def _new_mode(target: Path) -> int:
    """Permissions of the file that is replaced, or those that a new file gets."""
    mode = _mode(target)
    if mode is not None:
        return stat.S_IMODE(mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _exchange(new: Path, target: Path) -> None:
    """Put a directory in the place of another one, which comes back if that fails."""
    old = new.with_name("old")
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


def _sync(path: Path) -> None:
    """Ask the system to put a file or directory on the disk; where it cannot, it need not."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
