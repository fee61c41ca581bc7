"""A scene index: a file that lists scenes with titles and posters, for a page to choose from.

docs/format.md, section 14, describes it. It comes from anywhere, so everything in it is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urljoin

from msgspec import Meta, Struct
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.limits import INDEX_BYTES, INDEX_SCENES, POSTER_BYTES, POSTER_SIDE_PX
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.poster import SCANS_MAX, START_OF_SCAN
from streamstgs.codec.streaming.address import (
    clean_location,
    is_url,
    local_path,
    redact_credentials,
)
from streamstgs.codec.streaming.directory import DirectoryContainer
from streamstgs.codec.streaming.http.settings import HttpSettings

FORMAT, VERSION = "streamstgs-index", 1
SCENE_NAMES = ("scene.json", "meta.json")  # of a scene package, and of SOG
WEB_ADDRESS = r"^https?://[^\s@]{1,2000}\Z"  # without a login
Place = Annotated[str, Meta(max_length=2_000, pattern=rf"{WEB_ADDRESS}|{schema.SAFE_PATH}")]


def is_index_address(location: str) -> bool:
    """Whether a URL names a JSON file that is no manifest of a scene, so it may be an index."""
    path = location.partition("#")[0].partition("?")[0]
    name = path.rpartition("/")[2].lower()
    return is_url(location) and name.endswith(".json") and name not in SCENE_NAMES


class _Poster(Struct):
    file: schema.File
    width: Annotated[int, Meta(ge=1, le=POSTER_SIDE_PX)]
    height: Annotated[int, Meta(ge=1, le=POSTER_SIDE_PX)]


class _Scene(Struct):
    scene: Place
    title: schema.Text = ""
    attribution: schema.Text = ""
    duration_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    live: bool = False
    poster: _Poster | None = None


class _Document(Struct):
    format: str
    version: int
    scenes: Annotated[tuple[_Scene, ...], Meta(min_length=1, max_length=INDEX_SCENES)]
    title: schema.Text = ""


@dataclass(frozen=True)
class IndexedPoster:
    """The picture of a scene in an index: a JPEG of `width` x `height` px."""

    file: FileEntry
    width: int
    height: int


@dataclass(frozen=True)
class IndexedScene:
    """A scene of an index.

    Args:
        location: path or URL to open.
        title, attribution: text for a person; may be empty.
        duration_s: length of its content; None if the index does not tell it.
        live: whether it may be growing.
        poster: its picture; None without one.
    """

    location: str
    title: str
    attribution: str
    duration_s: float | None
    live: bool
    poster: IndexedPoster | None


class SceneIndex:
    """The scenes of an index. Thread-safe.

    Args:
        location: path or URL of the index.
        http: timeouts and retries; None for the usual ones.
        cancel: ends the reading early.

    Raises:
        NotAScene: it is missing, or not an index; the message names the place that is wrong.
        SceneUnreachable, Cancelled: as of `codec.scene.open_scene`.
    """

    def __init__(
        self,
        location: str,
        http: HttpSettings | None = None,
        cancel: CancelToken = NEVER,
    ) -> None:
        location = clean_location(str(location)).partition("#")[0]
        self.location = redact_credentials(location)
        self._remote, self._http = is_url(location), http or HttpSettings()
        if self._remote:
            self._base = location.partition("?")[0]
            name = self._base.rpartition("/")[2]
        else:
            path = local_path(location).absolute()
            self._base, name = str(path.parent), path.name
        try:
            data = self._read(name, INDEX_BYTES, cancel)
        except (FileNotFoundError, CorruptSegment) as error:
            raise NotAScene(f"{self.location} is not a list of scenes: {error}") from error
        document = decode_json(data, _Document, name)
        if (document.format, document.version) != (FORMAT, VERSION):
            raise NotAScene(f"{self.location} is not a list of scenes that this program can read.")
        self.title = document.title
        self.scenes = tuple(self._scene(entry) for entry in document.scenes)

    def read_poster(self, scene: IndexedScene, cancel: CancelToken = NEVER) -> bytes | None:
        """Return the JPEG of a scene; None if it has none.

        Only its length, checksums and number of scans are checked.

        Raises:
            CorruptSegment: it is not what the index says.
            MissingSegment, SceneUnreachable, Cancelled: as of `codec.scene.Scene.decode_gop`.
        """
        if scene.poster is None:
            return None
        file = scene.poster.file
        jpeg = self._read(file.name, file.size_bytes, cancel)
        if not file.describes(jpeg) or jpeg.count(START_OF_SCAN) > SCANS_MAX:
            raise CorruptSegment(f"{file.name} is not the picture that {self.location} declares.")
        return jpeg

    def _scene(self, entry: _Scene) -> IndexedScene:
        if is_url(entry.scene):
            location = entry.scene
        elif self._remote:
            location = urljoin(self._base, entry.scene)
        else:
            location = str(Path(self._base) / entry.scene)
        poster = None
        if entry.poster is not None and entry.poster.file.size_bytes <= POSTER_BYTES:
            of = entry.poster.file
            file = FileEntry(of.name, of.size_bytes, of.crc32, of.sha256)
            poster = IndexedPoster(file, entry.poster.width, entry.poster.height)
        return IndexedScene(
            location, entry.title, entry.attribution, entry.duration_s, entry.live, poster
        )

    def _read(self, name: str, most_bytes: int, cancel: CancelToken) -> bytes:
        if not self._remote:
            return DirectoryContainer(Path(self._base)).read(name, most_bytes, cancel)
        from streamstgs.codec.streaming.http.client import HttpTransport

        transport = HttpTransport(self._http)
        try:
            return transport.get(urljoin(self._base, name), most_bytes, cancel).content
        finally:
            transport.close()
