"""Wrong data in files is told in words that need no knowledge of the library that found it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamstgs.app.player.errors import OutputError, PlaylistError, TimeTrackError
from streamstgs.app.player.export.settings import ExportSettings
from streamstgs.app.player.kiosk.settings import read_playlist
from streamstgs.app.player.time_track import parse_time_track

SCENE = '[[scene]]\nlocation = "a.stgs"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("idle_s = 5", r"it needs \[\[scene\]\]\."),
        ("idle_s = 0\n" + SCENE, r"idle_s must be more than 0\."),
        ("idle_s = 90000\n" + SCENE, r"idle_s must be at most 86400\."),
        ('idle_s = "a"\n' + SCENE, r"idle_s must be a number\."),
        ('language = "fr"\n' + SCENE, r"language cannot be 'fr'\."),
        ('[[scene]]\ntitle = "x"', r"scenes\[0\] needs location\."),
        ('[[scene]]\nlocation = ""', r"location must have at least 1 character\."),
        ("titles = 3\n" + SCENE, r"titles must be true or false\."),
    ],
)
def test_playlists_say_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "booth.toml"
    file.write_text(text)
    with pytest.raises(PlaylistError, match=words) as raised:
        read_playlist(file)
    assert "`" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"keys": []}', r"keys must have at least 1 entry\."),
        ("[]", r"it must be an object\."),
        ('{"keys": [{"time_s": 2e6, "content_s": 0}]}', r"time_s must be at most 1000000\."),
        ('{"keys": [{"time_s": 0}]}', r"keys\[0\] needs content_s\."),
    ],
)
def test_time_tracks_say_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(TimeTrackError, match=words):
        parse_time_track(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"size": [0, 5]}', r"the width must be at least 1\."),
        ('{"size": 5}', r"size must be a list\."),
        ('{"fps": 0}', r"fps must be at least 0\.001\."),
        ('{"supersampling": 1.5}', r"supersampling must be a whole number\."),
        ('{"format": "avi"}', r"format cannot be 'avi'\."),
        ("{", r"Input data was truncated\."),
    ],
)
def test_export_settings_say_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        ExportSettings.from_json(text)
