"""Which video or which images show a camera: one rule for all layouts whose files do not say it.

A camera is looked for by its name in the folder of the capture and in the folders that programs
write to. What is found twice is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from streamstgs.trainer.datasets.files import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    find,
    numbered_frames,
)
from streamstgs.trainer.errors import CaptureError

# A video, or images by their frame number.
Source = Path | dict[int, Path]
PLACES = ("", "videos", "images", "ims", "frames", "input")


def find_source(folder: Path, camera: str, places: Sequence[str] = PLACES) -> Source | None:
    """The frames of a camera: a video of its name, or a folder of its name with images.

    Returns:
        None where there is neither.

    Raises:
        CaptureError: both, or several of them, are there.
        ValueError: the name leads out of the folder.
    """
    found = sources_named(folder, camera, places)
    if len(found) > 1:
        names = [_shown(path, folder) for path in found]
        raise CaptureError(
            f"camera {camera}: its frames can be {' or '.join(names)}; move the others away"
        )
    if not found:
        return None
    return numbered_frames(found[0], camera) if found[0].is_dir() else found[0]


def sources_named(folder: Path, camera: str, places: Sequence[str] = PLACES) -> list[Path]:
    """Videos and folders of images with the name of a camera; otherwise as `find_source`."""
    found = []
    for place in places:
        base = find(folder, place) if place else folder
        if base is None or not base.is_dir():
            continue
        videos = (find(base, f"{camera}{suffix}") for suffix in sorted(VIDEO_SUFFIXES))
        found += [video for video in videos if video is not None and video.is_file()]
        images = find(base, camera)
        if images is not None and holds_images(images):
            found.append(images)
    return found


def holds_images(folder: Path) -> bool:
    """True for a folder with images in it that are not hidden."""
    return folder.is_dir() and any(is_image(path) for path in folder.iterdir())


def is_image(path: Path) -> bool:
    """True for the name of an image that is not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def is_video(path: Path) -> bool:
    """True for the name of a video that is not hidden."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")


def all_sources(folder: Path, places: Sequence[str] = PLACES) -> list[str]:
    """Names of all cameras that have a video or a folder of images in one of the places."""
    names: list[str] = []
    for place in places:
        base = find(folder, place) if place else folder
        if base is None or not base.is_dir():
            continue
        for path in sorted(base.iterdir()):
            if is_video(path):
                names.append(path.stem)
            elif holds_images(path) and path.name not in places:
                names.append(path.name)
    return list(dict.fromkeys(names))


def longest_start(name: str, sources: Iterable[str]) -> str | None:
    """The longest source that a name is, or starts with before a character that is no letter or
    digit: `cam1` of `cam1_0000`, not of `cam10`."""
    fitting = [
        s for s in sources if name == s or (name.startswith(s) and not name[len(s)].isalnum())
    ]
    return max(fitting, key=len, default=None)


def _shown(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    return f"the images of {name}" if path.is_dir() else name
