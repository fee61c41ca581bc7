"""What may be loaded by what: a player without Qt, a renderer without gsplat or OpenGL."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("streamstgs", "cli", "app", "codec", "renderer", "server", "trainer")
QT = {"PySide6", "shiboken6"}
MAX_LINES = 600


def sources() -> Iterator[Path]:
    yield ROOT / "main.py"
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def loaded_by(statements: str) -> set[str]:
    """Packages in sys.modules after the statements ran in a process of their own.

    Ours are named without `streamstgs.`, others by their top-level name.
    """
    code = (
        f"{statements}\nimport sys\n"
        "names = [m.removeprefix('streamstgs.') for m in sys.modules]\n"
        "print(*sorted({name.split('.')[0] for name in names}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def modules_of(*rooms: str) -> str:
    """Import statements for each module of the rooms."""
    files = [file for room in rooms for file in sorted((ROOT / room).rglob("*.py"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return "\n".join(f"import streamstgs.{name.removesuffix('.__init__')}" for name in names)


def test_renderer_loads_without_gsplat_opengl_and_codec() -> None:
    loaded = loaded_by(
        "from streamstgs import renderer\nimport streamstgs.renderer.backends\nrenderer.Gop"
    )
    assert "torch" in loaded
    assert not loaded & {"gsplat", "OpenGL", "av", "imagecodecs", "numba", "codec", *QT}


def test_modules_outside_the_window_load_without_qt() -> None:
    rooms = ("cli", "codec", "trainer", "app/player")
    loaded = loaded_by(
        modules_of(*rooms) + "\nimport streamstgs.app.doctor, streamstgs.app.display"
    )
    assert {"codec", "trainer", "app"} <= loaded
    assert not loaded & QT


def test_codec_and_player_load_without_opengl_gsplat_aiohttp() -> None:
    loaded = loaded_by("import streamstgs.codec.scene, streamstgs.app.player.playback")
    assert not loaded & {"gsplat", "OpenGL", "trainer", "aiohttp"}


def test_window_loads_without_torch() -> None:
    """So that it can show a poster while the rest is being loaded."""
    loaded = loaded_by("import streamstgs.app.ui.application, streamstgs.codec.poster")
    assert "PySide6" in loaded
    heavy = {"torch", "numpy", "numba", "av", "imagecodecs", "safetensors", "OpenGL", "hishel"}
    assert not loaded & {*heavy, "httpx", "tyro"}


def count_of_modules(statements: str) -> int:
    code = f"{statements}\nimport sys\nprint(len(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_window_loads_few_modules_before_the_poster() -> None:
    """Each takes a millisecond or two. The budget is relative to what no window can do without."""
    needed = count_of_modules("import PySide6.QtWidgets, numpy")
    loaded = count_of_modules(
        "from streamstgs.cli import command_line as main\nmain.parse([])\n"
        "import streamstgs.app.display, streamstgs.app.ui.first_scene\n"
        "import streamstgs.app.ui.application, streamstgs.app.ui.startup, streamstgs.codec.poster"
    )
    assert loaded < 2.2 * needed


def test_import_is_the_usual_one_once_the_window_is_loaded() -> None:
    """PySide6 replaces it by one that reads the source of each module."""
    loaded = loaded_by(
        "import builtins\nusual = builtins.__import__\n"
        "from streamstgs.app.ui.preloader import load_window\nload_window()\n"
        "assert builtins.__import__ is usual"
    )
    assert "PySide6" in loaded


def test_first_frames_are_decoded_without_torch() -> None:
    """Its decoders run while torch is loaded."""
    scene = ROOT / "tests" / "golden" / "synthetic-v1-hevc.stgs"
    loaded = loaded_by(
        "from streamstgs.codec.codes_ahead import CodesAhead\n"
        "from streamstgs.codec.decode_ahead import decode_ahead\n"
        f"ahead = CodesAhead()\ndecode_ahead(ahead, {str(scene)!r})\nassert ahead._parts"
    )
    assert {"av", "imagecodecs"} <= loaded
    assert "torch" not in loaded


def test_start_without_options_loads_no_parser() -> None:
    loaded = loaded_by("from streamstgs.cli import command_line as main\nmain.parse(['a.stgs'])")
    assert not loaded & {"tyro", "torch", "numpy", *QT}


def test_list_of_commands_loads_without_torch() -> None:
    loaded = loaded_by(
        "from streamstgs.cli import command_line as main\nassert main.main(['-h']) == 0"
    )
    assert not loaded & {"tyro", "torch", "numpy", "av", "codec", "renderer", "trainer", *QT}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import streamstgs") & {"torch", "numpy", "av", "codec", "renderer", *QT}


@pytest.mark.parametrize("name", ["info", "serve"])
def test_commands_about_files_load_without_torch(name: str) -> None:
    loaded = loaded_by(
        f"from streamstgs.cli import command_line as main\nassert main.load({name!r})\n"
        "import streamstgs.server.development_server"
    )
    assert not loaded & {"torch", "numba", *QT}


def test_info_reads_a_scene_without_torch() -> None:
    scene = ROOT / "tests" / "golden" / "synthetic-v1-hevc.stgs"
    loaded = loaded_by(
        "from streamstgs.cli import command_line as main\n"
        f"assert main.main(['info', {str(scene)!r}]) == 0"
    )
    assert "codec" in loaded
    assert not loaded & {"torch", "numba", *QT}


def command_names() -> list[str]:
    from streamstgs.cli import command_line as main

    return [name for name in main.COMMANDS if name != "open"]


def test_commands_start_without_qt() -> None:
    """Their options are known, which loads the settings of what they run."""
    loaded = loaded_by(
        "from streamstgs.cli import command_line as main\nimport sys\n"
        f"for name in {command_names()!r}:\n"
        "    assert main.load(name)\n"
        f"    assert not {QT!r} & set(sys.modules), name"
    )
    assert not loaded & QT


def test_no_file_exceeds_600_lines() -> None:
    long = [f for f in sources() if len(f.read_text(encoding="utf-8").splitlines()) > MAX_LINES]
    assert long == []


def test_median_file_has_60_to_200_lines() -> None:
    lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in sources()]
    long_files = [count for count in lines if count > 20]  # without __init__.py and the like
    assert 60 <= median(long_files) <= 200


def test_player_has_few_modules_in_each_folder() -> None:
    player = ROOT / "app" / "player"
    counts = {
        folder.name: len([file for file in folder.glob("*.py") if file.name != "__init__.py"])
        for folder in [player, *(f for f in player.iterdir() if f.is_dir())]
    }
    assert counts.pop("player") <= 15
    assert {name: count for name, count in counts.items() if count > 8} == {}


def test_no_source_names_the_device_cuda() -> None:
    """`.cuda()` and `device="cuda"` would tie the code to one machine."""
    found = []
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if _names_cuda(node):
                found.append(f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def _names_cuda(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if called == "cuda":
        return True
    given = [*node.args] if called == "to" else []
    given += [k.value for k in node.keywords if k.arg == "device"]
    return any(isinstance(v, ast.Constant) and str(v.value).startswith("cuda") for v in given)
