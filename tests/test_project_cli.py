"""The commands as a person types them: what is parsed, said and returned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as imageio
import pytest
import tyro
from streamstgs.app import console
from streamstgs.cli import command_line as main
from streamstgs.cli.info import Info
from streamstgs.cli.open import Open
from streamstgs.cli.parsing import UsageError
from streamstgs.cli.window import Window
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.scene import open_scene
from streamstgs.trainer.run_directory import RunDirectory

from tests.synthetic import SyntheticSource

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "info",
    "train",
    "capture",
    "ablate",
    "encode",
    "evaluate",
    "render",
    "bench",
    "serve",
    "doctor",
)


def run_main(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """main.py in a process of its own, without a display unless one is given."""
    kept = {k: v for k, v in os.environ.items() if k not in _DISPLAY}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        env=kept | environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )


_DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert [word for word in WORDS if f"\n  {word} " not in listed] == []


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version_is_that_of_the_package(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "installed_version", lambda: "1.2.3")
    assert main.main([word]) == 0
    assert capsys.readouterr().out == "streamstgs 1.2.3\n"


@pytest.mark.parametrize("name", WORDS)
def test_help_of_each_command_exits_with_0(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main([name, "-h"])
    assert stop.value.code == 0
    assert f"usage: streamstgs {name}" in capsys.readouterr().out


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
    assert main.parse([*arguments, "--no-cache"]) == Open(scene, backend, no_cache=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["publish", "film.stgs", "event", "--speed", "0"],
        ["publish", "film.stgs", "event", "--speed", "nan"],
        ["publish", "film.stgs", "event", "--window", "-5"],
        ["publish", "film.stgs", "event", "--window", "nan"],
        ["publish", "film.stgs", "event", "--segments", "0"],
        ["film.stgs", "--latency", "0"],
        ["film.stgs", "--latency", "nan"],
        ["film.stgs", "--latency", "3600"],
    ],
)
def test_numbers_that_make_no_sense_are_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(arguments) == 2
    told = capsys.readouterr().err
    assert arguments[-2] in told
    assert "Traceback" not in told


@pytest.mark.parametrize("arguments", [[], ["film.stgs"], ["open"], ["open", "film.stgs"]])
def test_without_options_the_window_opens_as_with_the_usual_ones(arguments: list[str]) -> None:
    """The parser of options, which delays the window, is not loaded then."""
    plain = main.parse(arguments)
    assert type(plain) is Window
    parsed = tyro.cli(Open, args=[word for word in arguments if word != "open"])
    assert {name: getattr(parsed, name) for name in vars(plain)} == vars(plain)


def test_option_of_another_command_is_no_scene(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.parse(["--json"])
    assert "--json" in capsys.readouterr().err


def test_info_takes_a_scene_and_a_flag() -> None:
    assert main.parse(["info", "film.stgs", "--json"]) == Info("film.stgs", json=True)


def test_misspelt_command_suggests_the_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.main(["trian", "data"]) == 2
    assert "did you mean 'train'" in capsys.readouterr().err


def test_expected_error_is_one_line_on_standard_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.stgs"
    broken.write_bytes(b"no zip at all")
    done = run_main("info", str(broken))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "broken.stgs" in done.stderr


def test_missing_scene_is_one_line_on_standard_error(tmp_path: Path) -> None:
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
        (UsageError("x"), True),
        (ValueError("x"), False),
        (RuntimeError("x"), False),
    ],
)
def test_only_errors_of_the_package_are_shortened(error: Exception, expected: bool) -> None:
    assert main.is_expected(error) is expected


def test_system_error_names_the_file_first() -> None:
    error = FileNotFoundError(2, "No such file or directory", "film.stgs")
    assert console.one_line(error) == "film.stgs: No such file or directory"


def test_figures_as_json_are_only_json(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"psnr": 27.5, "frames": 240}
    console.print_figures(figures, as_json=True)
    assert json.loads(capsys.readouterr().out) == figures


def test_doctor_runs_without_display() -> None:
    done = run_main("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in done.stdout
    assert "hevc" in done.stdout


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small scene of few frames per second, so that its preview is short."""
    path = tmp_path_factory.mktemp("scene") / "ball.stgs"
    source = SyntheticSource(static_count=40, dynamic_count=30, frames_per_gop=(3, 3), fps=2.0)
    encode_scene(source, path, EncoderConfig(qps=(20, 32), preset="ultrafast"))
    return path


def test_serve_names_its_missing_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "streamstgs.server.development_server", raising=False)
    assert main.main(["serve", str(tmp_path)]) == 2
    assert "pip install 'streamstgs[serve]'" in capsys.readouterr().err


