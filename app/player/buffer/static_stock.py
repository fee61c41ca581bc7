"""Static layers in memory. Most scenes have one set; others have one for each period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streamstgs.renderer import Gaussians


@dataclass
class StaticStock:
    """The static layers of the GOPs of one period.

    Args:
        gop: A GOP that is shown with them; None for the layers of scene.json.
        sizes: Bytes of each layer, most important first.
        quality_db: As `Ladder.static_quality_db`.
        gaussians: The decoded ones, on the device.
        packets: Layer -> file of a layer that is fetched and not decoded; None if it could not be
            fetched.
        fetched, decoded: How many layers are finished, failed ones included.
        part_bytes: Received bytes of the next layer, whose transfer was stopped.
    """

    gop: int | None
    sizes: tuple[int, ...]
    quality_db: tuple[float, ...]
    gaussians: Gaussians
    packets: dict[int, bytes | None] = field(default_factory=dict)
    fetched: int = 0
    decoded: int = 0
    part_bytes: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether no layer is left to decode."""
        return self.decoded == len(self.sizes)

    @property
    def is_visible(self) -> bool:
        """Whether the first layer is decoded, which makes the scene visible."""
        return self.decoded > 0 or not self.sizes


class StaticStocks:
    """Which GOP is shown with which static layers. Not locked: its owner locks.

    Args:
        shared: The layers of scene.json.
    """

    def __init__(self, shared: StaticStock) -> None:
        self.shared = shared
        self._of_files: dict[tuple[str, ...], StaticStock] = {}
        self._files: dict[int, tuple[str, ...] | None] = {}  # of GOPs whose page is read

    def knows(self, gop: int) -> bool:
        """Whether the period of a GOP is known."""
        return gop in self._files

    def note(
        self, gops: Iterable[int], files: tuple[str, ...] | None, new: StaticStock | None
    ) -> None:
        """Record with which layers GOPs are shown.

        Args:
            files: Names of the files of the layers; None for those of scene.json.
            new: Kept if these layers are not in memory.
        """
        self._files.update(dict.fromkeys(gops, files))
        if files is not None and new is not None:
            self._of_files.setdefault(files, new)

    def of(self, gop: int) -> StaticStock:
        """The layers that a GOP is shown with; those of scene.json if that is not known."""
        files = self._files.get(gop)
        return self.shared if files is None else self._of_files[files]

    def all(self) -> list[StaticStock]:
        """Those in memory."""
        return [self.shared, *self._of_files.values()]

    def keep(self, gops: Iterable[int]) -> None:
        """Forget the periods that none of these GOPs belongs to, and their GOPs."""
        kept = {self._files.get(gop) for gop in gops}
        self._of_files = {files: of for files, of in self._of_files.items() if files in kept}
        self._files = {
            gop: files for gop, files in self._files.items() if files is None or files in kept
        }
