"""Locations as people type them: paths, web addresses with or without a password, file: URLs."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from streamstgs.codec.errors import NotAScene

_LOGIN = re.compile(r"(https?://)([^/?#]*)@", re.IGNORECASE)
_FILE = "file:"


def is_url(location: str) -> bool:
    """Whether a location names a web server."""
    return location.lower().startswith(("http://", "https://"))


def is_file_url(location: str) -> bool:
    """Whether a location is a path written as an URL."""
    return location.lower().startswith(_FILE)


def host(url: str) -> str:
    """The server that a URL names, for people: without user and password."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def redact_credentials(location: str) -> str:
    """A location as people and logs may see it: with *** in the place of a password."""
    return _LOGIN.sub(lambda login: login[1] + _user(login[2], ":***") + "@", location)


def without_password(location: str) -> str:
    """A location as it may be kept."""
    return _LOGIN.sub(lambda login: login[1] + _user(login[2], "") + "@", location)


def split_login(url: str) -> tuple[str, str | None]:
    """The URL without user and password, and the header `Authorization` that they make."""
    login = _LOGIN.match(url)
    if login is None:
        return url, None
    user, _, password = login[2].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return login[1] + url[login.end() :], f"Basic {base64.b64encode(pair).decode()}"


def local_path(location: str) -> Path:
    """The path that a location on this machine means.

    Raises:
        NotAScene: a file: URL that names another machine or no whole path.
    """
    if not is_file_url(location):
        return Path(location)
    try:
        parts = urlsplit(location)
    except ValueError as error:
        raise NotAScene(f"{location} is no file address: {error}.") from error
    if parts.netloc.lower() not in ("", "localhost"):
        raise NotAScene(
            f"{location} names the machine {parts.netloc}; only files of this one can be opened, "
            "as in file:///home/me/scene.stgs."
        )
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/") or "\0" in path:
        raise NotAScene(f"{location} gives no whole path, as file:///home/me/scene.stgs does.")
    return Path(path[1:] if os.name == "nt" else path)


def _user(login: str, sign: str) -> str:
    user, colon, _ = login.partition(":")
    return user + sign if colon else user
