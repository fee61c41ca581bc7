"""Scenes written by an earlier program decode to the same codes for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamstgs.codec.limits import Limits
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.locate import open_container

from tests.golden.make_golden import (
    CODECS,
    EXPECTED,
    LAYERS,
    PAGES,
    PATHS,
    decoded_digests,
    golden_scene,
    poster_facts,
)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((c, golden_scene(c)) for c in CODECS),
        ("trajectories", PATHS),
        ("layers", LAYERS),
        ("pages", PAGES),
    ],
)
def test_golden_scene_decodes_to_the_pinned_codes(name: str, path: Path) -> None:
    expected = json.loads(EXPECTED.read_text())[name]
    container = open_container(path, Limits())
    with open_scene(path) as scene:
        found = decoded_digests(scene, container)
    container.close()
    assert found["planes"] == expected["planes"]
    assert found["features"] == expected["features"]
    for name in set(expected) - {"planes", "features"}:  # arithmetic may differ in the last bits
        assert found[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-5), name


def test_golden_poster_is_read_as_pinned() -> None:
    expected = json.loads(EXPECTED.read_text())["poster"]
    assert poster_facts() == expected


@pytest.mark.parametrize("codec", CODECS)
def test_packages_without_a_poster_have_none(codec: str) -> None:
    with open_scene(golden_scene(codec)) as scene:
        assert scene.manifest.poster is None


def test_golden_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in EXPECTED.parent.glob("*.stgs")) < 300_000
