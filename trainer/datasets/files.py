"""Finds the files of a capture, and decides which file shows which frame: one rule for all layouts.

A name is matched as people and file systems write it: either slash, any case of letters, composed
or decomposed Unicode. Where two files or two readings of a name are possible, both are named in a
`CaptureError`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}


def read_json(path: Path) -> Any:
    """The document of a JSON file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises CaptureError in one short line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from error
    encoding = json.detect_encoding(content)
    try:
        return json.loads(content.decode(encoding), object_pairs_hook=_members)
    except UnicodeDecodeError as error:
        raise CaptureError(f"{path} is not text in {encoding}: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise CaptureError(f"{path} is not JSON: {short(error)}") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that has a member twice has two readings, and raises ValueError."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{short(twice, 40)!r} is given twice in one object")
    return members


MALFORMED = (
    TypeError, ValueError, OverflowError, IndexError, AttributeError, np.linalg.LinAlgError,
)  # fmt: skip


@contextmanager
def refused_if_malformed(path: Path) -> Iterator[None]:
    """Raise CaptureError, which names the file, for what reading a malformed document raises."""
    try:
        yield
    except KeyError as error:
        raise CaptureError(f"{path} has no {error}") from error
    except CaptureError:
        raise
    except MALFORMED as error:
        raise CaptureError(f"{path}: {type(error).__name__}: {short(error)}") from error


def short(error: object, most: int = 160) -> str:
    """An error's text in one line of at most `most` characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= most else text[: most - 3] + "..."


def find(folder: Path, name: str) -> Path | None:
    """The file or folder called `name` below `folder`; None where there is none.

    Raises:
        CaptureError: two files of the folder answer to the name.
        ValueError: the name leads out of the folder.
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    drive = re.match(r"[A-Za-z]:", name)
    if parts.is_absolute() or drive or ".." in parts.parts:
        raise ValueError(f"{name!r} leads out of the capture")
    found = folder
    for part in parts.parts:
        below = _entry(found, part)
        if below is None:
            return None
        found = below
    return found


def _entry(folder: Path, name: str) -> Path | None:
    exact = folder / name
    try:
        if exact.exists():
            return exact
    except (OSError, ValueError):  # longer than names are, or with a zero byte
        return None
    if not folder.is_dir():
        return None
    alike = [p for p in folder.iterdir() if _plain(p.name) == _plain(name)]
    if len(alike) > 1:
        listed = " and ".join(sorted(p.name for p in alike))
        raise CaptureError(f"{folder}: {name} can be {listed}; rename one of them")
    return alike[0] if alike else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def numbered_frames(folder: Path, camera: str) -> dict[int, Path]:
    """Images of a folder by their frame number, in the order of the numbers.

    The frame number is the one group of digits that differs between the names. Hidden files are
    left out. Raises CaptureError, naming the camera, where the names allow two readings: two
    groups that differ, names of two kinds (pictures and masks), or one number twice.
    """
    paths = sorted(
        p
        for p in folder.iterdir()
        if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".") and p.is_file()
    )
    numbers = frame_numbers([p.stem for p in paths], f"camera {camera}: {folder}")
    frames: dict[int, Path] = {}
    for number, path in sorted(zip(numbers, paths, strict=True)):
        if number in frames:
            raise CaptureError(
                f"camera {camera}: {frames[number].name} and {path.name} of {folder} "
                f"both are frame {number}"
            )
        frames[number] = path
    return frames


def frame_numbers(stems: Sequence[str], where: str) -> list[int]:
    """The frame number in each name (without suffix). `where` begins the message of an error."""
    kinds = defaultdict(list)
    for stem in stems:
        kinds[tuple(re.split(r"\d+", stem))].append(stem)
    if len(kinds) > 1:
        examples = " and ".join(repr(names[0]) for names in list(kinds.values())[:3])
        raise CaptureError(
            f"{where} holds images with names of {len(kinds)} kinds ({examples}); only one kind "
            "can be the pictures of a camera"
        )
    groups = [[int(digits) for digits in re.findall(r"\d+", stem)] for stem in stems]
    columns = list(zip(*groups, strict=True))
    differ = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    if len(stems) > 1 and not differ:
        if not columns:
            raise CaptureError(f"{where}: the names have no frame numbers ({stems[0]!r})")
        return list(columns[-1])  # one number for all of them: the caller names the first two
    if len(differ) > 1:
        last = next(s for s in reversed(stems))
        readings = " or ".join(re.findall(r"\d+", last)[k] for k in differ)
        raise CaptureError(f"{where}: the frame number of {last!r} can be {readings}")
    column = differ[0] if differ else len(columns) - 1
    return list(columns[column]) if columns else [0] * len(stems)


