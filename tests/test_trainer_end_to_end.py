"""Capture -> training on the CPU -> encoded scene -> quality on the camera that was held out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import pytest
import streamstgs.trainer.train
import torch
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.evaluation.contact_sheet import GAP_PX
from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, evaluate
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.run_directory import load_run
from streamstgs.trainer.train import train

from tests.capture_scene import FRAMES, HEIGHT, WIDTH, single_thread
from tests.test_project_cli import run_main

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PSNR_DB = 31.0  # of the held-out camera; a static model of this capture reaches 27


@pytest.fixture(scope="module")
def scene(tiny_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two GOPs, trained side by side in two processes, and encoded in two qualities."""
    folder = tmp_path_factory.mktemp("trained")
    config = TrainConfig(
        tiny_capture,
        folder / "run",
        gop_frames=3,
        points=InitialPointsConfig(fill=0),
        coarse=CoarseConfig(iterations=100, density=McmcConfig(cap_max=100)),
        hull=HullConfig(candidates=20_000),
        gop=GopConfig(init_count=64, iterations=80, features=4, width=16, sample_frames=2),
    )
    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setattr(streamstgs.trainer.train, "training_devices", lambda _: [CPU, CPU])
        train(config)
        encode_scene(load_run(config.out), folder / "blobs.stgs", EncoderConfig(qps=(16, 28)))
        yield folder / "blobs.stgs"


def test_trained_scene_reaches_psnr_on_held_out_camera(
    scene: Path, tiny_capture: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheets" / "sheet.png"
    config = EvaluateConfig(str(scene), tiny_capture, backend="reference", sheet=sheet)
    (quality,) = evaluate(config)["qualities"]
    validation = quality["test"]
    assert validation["psnr"] > PSNR_DB
    assert min(validation["per_gop"]) > PSNR_DB - 1
    assert validation["ssim"] > 0.965
    assert quality["bytes_per_frame"]["total"] < 7500  # half: manifest, static layers of a few each
    assert (validation["pictures"], quality["qp"]) == (FRAMES, 16)
    assert iio.imread(sheet).shape == (3 * (HEIGHT + GAP_PX), 3 * WIDTH + 2 * GAP_PX, 3)


# The commands

QUICK = [
    "--device=cpu", "--points.fill=0", "--coarse.iterations=3", "--coarse.density.cap-max=40",
    "--hull.candidates=2000", "--gop.init-count=64", "--gop.iterations=3",
    "--gop.features=2", "--gop.width=8", "--gop.sample-frames=1", "--joint.iterations=2",
    "--report-every=1",
]  # fmt: skip


def test_train_by_command(tiny_capture: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = run_main("train", str(tiny_capture), "-o", str(run), *QUICK, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "GOP 0  3/3" in done.stderr
    assert "joint  2/2" in done.stderr
    assert "trained 6 frames in" in done.stderr.splitlines()[-1]
    assert load_run(run).gop(0).frames == FRAMES


def test_missing_capture_is_one_line_of_error(tmp_path: Path) -> None:
    done = run_main("train", str(tmp_path), "-o", str(tmp_path / "run"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "holds no calibration: neither cameras.json" in done.stderr
    assert not (tmp_path / "run").exists()
