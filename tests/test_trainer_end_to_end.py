"""Capture -> training on the CPU -> encoded scene -> quality on the camera that was held out."""

from __future__ import annotations

import importlib.machinery
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import pytest
import torch

import main
import trainer.train
from codec.encoder import encode_scene
from codec.encoder_config import EncoderConfig
from tests.capture_scene import FRAMES, HEIGHT, WIDTH, single_thread
from tests.test_project_cli import run_main
from trainer.config import TrainConfig
from trainer.contact_sheet import GAP_PX, ContactSheet, spread_evenly
from trainer.dynamic_points import HullConfig
from trainer.errors import CaptureError, EvaluationError
from trainer.evaluate import EvaluateConfig, evaluate
from trainer.gop_stage import GopConfig
from trainer.initial_points import InitialPointsConfig
from trainer.perceptual import VGG_WEIGHTS, perceptual_metric
from trainer.run_directory import load_run
from trainer.static_stage import StaticConfig
from trainer.train import train

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PSNR_DB = 33.0  # of the held-out camera; a static model of this capture reaches 27


@pytest.fixture(scope="module")
def scene(tiny_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two GOPs, trained side by side in two processes, and encoded in two rungs."""
    folder = tmp_path_factory.mktemp("trained")
    config = TrainConfig(
        tiny_capture,
        folder / "run",
        gop_frames=3,
        points=InitialPointsConfig(fill=0),
        static=StaticConfig(cap=100, iterations=100),
        hull=HullConfig(candidates=20_000),
        gop=GopConfig(count=64, iterations=80, features=4, width=16, moments=2),
    )
    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setattr(trainer.train, "training_devices", lambda _: [CPU, CPU])
        train(config)
        encode_scene(load_run(config.out), folder / "blobs.stgs", EncoderConfig(rungs=(16, 28)))
        yield folder / "blobs.stgs"


def test_the_trained_scene_looks_right_from_the_held_out_camera(
    scene: Path, tiny_capture: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheets" / "sheet.png"
    config = EvaluateConfig(str(scene), tiny_capture, backend="reference", sheet=sheet)
    figures = evaluate(config)
    assert figures["psnr"] > PSNR_DB
    assert min(figures["per_gop"]) > PSNR_DB - 1
    assert figures["ssim"] > 0.98
    assert figures["bytes_per_frame"] == figures["bytes_per_frame_by_part"]["total"] < 6000
    assert (figures["frames"], figures["cameras"], figures["rung"]) == (FRAMES, ["0"], 16)
    assert figures["backend"] == "reference"
    assert len(figures["pictures"]) == FRAMES
    assert figures["lpips"] is None
    assert figures["lpips_reason"]
    json.dumps(figures, allow_nan=False)
    rows = [{"camera": "0", "frame": frame} for frame in (0, 2, 5)]
    assert figures["sheet"] == {"path": str(sheet), "rows": rows}
    assert iio.imread(sheet).shape == (3 * (HEIGHT + GAP_PX), 3 * WIDTH + 2 * GAP_PX, 3)


def test_frames_and_cameras_can_be_chosen(scene: Path, tiny_capture: Path) -> None:
    config = EvaluateConfig(
        str(scene), tiny_capture, cameras="train", frames=[5, 1], rung=28, backend="reference"
    )
    figures = evaluate(config)
    assert [(p["camera"], p["frame"]) for p in figures["pictures"][:2]] == [("1", 1), ("2", 1)]
    assert {p["frame"] for p in figures["pictures"]} == {1, 5}
    assert (figures["frames"], figures["rung"], figures["sheet"]) == (2, 28, None)
    assert len(figures["per_camera"]) == 7


def test_a_gop_without_chosen_frames_has_no_figure(scene: Path, tiny_capture: Path) -> None:
    config = EvaluateConfig(str(scene), tiny_capture, frames=range(3), backend="reference")
    first, second = evaluate(config)["per_gop"]
    assert first > PSNR_DB - 1
    assert second is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rung": 17}, "no rung QP 17; it has 16, 28"),
        ({"frames": [6]}, "no frame 6; the scene has 6"),
        ({"frames": [-1, 2]}, "no frame -1"),
        ({"frames": []}, "no frames"),
    ],
)
def test_what_the_scene_does_not_have_is_named(
    scene: Path, tiny_capture: Path, wrong: dict, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(EvaluateConfig(str(scene), tiny_capture, backend="reference", **wrong))


def test_a_capture_that_does_not_fit_is_named(
    scene: Path, tiny_capture: Path, tmp_path: Path
) -> None:
    with pytest.raises(CaptureError, match="no cameras of the split 'dusk'"):
        evaluate(EvaluateConfig(str(scene), tiny_capture, cameras="dusk", backend="reference"))
    document = json.loads((tiny_capture / "cameras.json").read_text())
    (tmp_path / "cameras.json").write_text(json.dumps(document | {"frames": 4}))
    (tmp_path / "ims").symlink_to(tiny_capture / "ims")
    with pytest.raises(CaptureError, match="the scene has 6 frames, the capture 4"):
        evaluate(EvaluateConfig(str(scene), tmp_path, backend="reference"))


# The contact sheet


def test_the_sheet_shows_truth_picture_and_error() -> None:
    sheet = ContactSheet(["a", "b"], [0, 10])
    target, picture = torch.full((6, 8, 3), 0.5), torch.full((6, 8, 3), 0.6)
    sheet.add("b", 10, target, picture)
    sheet.add("a", 0, target, target)
    sheet.add("c", 0, target, picture)
    sheet.add("a", 5, target, picture)
    assert sheet.rows == [{"camera": "a", "frame": 0}, {"camera": "b", "frame": 10}]
    shown = sheet.picture()
    second = shown[6 + GAP_PX :]
    middles = [second[3, k * (8 + GAP_PX) + 4, 0].item() for k in range(3)]
    assert middles == pytest.approx([0.5, 0.6, 0.4])
    assert shown[3, 2 * (8 + GAP_PX) + 4].tolist() == [0, 0, 0]
    assert (shown[:, 8 : 8 + GAP_PX] == 1).all()


def test_large_pictures_and_other_sizes_share_a_sheet() -> None:
    sheet = ContactSheet(["wide", "small"], [0])
    for name, (height, width) in {"wide": (90, 960), "small": (45, 100)}.items():
        sheet.add(name, 0, torch.zeros(height, width, 3), torch.zeros(height, width, 3))
    assert sheet.picture().shape == (45 + 45 + 2 * GAP_PX, 3 * 480 + 2 * GAP_PX, 3)


def test_a_few_of_many_are_spread_evenly() -> None:
    assert spread_evenly(range(240), 3) == [0, 120, 239]
    assert spread_evenly(["a", "b"], 4) == ["a", "b"]


# LPIPS


def install(patch: pytest.MonkeyPatch, name: str, **content: object) -> None:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(content)
    patch.setitem(sys.modules, name, module)


class FakeLpips(torch.nn.Module):
    """Takes what lpips.LPIPS takes: pictures in -1..1, [1, 3, H, W]."""

    def __init__(self, net: str, verbose: bool) -> None:
        super().__init__()
        assert (net, verbose) == ("vgg", False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        assert a.shape == b.shape == (1, 3, 4, 6)
        return (a - b).abs().mean().reshape(1, 1, 1, 1)


def test_lpips_is_measured_where_its_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "lpips", LPIPS=FakeLpips)
    install(monkeypatch, "torchvision")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    missing = perceptual_metric(CPU)
    assert missing.read(torch.zeros(4, 6, 3), torch.zeros(4, 6, 3)) is None
    assert VGG_WEIGHTS in missing.reason
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / VGG_WEIGHTS).write_bytes(b"weights")
    metric = perceptual_metric(CPU)
    assert "VGG" in metric.reason
    assert metric.read(torch.zeros(4, 6, 3), torch.ones(4, 6, 3)) == pytest.approx(2.0)


def test_without_the_package_the_reason_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.perceptual.find_spec", lambda name: None)
    metric = perceptual_metric(CPU)
    assert metric.network is None
    assert metric.reason == "not installed: lpips, torchvision"


# The commands

QUICK = [
    "--device=cpu", "--points.fill=0", "--static.iterations=3", "--static.cap=40",
    "--hull.candidates=2000", "--gop.count=64", "--gop.iterations=3", "--gop.features=2",
    "--gop.width=8", "--gop.moments=1", "--report-every=3",
]  # fmt: skip


def test_train_by_command(tiny_capture: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = run_main("train", str(tiny_capture), "-o", str(run), *QUICK, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "GOP 0  3/3" in done.stderr
    assert "trained 6 frames in" in done.stderr.splitlines()[-1]
    assert load_run(run).gop(0).frames == FRAMES


def test_evaluate_by_command(
    scene: Path, tiny_capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, figures = tmp_path / "sheet.png", tmp_path / "figures.json"
    choice = ["--frames", "0:2", "--backend", "reference"]
    files = ["--sheet", str(sheet), "--json", str(figures)]
    assert main.main(["evaluate", str(scene), "--data", str(tiny_capture), *choice, *files]) == 0
    assert "psnr" in capsys.readouterr().out
    assert json.loads(figures.read_text())["sheet"]["path"] == str(sheet)
    assert sheet.exists()


def test_what_is_no_capture_is_one_line_on_standard_error(tmp_path: Path) -> None:
    done = run_main("train", str(tmp_path), "-o", str(tmp_path / "run"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "neither cameras.json nor poses_bounds.npy" in done.stderr
    assert not (tmp_path / "run").exists()
