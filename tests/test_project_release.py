"""The scripts that build a release: notes of a version, the lock of development packages."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = """# Changelog

## Unreleased

### Added
- A

## 1.0.0 (2027-01-31)

- B

## 0.1.0

- C
"""


@pytest.fixture(scope="module")
def release_notes() -> ModuleType:
    path = ROOT / "scripts" / "release_notes.py"
    spec = importlib.util.spec_from_file_location("release_notes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "text"),
    [("Unreleased", "### Added\n- A"), ("1.0.0", "- B"), ("0.1.0", "- C"), ("1.0", "")],
)
def test_notes_are_the_section_of_the_version(
    release_notes: ModuleType, version: str, text: str
) -> None:
    assert release_notes.notes(CHANGELOG, version) == text


def test_version_without_notes_fails(release_notes: ModuleType, capsys) -> None:
    assert release_notes.main(["99.0"]) == 1
    assert "99.0" in capsys.readouterr().err


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_lock_holds_every_dependency_but_torch() -> None:
    extras = project()["optional-dependencies"]
    wanted = {name_of(item) for item in [*project()["dependencies"], *extras["dev"]]}
    lock = (ROOT / "constraints-dev.txt").read_text(encoding="utf-8")
    locked = {name_of(line) for line in lock.splitlines() if line and line[0].isalnum()}
    assert wanted - locked - {"torch", "streamstgs"} == set()
    assert "torch" not in locked
    assert not [name for name in locked if name.startswith(("nvidia-", "cuda-"))]


def test_version_is_written_in_one_place() -> None:
    version = project()["version"]
    pattern = re.compile(rf"""version\s*[=:]\s*["']{re.escape(version)}["']""", re.IGNORECASE)
    folders = ("streamstgs", "app", "cli", "packaging")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix not in (".pyc", ".png")]
    found = [p for p in texts if pattern.search(p.read_text(encoding="utf-8", errors="ignore"))]
    assert found == []