def check_steps(numbers: Sequence[int], camera: str) -> None:
    """Frame numbers go up in equal steps, or a later frame would be shown at the time of another.

    Raises CaptureError, naming camera and frame.
    """
    steps = [b - a for a, b in pairwise(numbers)]
    if not steps:
        return
    usual = max(set(steps), key=steps.count)
    for number, step in zip(numbers, steps, strict=False):
        if step != usual:
            raise CaptureError(
                f"camera {camera}: after frame {number} comes {number + step}, "
                f"expected was {number + usual}"
            )


def by_numbers(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts names by the numbers in them: cam2 before cam10."""
    parts = re.split(r"(\d+)", _plain(name))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p], name


def in_camera_order(paths: Iterable[Path]) -> list[Path]:
    """Files in the order of the numbers in their names: cam2 before cam10.

    Names without digits are in the order of their letters. Raises CaptureError where two orders are
    possible: names of several kinds (cameras and masks), a number given twice, or two groups of
    digits that lead to different orders.
    """
    files = sorted(paths, key=lambda path: (_plain(path.stem), path.name))
    groups = [[int(digits) for digits in re.findall(r"\d+", path.stem)] for path in files]
    if not any(groups):
        keys = [_plain(path.stem) for path in files]
        _check_different(files, keys)
        return files
    kinds = {re.sub(r"\d+", "0", _plain(path.stem)): path.name for path in files}
    if len(kinds) > 1:
        examples = " and ".join(list(kinds.values())[:3])
        raise CaptureError(
            f"{files[0].parent}: names of {len(kinds)} kinds ({examples}) leave the order of the "
            "cameras open; rename the videos, or move away those that are none of its cameras"
        )
    columns = [c for c in zip(*groups, strict=True) if len(set(c)) > 1]
    orders = [
        [k for *_, k in sorted(zip(column, groups, range(len(files)), strict=True))]
        for column in columns
    ]
    for order in orders[1:]:
        if order != orders[0]:
            readings = " or ".join(
                f"{files[o[0]].name}, {files[o[1]].name}, ..." for o in (orders[0], order)
            )
            raise CaptureError(f"{files[0].parent}: the order of the cameras can be {readings}")
    _check_different(files, [tuple(numbers) for numbers in groups])
    return [files[k] for k in orders[0]] if orders else files


def _check_different(files: Sequence[Path], keys: Sequence[object]) -> None:
    """Raises CaptureError where two files have one key."""
    seen: dict[object, Path] = {}
    for path, key in zip(files, keys, strict=True):
        other = seen.setdefault(key, path)
        if other is not path:
            raise CaptureError(
                f"{path.parent}: {other.name} and {path.name} can be the same camera; move one away"
            )


def check_sources(sources: Sequence[tuple[str, Path]]) -> None:
    """No two cameras show one file: raises CaptureError naming both. Equal content is a warning.

    Args:
        sources: name of a camera, and its video or the image of its first frame.
    """
    by_place: dict[Path, str] = {}
    by_size = defaultdict(list)
    for camera, path in sources:
        place = path.resolve()
        if place in by_place:
            raise CaptureError(f"cameras {by_place[place]} and {camera} both show {path.name}")
        by_place[place] = camera
        by_size[path.stat().st_size].append((camera, path))
    for alike in by_size.values():
        _tell_copies(alike if len(alike) > 1 else [])


def _tell_copies(files: list[tuple[str, Path]]) -> None:
    by_content: dict[bytes, tuple[str, Path]] = {}
    for camera, path in files:
        other, same = by_content.setdefault(_digest(path), (camera, path))
        if same != path and path.suffix.lower() in VIDEO_SUFFIXES:
            log.warning(
                "cameras %s and %s: %s and %s are the same recording",
                other, camera, same.name, path.name,
            )  # fmt: skip


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
