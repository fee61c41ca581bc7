"""The commands as a person types them: what is parsed, said and returned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import main
from app import console
from codec.errors import NotAScene

ROOT = Path(__file__).resolve().parent.parent
WORDS = ("info", "train", "encode", "evaluate", "render", "bench", "serve", "doctor")


def run_main(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """main.py in a process of its own, without a display unless one is given."""
    kept = {k: v for k, v in os.environ.items() if k not in _DISPLAY}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


_DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert [word for word in WORDS if f"\n  {word} " not in listed] == []


@pytest.mark.parametrize("name", WORDS)
def test_each_command_explains_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main([name, "-h"])
    assert stop.value.code == 0
    assert f"usage: main.py {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "scene", "backend"),
    [
        ([], None, None),
        (["film.stgs"], "film.stgs", None),
        (["https://example.org/film"], "https://example.org/film", None),
        (["--backend", "cpu"], None, "cpu"),
        (["open", "film.stgs", "--backend", "cpu"], "film.stgs", "cpu"),
    ],
)
def test_without_a_command_the_window_opens(
    arguments: list[str], scene: str | None, backend: str | None
) -> None:
    assert main.parse(arguments) == main.Open(scene, backend)


def test_info_takes_a_scene_and_a_flag() -> None:
    assert main.parse(["info", "film.stgs", "--json"]) == main.Info("film.stgs", json=True)


def test_a_misspelt_command_is_not_taken_for_a_scene(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.main(["trian", "data"]) == 2
    assert "did you mean 'train'" in capsys.readouterr().err


def test_an_expected_error_is_one_line_on_standard_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.stgs"
    broken.write_bytes(b"no zip at all")
    done = run_main("info", str(broken))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "broken.stgs" in done.stderr


def test_a_missing_scene_is_one_line_on_standard_error(tmp_path: Path) -> None:
    done = run_main("info", str(tmp_path / "nowhere.stgs"), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nowhere.stgs" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotAScene("x"), True),
        (FileNotFoundError("x"), True),
        (main.UsageError("x"), True),
        (ValueError("x"), False),
        (RuntimeError("x"), False),
    ],
)
def test_only_errors_meant_for_a_person_are_shortened(error: Exception, expected: bool) -> None:
    assert main.is_expected(error) is expected


def test_errors_of_the_system_name_the_file_first() -> None:
    error = FileNotFoundError(2, "No such file or directory", "film.stgs")
    assert console.one_line(error) == "film.stgs: No such file or directory"


def test_figures_as_json_are_only_json(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"psnr": 27.5, "frames": 240}
    console.print_figures(figures, as_json=True)
    assert json.loads(capsys.readouterr().out) == figures


def test_the_doctor_needs_no_display() -> None:
    done = run_main("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in done.stdout
    assert "hevc" in done.stdout
