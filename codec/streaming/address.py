"""Locations of scenes as people type them: paths, web addresses, file: URLs, credentials."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from streamstgs.codec.errors import NotAScene

_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]+://", re.IGNORECASE)
_HTTP = ("http://", "https://")
_FILE = "file:"
_QUOTES = {"<": ">", '"': '"', "'": "'"}
# Parameters that give access, in a query, a path or a fragment: presigned URLs, tokens, keys.
_SECRET = re.compile(
    r"(?i)([?&;#](?:[^=&;#/]*(?:token|sig|secret|key|auth|credential|passw|policy|session|ticket|"
    r"hmac|jwt|hdn|gda)[^=&;#/]*|sv|se|sas|sid|code|pwd))=[^&;#]*"
)
HIDDEN = "***"


def clean_location(text: str) -> str:
    """An address without what surrounds it in mails and terminals: blanks, <>, quotes.

    A path is returned as it is, for its name may have these characters.

    Raises:
        NotAScene: an address that is neither a web nor a file address; the message names its kind.
            An empty text, which would otherwise name the working directory.
    """
    location = _inner(text)
    if not location:
        raise NotAScene("No scene is named. Name a file, a folder or a URL.")
    scheme = _SCHEME.match(location)
    if not scheme and not is_file_url(location):
        return text
    if not (is_url(location) or is_file_url(location)):
        kind = scheme[0] if scheme else location
        raise NotAScene(f"{kind} addresses cannot be opened; http://, https:// and file:// can.")
    return location


def _inner(text: str) -> str:
    location = text.strip()
    while len(location) > 1 and _QUOTES.get(location[0]) == location[-1]:
        location = location[1:-1].strip()
    return location


def is_url(location: str) -> bool:
    """Whether a location names a web server."""
    return _inner(location).lower().startswith(_HTTP)


def is_file_url(location: str) -> bool:
    """Whether a location is a path written as an URL."""
    return _inner(location).lower().startswith(_FILE)


def host(url: str) -> str:
    """The server that a URL names, for people: without user and password."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def redact_credentials(location: str) -> str:
    """A location as people and logs may see it: *** in place of a password and of query tokens."""
    return _rewritten(location, f":{HIDDEN}", rf"\1={HIDDEN}")


def without_password(location: str) -> str:
    """A location as it may be kept: without its password and the tokens of its query."""
    return _rewritten(location, "", "")


def _rewritten(location: str, password: str, token: str) -> str:
    if not is_url(location):
        return location
    scheme, slashes, rest = location.partition("://")
    login, sign, place = _split(rest, cautious=True)
    user, colon, _ = login.partition(":")
    shown = f"{scheme}{slashes}{user}{password if colon else ''}{sign}{place}"
    path, mark, query = shown.partition("?")
    kept = _SECRET.sub(token, mark + query)
    plain = kept if token or kept[:1] in ("", "?", "#", ";") else "?" + kept[1:]
    return _SECRET.sub(token, path) + plain


def _split(rest: str, cautious: bool) -> tuple[str, str, str]:
    """Login, "@" and the rest of what follows "://"; the first two are empty without a login.

    A password should have its / ? # escaped. Where it has not, what follows the user is no port,
    and the login reaches to the last @. Where it may be a port, `cautious` takes it for a login.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        login = authority.rpartition("@")[0]
        return login, "@", rest[len(login) + 1 :]
    port = authority.rpartition(":")[2] if ":" in authority else ""
    if port and "@" in rest and not authority.startswith("[") and (cautious or not port.isdigit()):
        return rest.rpartition("@")
    return "", "", rest


def split_login(url: str) -> tuple[str, str | None]:
    """The URL without user and password, and the header `Authorization` that they make."""
    scheme, slashes, rest = url.partition("://")
    login, sign, place = _split(rest, cautious=False)
    if not is_url(url) or not sign:
        return url, None
    user, _, password = login.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return scheme + slashes + place, f"Basic {base64.b64encode(pair).decode()}"


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
