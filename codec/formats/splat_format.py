"""The formats of other programs: single splat files, sequences of them, and research files.

Importing this module does not load torch; `splat_opening` does the work.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CodecError
from streamstgs.codec.file_kind import ZIP_FILE
from streamstgs.codec.formats import ksplat, sequence, sog, spz
from streamstgs.codec.formats.exchange.fourdgs_magic import MAGIC as FOURDGS_MAGIC
from streamstgs.codec.formats.exchange.gltf_document import is_gltf
from streamstgs.codec.formats.file_sets import ArchiveFiles
from streamstgs.codec.formats.npz_arrays import is_npz
from streamstgs.codec.formats.result_folders import result_file
from streamstgs.codec.formats.stgs import SUFFIX, is_zipped_scene
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME
from streamstgs.codec.ply import MAGIC
from streamstgs.codec.streaming.address import is_url

if TYPE_CHECKING:
    from streamstgs.codec.formats.reader import SceneReader
    from streamstgs.codec.scene import OpenSettings

OUR_FILES = (MANIFEST_NAME, DASH_NAME)
ZIP = ".zip"
ARCHIVES = (".sog", ".npz", ZIP)
SINGLE_FILES = (".gltf", ".4dgs")
MOST_FILES = sequence.SEQUENCE_FRAMES + sequence.OTHER_FILES  # of an archive


class SplatFormat:
    """Implements `SceneFormat` for the files of other programs."""

    name = "splats"

    def can_open(self, head: bytes, name: str) -> bool:
        """As of `SceneFormat`; lists the first files of a folder, and those of a `.zip`."""
        if is_url(name):
            return _names_splats(name)
        if name.endswith("/"):
            return _is_folder_of_splats(Path(name))
        if head.startswith((*MAGIC, FOURDGS_MAGIC)) or spz.is_spz(head):
            return True
        if ksplat.is_ksplat(head, name) or is_gltf(head, name):
            return True
        if Path(name).name == sog.META:
            return _is_folder_of_splats(Path(name).parent)
        if head.startswith(ZIP_FILE):
            return not is_zipped_scene(head) and _is_archive_of_splats(name)
        return name.lower().endswith(".splat") or sequence.is_pattern(name)

    def open(
        self,
        location: str,
        cancel: CancelToken = NEVER,
        fps: float | None = None,
        settings: OpenSettings | None = None,
    ) -> SceneReader:
        """As of `SceneFormat`.

        Args:
            fps: content frames per second; None for 30.
            settings: patience with servers, cache and listener.
        """
        from streamstgs.codec.formats.splat_opening import open_splats

        return open_splats(location, cancel, fps, settings)


def _names_splats(url: str) -> bool:
    """Whether the name in a URL is that of a splat file; the server is not asked."""
    name = url.lower()
    return name.endswith((*sequence.SUFFIXES, *SINGLE_FILES, *ARCHIVES, f"/{sog.META}"))


def _is_archive_of_splats(name: str) -> bool:
    """Whether a ZIP of any name holds splats, and no scene of ours: such are a renamed package, and
    a zipped folder. A damaged one is one of splats if its name says so."""
    named = name.lower().endswith(ARCHIVES)
    if name.lower().endswith((".sog", ".npz", SUFFIX)):
        return named
    try:
        files = ArchiveFiles.of_path(Path(name), MOST_FILES)
    except CodecError:
        return named
    files.close()
    if MANIFEST_NAME in files.names:
        return False
    held = sog.is_sog(files) or is_npz(files) or sequence.looks_like_sequence(files.names)
    return named or held


def _is_folder_of_splats(path: Path) -> bool:
    names = []
    try:
        with os.scandir(path) as entries:
            for entry, _ in zip(entries, range(sequence.LOOKED_AT), strict=False):
                names.append(entry.name)
    except OSError:
        return False
    if any((path / name).exists() for name in OUR_FILES):
        return False
    if sequence.looks_like_sequence(names) or (path / sog.META).exists():
        return True
    return result_file(path) is not None
