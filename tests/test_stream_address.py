"""Locations as people type them; a password is for the server alone."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest
from streamstgs.codec.errors import CodecError, NotAScene
from streamstgs.codec.limits import Limits
from streamstgs.codec.poster import local_poster
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.address import (
    clean_location,
    local_path,
    redact_credentials,
    split_login,
    without_password,
)
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.locate import open_remote
from streamstgs.codec.streaming.transport import RequestProgress

from tests.synthetic import SyntheticSource

SECRET = "s3cr%3At"
URL = f"https://user:{SECRET}@host/scene/scene.mpd?x=1"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("a/b c.stgs", "a/b c.stgs"),
        ("file:///a/b%20c%C3%A4.stgs", "/a/b cä.stgs"),
        ("FILE://localhost/a/scene", "/a/scene"),
        ("file:/a/scene", "/a/scene"),
    ],
)
def test_local_path_of_locations(location: str, path: str) -> None:
    assert local_path(location) == Path(path)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file://server/a.stgs", "names the machine server"),
        ("file://scene.stgs", "names the machine scene.stgs"),
        ("file:scene.stgs", "no whole path"),
        ("file://", "no whole path"),
        ("file:///a%00b", "no whole path"),
        ("file://[broken/a", "no file address"),
    ],
)
def test_invalid_file_urls_are_refused(location: str, words: str) -> None:
    with pytest.raises(NotAScene, match=words):
        open_scene(location)
    assert local_poster(location) is None


def test_a_file_url_opens_the_scene(tmp_path: Path) -> None:
    from streamstgs.codec.encoder.config import EncoderConfig
    from streamstgs.codec.encoder.encode import encode_scene

    path = tmp_path / "a scene.stgs"
    encode_scene(SyntheticSource(20, 10, (3,)), path, EncoderConfig(qps=(32,), codec="h264"))
    assert "%20" in path.as_uri()
    with open_scene(path.as_uri()) as scene:
        assert scene.frame_count == 3


def test_passwords_are_redacted() -> None:
    assert redact_credentials("https://user:p@ss@host/@a:b") == "https://user:***@host/@a:b"
    assert without_password("https://user:pass@host/a") == "https://user@host/a"
    for plain in ("https://host/a:b@c", "https://user@host/", "a:b@c.stgs"):
        assert redact_credentials(plain) == without_password(plain) == plain
    assert split_login("https://us%40er:p%3Aw@host/a") == (
        "https://host/a",
        "Basic dXNAZXI6cDp3",
    )
    assert split_login("https://host/a@b") == ("https://host/a@b", None)


@pytest.mark.parametrize("code", [200, 302, 401, 404, 503])
@pytest.mark.parametrize("url", [URL, f"https://user:{SECRET}@host/a.stgs"])
def test_password_is_sent_to_the_server_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: int, url: str
) -> None:
    caplog.set_level(logging.DEBUG)
    asked: list[httpx.Request] = []
    told: list[RequestProgress] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        headers = {"Location": "https://other/scene.json"} if code == 302 else {}
        return httpx.Response(code, headers=headers, stream=httpx.ByteStream(b"{}"))

    transport = HttpTransport(
        HttpSettings(backoff_s=0.001, redirects=1), httpx.MockTransport(answer), told.append
    )
    said = ""
    try:
        files = open_remote(url, Limits(), transport, CacheSettings(directory=tmp_path))
        said = files.location
        files.close()
    except CodecError as error:
        said = str(error)
    assert asked[0].headers["Authorization"] == "Basic dXNlcjpzM2NyOnQ="
    assert all("Authorization" not in one.headers for one in asked if one.url.host == "other")
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (said, caplog.text, repr(told), written.decode("latin1")):
        assert SECRET not in text
        assert "s3cr:t" not in text
    assert "user:***@host" in said


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:pa/ss@host/a", "https://user:***@host/a"),
        ("https://user:p?a#s@s@host/a", "https://user:***@host/a"),
        ("https://user:12/34@host/a", "https://user:***@host/a"),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        ("https://h/a?X-Amz-Signature=ab&x=1", "https://h/a?X-Amz-Signature=***&x=1"),
        ("https://h/a?sv=2020&sig=a%2Fb", "https://h/a?sv=***&sig=***"),
        ("https://h/a?tenant=b&access_token=q#t", "https://h/a?tenant=b&access_token=***#t"),
    ],
)
def test_secrets_are_redacted(location: str, shown: str) -> None:
    assert redact_credentials(location) == shown


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("https://h/a?X-Amz-Signature=ab&x=1", "https://h/a?x=1"),
        ("https://h/a?x=1&sig=ab", "https://h/a?x=1"),
        ("https://h/a?token=ab", "https://h/a"),
        ("https://user:pa/ss@host/a?x=1", "https://user@host/a?x=1"),
    ],
)
def test_tokens_are_not_stored(location: str, kept: str) -> None:
    assert without_password(location) == kept


def test_password_with_a_slash_reaches_the_server() -> None:
    assert split_login("https://user:pa/ss@host/a") == ("https://host/a", "Basic dXNlcjpwYS9zcw==")
    assert split_login("https://host:8080/a@b") == ("https://host:8080/a@b", None)


@pytest.mark.parametrize(
    "text", [" https://h/a.stgs\n", "<https://h/a.stgs>", "' https://h/a.stgs '", '"<https://h/a.stgs>"']
)  # fmt: skip
def test_blanks_and_brackets_around_an_address_are_stripped(text: str) -> None:
    assert clean_location(text) == "https://h/a.stgs"


@pytest.mark.parametrize("location", ["ftp://host/a.stgs", "s3://bucket/a", "rtsp://user:p@h/"])
def test_other_kinds_of_addresses_are_refused_by_name(location: str) -> None:
    with pytest.raises(NotAScene, match=location.partition(":")[0]):
        open_scene(location)
    assert clean_location("C:\\scenes\\a.stgs") == "C:\\scenes\\a.stgs"


@pytest.mark.parametrize(
    ("location", "shown", "kept"),
    [
        ("http://x/a#access_token=zz", "http://x/a#access_token=***", "http://x/a"),
        ("http://x/a;token=1/b?c=2", "http://x/a;token=***?c=2", "http://x/a?c=2"),
        ("http://x/a?jwt=eyJ&q=1", "http://x/a?jwt=***&q=1", "http://x/a?q=1"),
        ("http://x/a?hdnts=exp=1~hmac=2", "http://x/a?hdnts=***", "http://x/a"),
        ("http://x/a?q=1#id_token=2", "http://x/a?q=1#id_token=***", "http://x/a?q=1"),
        ("http://x/a?codec=hevc&code=7", "http://x/a?codec=hevc&code=***", "http://x/a?codec=hevc"),
        ("http://x/a?session_id=12", "http://x/a?session_id=***", "http://x/a"),
    ],
)
def test_secrets_in_other_places_are_redacted(location: str, shown: str, kept: str) -> None:
    assert redact_credentials(location) == shown
    assert without_password(location) == kept
