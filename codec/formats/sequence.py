"""Sequences: a folder, a ZIP archive, or a pattern of names, with one splat file for each frame.

    frames/                 a folder whose files have numbers in their names
    frames.zip              the same in an archive, stored or deflated
    frames/scene_*.ply      those of a folder that fit; also frames/scene_%04d.ply
    frames/scene_{8..20..2}.ply    those with the numbers 8, 10, and so on up to 20

Frames are in the order of the numbers: frame_2 comes before frame_10. All are of the most frequent
suffix; others in the folder are ignored. Sequences do not tell their frame rate: 30 frames per
second, unless the caller says otherwise.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.file_sets import FileSet, FolderFiles
from streamstgs.codec.limits import SEQUENCE_FRAMES
from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.streaming.address import is_url

SUFFIXES = (".ply", ".spz", ".sog", ".splat", ".ksplat", ".glb")
OTHER_FILES = 10_000  # in the folder, beside the frames
NUMBER = re.compile(r"\d+")
PRINTF = re.compile(r"%0?\d{0,2}d")
RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})(?:\.\.([1-9]\d{0,8}))?\}")
DIGITS = 9  # of a number in a range
FEWEST_DROPPED = 3  # files; fewer are scenes rather than frames
LOOKED_AT = 1_000  # files of a folder, to tell whether it is a sequence


def is_pattern(name: str) -> bool:
    """Whether a path names several files."""
    last = Path(name).name
    several = PRINTF.search(last) or RANGE.search(last) or "*" in last
    return last.lower().endswith(SUFFIXES) and bool(several)


def looks_like_sequence(names: Iterable[str]) -> bool:
    """Whether some of the first names are those of splat files."""
    return any(
        name.lower().endswith(SUFFIXES) for name, _ in zip(names, range(LOOKED_AT), strict=False)
    )


def frame_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of the frames, in the order of time.

    Raises:
        CorruptSegment: there are none, or too many; the message does not name the place.
    """
    names = [name for name in names if not _is_hidden(name)]
    splats = [name for name in names if name.lower().endswith(SUFFIXES)]
    if not splats:
        inner = next((name for name in names if name.endswith(f"/{MANIFEST_NAME}")), "")
        if inner:
            raise CorruptSegment(
                f"it holds a scene in its folder {inner.rpartition('/')[0][:100]}; unpack it and "
                "open that folder."
            )
        raise CorruptSegment(f"it holds no frames: files whose names end in {', '.join(SUFFIXES)}.")
    suffixes = Counter(PurePosixPath(name).suffix.lower() for name in splats)
    chosen = max(suffixes, key=lambda suffix: (suffixes[suffix], -SUFFIXES.index(suffix)))
    frames = sorted((name for name in splats if name.lower().endswith(chosen)), key=_in_order)
    if len(frames) > SEQUENCE_FRAMES:
        raise CorruptSegment(
            f"it holds {len(frames)} frames; at most {SEQUENCE_FRAMES} can be played."
        )
    return tuple(frames)


def open_pattern(pattern: str) -> tuple[FileSet, tuple[str, ...]]:
    """The files of a pattern's folder, and those that fit; raises NotAScene or CorruptSegment."""
    path = Path(pattern)
    files = FolderFiles(path.parent, SEQUENCE_FRAMES + OTHER_FILES)
    return files, frame_names(filter(_matcher(path.name), files.names))


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits to a pattern."""
    span = RANGE.search(pattern)
    if span is None:
        glob = PRINTF.sub("*", pattern)
        return lambda name: fnmatch.fnmatchcase(name, glob)
    first, last, step = int(span[1]), int(span[2]), int(span[3] or 1)
    numbered = re.compile(
        re.escape(pattern[: span.start()]) + r"(\d{1,18})" + re.escape(pattern[span.end() :])
    )

    def fits(name: str) -> bool:
        found = numbered.fullmatch(name)
        return found is not None and int(found[1]) in range(first, last + 1, step)

    return fits


def common_pattern(locations: Sequence[str]) -> str | None:
    """The pattern of several files that are the frames of a sequence; None for other files.

    Frames lie in one folder, and their names differ in one number. Files between the first and the
    last number belong to the sequence, too, unless the numbers go up in equal steps without them.
    """
    paths = [Path(location) for location in locations]
    if len(paths) < FEWEST_DROPPED or len({path.parent for path in paths}) > 1:
        return None
    if any(is_url(text) for text in locations) or not paths[0].name.lower().endswith(SUFFIXES):
        return None
    texts = {tuple(NUMBER.split(path.name)) for path in paths}
    groups = [NUMBER.findall(path.name) for path in paths]
    if len(texts) > 1 or not groups[0]:
        return None
    changing = [k for k, values in enumerate(zip(*groups, strict=True)) if len(set(values)) > 1]
    if len(changing) != 1 or any(len(group[changing[0]]) > DIGITS for group in groups):
        return None
    numbers = sorted({int(group[changing[0]]) for group in groups})
    steps = {later - number for number, later in itertools.pairwise(numbers)}
    step = f"..{steps.pop()}" if len(steps) == 1 and steps != {1} else ""
    parts = list(groups[0])
    parts[changing[0]] = f"{{{numbers[0]}..{numbers[-1]}{step}}}"
    first, *later = next(iter(texts))
    name = first + "".join(number + text for number, text in zip(parts, later, strict=True))
    return str(paths[0].parent / name)


def open_folder(path: Path) -> tuple[FileSet, tuple[str, ...]]:
    """The files of a folder, and its frames; raises NotAScene or CorruptSegment."""
    files = FolderFiles(path, SEQUENCE_FRAMES + OTHER_FILES)
    return files, frame_names(files.names)


def _is_hidden(name: str) -> bool:
    """Files such as ._frame.ply, which macOS puts beside others in archives."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _in_order(name: str) -> tuple[list[str | int], str]:
    """Numbers count as numbers: text and numbers of a name alternate, beginning with text."""
    text, numbers = NUMBER.split(name), NUMBER.findall(name)
    parts: list[str | int] = [text[0]]
    for number, following in zip(numbers, text[1:], strict=True):
        parts += [int(number[:18]), following]
    return parts, name
