"""The files that enter the player into a Linux desktop, and the script that installs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARE = ROOT / "packaging" / "linux" / "share"
SCRIPT = SHARE / "streamstgs" / "desktop.sh"
MIME_TYPE = "application/vnd.streamstgs.scene"
ENTRY = "applications/streamstgs-player.desktop"

linux = pytest.mark.skipif(sys.platform != "linux", reason="the script is for Linux")


def run_script(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_DATA_HOME": str(data)}
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )


def keys(entry: Path) -> dict[str, str]:
    lines = entry.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_icon_is_that_of_the_window() -> None:
    icon = SHARE / "icons/hicolor/scalable/apps/streamstgs-player.svg"
    assert icon.read_bytes() == (ROOT / "assets/icons/app.svg").read_bytes()


def test_entry_and_file_type_name_the_same_type() -> None:
    namespace = "{http://www.freedesktop.org/standards/shared-mime-info}"
    info = ElementTree.parse(SHARE / "mime/packages/streamstgs-player.xml").getroot()
    (kind,) = info.findall(f"{namespace}mime-type")
    assert kind.get("type") == MIME_TYPE
    assert [glob.get("pattern") for glob in kind.findall(f"{namespace}glob")] == ["*.stgs"]
    assert keys(SHARE / ENTRY)["MimeType"] == f"{MIME_TYPE};"
    metainfo = (SHARE / "metainfo/io.github.streamstgs.Player.metainfo.xml").read_text()
    assert f"<mediatype>{MIME_TYPE}</mediatype>" in metainfo


def test_entry_starts_an_installed_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert keys(SHARE / ENTRY)["Exec"].split()[0] in project["gui-scripts"]


@linux
@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="needs desktop-file-utils")
def test_entry_is_valid() -> None:
    command = ["desktop-file-validate", str(SHARE / ENTRY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert (done.returncode, done.stdout) == (0, "")


@linux
def test_script_installs_an_entry_with_the_path_of_the_program(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "streamstgs-player"
    done = run_script(tmp_path / "data", "install", str(program))
    assert done.returncode == 0, done.stderr
    entry = keys(tmp_path / "data" / ENTRY)
    assert entry["Exec"] == f"{program} %u"
    assert entry["TryExec"] == str(program)


@linux
def test_script_removes_what_it_installed(tmp_path: Path) -> None:
    run_script(tmp_path, "install", "/opt/streamstgs-player")
    assert run_script(tmp_path, "uninstall").returncode == 0
    assert [path for path in tmp_path.rglob("*streamstgs*") if path.is_file()] == []


@linux
@pytest.mark.skipif(not shutil.which("update-mime-database"), reason="needs shared-mime-info")
def test_script_makes_the_file_type_known(tmp_path: Path) -> None:
    run_script(tmp_path, "install", "/opt/streamstgs-player")
    assert f"{MIME_TYPE}:*.stgs" in (tmp_path / "mime" / "globs2").read_text()


@linux
@pytest.mark.parametrize("program", ["/opt/a program", "/opt/x;reboot", "/opt/%f", "/opt/$(id)"])
def test_script_refuses_a_path_that_an_entry_cannot_hold(tmp_path: Path, program: str) -> None:
    done = run_script(tmp_path, "install", program)
    assert done.returncode == 1
    assert not (tmp_path / ENTRY).exists()


@linux
def test_script_without_a_command_says_how_to_call_it(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 2
    assert "Usage" in done.stderr