def test_info_prints_json_and_nothing_else(scene: Path) -> None:
    done = run_main("info", str(scene), "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["title"] == "Synthetic ball"
    assert [quality["qp"] for quality in facts["qualities"]] == [20, 32]


def test_info_for_people_names_each_quality(
    scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["info", str(scene)]) == 0
    shown = capsys.readouterr().out
    assert "Synthetic ball" in shown
    assert "QP 20" in shown
    assert "QP 32" in shown


def test_info_names_missing_layers_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ball.stgs"
    source = SyntheticSource(static_count=0, dynamic_count=30, frames_per_gop=(2,), fps=2.0)
    encode_scene(source, path, EncoderConfig(qps=(32,), preset="ultrafast"))
    assert main.main(["info", str(path)]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["gaussians"].strip() == "static none, dynamic 30"


def test_terminal_codes_in_scene_text_are_replaced() -> None:
    assert console.readable("title\x1b]0;owned\x07\n") == "title?]0;owned??"


def test_render_writes_image_of_the_given_size(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "view.png"
    arguments = ["render", str(scene), "--camera", "Front", "-o", str(out), "--size", "48x32"]
    assert main.main([*arguments, "--frames", "4", "--backend", "reference"]) == 0
    assert imageio.imread(out).shape == (32, 48, 3)


def test_render_follows_camera_and_time_files(scene: Path, tmp_path: Path) -> None:
    camera, curve, out = (tmp_path / name for name in ("path.json", "time.json", "frames"))
    pose = {"position": [0, 0, -4], "target": [0, 0, 0], "fov": 60}
    poses = [pose | {"frame": 0}, pose | {"frame": 60, "position": [1, 0, -4]}]
    camera.write_text(json.dumps({"poseSets": [{"poses": poses}], "timeline": {"frameRate": 30}}))
    keys = [{"time_s": 0, "content_s": 1}, {"time_s": 1, "content_s": 1}]
    curve.write_text(json.dumps({"keys": keys}))
    words = ["render", str(scene), "--camera", str(camera), "--time-track", str(curve)]
    words += ["-o", str(out), "--format", "png", "--fps", "3", "--transparent", "--size", "48x32"]
    assert main.main([*words, "--supersampling", "2", "--backend", "reference"]) == 0
    assert [imageio.imread(file).shape for file in sorted(out.iterdir())] == [(32, 48, 4)] * 3


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--format", "exr", ".exr"),
        ("--time-track", "none.json", "none.json"),
        ("--supersampling", "9", "supersampling"),
        ("--size", "48", "WIDTHxHEIGHT"),
        ("--frames", "9:12", "none of the 6 frames"),
        ("--backend", "crayon", "crayon"),
        ("--qp", "21", "QP 21"),
        ("--camera", "Moon", "Moon"),
    ],
)
def test_render_names_the_wrong_argument(
    scene: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    complaint: str,
) -> None:
    out = tmp_path / "view.png"
    given = {"--camera": "Front", "-o": str(out), option: value}
    words = [word for pair in given.items() for word in pair]
    assert main.main(["render", str(scene), *words]) != 0
    assert complaint in capsys.readouterr().err
    assert not out.exists()


def test_unknown_quality_is_refused(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = ["evaluate", str(scene), "--data", str(tmp_path), "--qps"]
    for words in (["bench", str(scene), "--qp"], evaluate):
        assert main.main([*words, "21"]) == 2
        assert "no quality of QP 21; it has 20, 32" in capsys.readouterr().err


def test_open_without_display_writes_a_video(scene: Path, tmp_path: Path) -> None:
    done = run_main(str(scene), "--backend", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in done.stderr
    film, picture = (tmp_path / line for line in done.stdout.splitlines())
    assert imageio.imread(picture).std() > 0
    frames = imageio.imread(film, plugin="pyav")
    assert len(frames) >= 16  # one turn of at least 8 s at 2 frames per second
    moved = abs(frames[0].astype(int) - frames[len(frames) // 4]).max(axis=-1) > 20
    assert moved.mean() > 0.002


def test_open_with_broken_display_writes_a_video(scene: Path, tmp_path: Path) -> None:
    done = run_main(str(scene), "--backend", "cpu", cwd=tmp_path, DISPLAY=":4000")
    assert done.returncode == 0, done.stderr
    assert "No window" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_encode_writes_a_scene_from_a_run(tmp_path: Path) -> None:
    source = SyntheticSource(static_count=40, dynamic_count=30, frames_per_gop=(3,))
    run = RunDirectory(tmp_path / "run")
    run.write_plan(source.meta, [3])
    run.write_static(source.static)
    run.write_gop(0, source.gop(0))
    out = tmp_path / "film.stgs"
    assert main.main(["encode", str(run.path), "-o", str(out), "--title", "Named here"]) == 0
    with open_scene(out) as scene:
        assert scene.meta.title == "Named here"
        assert [quality.qp for quality in scene.qualities] == [36, 34, 32, 28, 24]
