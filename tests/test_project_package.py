"""The wheel: one import package with its data, and commands that start from it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [
    pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling is not installed"),
]
DATA = (
    "py.typed",
    "assets/dungeon.stgs",
    "assets/tokyo.stgs",
    "assets/icons/app.svg",
    "renderer/backends/shaders/splat.vert.glsl",
    "renderer/backends/shaders/splat.frag.glsl",
    "renderer/present/shaders/blit.vert.glsl",
)
LICENCES = (  # of the program, of the bundled scenes
    "LICENSE", "LICENSES/CC-BY-4.0.txt", "LICENSES/CC0-1.0.txt",
)  # fmt: skip
DESKTOP = (
    "applications/streamstgs-player.desktop",
    "icons/hicolor/scalable/apps/streamstgs-player.svg",
    "metainfo/io.github.streamstgs.Player.metainfo.xml",
    "mime/packages/streamstgs-player.xml",
    "streamstgs/desktop.sh",
)


def build(source: Path, target: str, out: Path) -> Path:
    """The file that hatchling builds from a folder with a pyproject.toml."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> dict[str, int]:
    """File names in a wheel with their checksums, without the list that repeats them."""
    with zipfile.ZipFile(wheel) as archive:
        return {i.filename: i.CRC for i in archive.infolist() if not i.filename.endswith("RECORD")}


def test_wheel_holds_one_top_level_package(wheel: Path) -> None:
    top = {name.split("/")[0] for name in contents(wheel)}
    besides = (".dist-info", ".data")  # the latter goes to share/ of the prefix
    assert {name for name in top if not name.endswith(besides)} == {"streamstgs"}


@pytest.mark.parametrize("name", LICENCES)
def test_wheel_holds_licence(wheel: Path, name: str) -> None:
    assert any(file.endswith(f".dist-info/licenses/{name}") for file in contents(wheel))


@pytest.mark.parametrize("name", DESKTOP)
def test_wheel_holds_file_for_the_desktop(wheel: Path, name: str) -> None:
    assert any(file.endswith(f".data/data/share/{name}") for file in contents(wheel))


@pytest.mark.parametrize("name", DATA)
def test_wheel_holds_data_file(wheel: Path, name: str) -> None:
    assert f"streamstgs/{name}" in contents(wheel)


def test_wheel_holds_every_module(wheel: Path) -> None:
    rooms = ("app", "cli", "codec", "renderer", "server", "trainer")
    modules = {
        f"streamstgs/{file.relative_to(ROOT).as_posix()}"
        for room in rooms
        for file in (ROOT / room).rglob("*.py")
    }
    modules |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "streamstgs").rglob("*.py")}
    assert modules == {name for name in contents(wheel) if name.endswith(".py")}


def test_wheel_from_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert contents(build(source, "wheel", tmp_path / "wheel")) == contents(wheel)


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and nothing else, outside of the repository."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", wheel], check=True, timeout=250)
    return folder


@pytest.mark.window
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="the trial is a script for Linux")
def test_installed_wheel_plays_and_uninstalls(wheel: Path, tmp_path: Path) -> None:
    """As a new user: version, info, picture without a display, window, no file left behind."""
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
    script = ["bash", str(ROOT / "scripts" / "try_wheel.sh"), str(wheel)]
    chosen = {"PYTHON": sys.executable, "DEPENDENCIES": sysconfig.get_path("purelib")}
    unwanted = ("PYTHONPATH", "NUMBA_CACHE_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    done = subprocess.run(
        script, cwd=tmp_path, env=kept | chosen, capture_output=True, text=True, timeout=380
    )
    assert done.returncode == 0, done.stdout + done.stderr
    left = done.stdout.partition("Left in the home directory:")[2].split("\n")
    assert {line.split("/")[0].strip() for line in left} <= {"", ".cache", ".config"}


@pytest.mark.skipif(sys.platform == "win32", reason="the environment has other folders there")
@pytest.mark.parametrize("command", [["streamstgs"], ["python", "-m", "streamstgs"]])
def test_installed_command_starts(environment: Path, command: list[str]) -> None:
    program = [str(environment / "bin" / command[0]), *command[1:], "--help"]
    done = subprocess.run(program, cwd=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert "usage: streamstgs" in done.stdout


def test_installed_package_is_importable_on_its_own(environment: Path) -> None:
    code = "import streamstgs as st; print(st.__file__, sorted(dir(st))[0], st.CodecError.__name__)"
    program = [str(environment / "bin" / "python"), "-c", code]
    done = subprocess.run(program, cwd=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert str(environment) in done.stdout
