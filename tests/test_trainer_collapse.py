"""A GOP whose moving Gaussians fade is noticed, trained again more gently, and at last refused."""

from pathlib import Path

import pytest
import streamstgs.trainer.gop_stage
import torch
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.fine.collapse import GopCollapsedError, GopHealth, gentler, health
from streamstgs.trainer.fine.config import GopConfig, JointConfig
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.train import train

from tests.capture_scene import single_thread


def config(capture: Path, out: Path, **gop: object) -> TrainConfig:
    return TrainConfig(
        capture,
        out,
        device="cpu",
        report_every=5,
        points=InitialPointsConfig(fill=0),
        coarse=CoarseConfig(iterations=20, density=McmcConfig(cap_max=60)),
        hull=HullConfig(candidates=5000),
        joint=JointConfig(iterations=0),
        gop=GopConfig(
            init_count=64, iterations=20, features=2, width=8, sample_frames=2, **gop
        ),
    )  # fmt: skip


def test_health_in_words() -> None:
    assert GopHealth(0.9, 3.0, True).problem is None
    assert GopHealth(0.0, None, True).problem is None  # nothing moves: fading is no loss
    assert "visible" in (GopHealth(0.001, 3.0, True).problem or "")
    assert "+0.05 dB" in (GopHealth(0.5, 0.05, True).problem or "")
    assert "finite" in (GopHealth(0.9, 3.0, False).problem or "")


def test_gentler_settings_press_less_on_opacities() -> None:
    before = GopConfig()
    after = gentler(before)
    assert after.opacities_lr < before.opacities_lr
    assert after.opacity_reg == 0
    assert after.static_alpha_reg < before.static_alpha_reg
    assert before.field_start < after.field_start < 1


def test_faded_gop_recovers_by_itself(
    tiny_capture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first training fades within a few steps; the second one must be whole."""
    step, faded = GopTraining.step, 0

    def fading(training: GopTraining) -> object:
        nonlocal faded
        record = step(training)
        if training.config.opacity_reg > 0:  # gentler settings have none
            faded += 1
            with torch.no_grad():
                training.parameters["opacity_logits"].fill_(-9.0)
        return record

    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(GopTraining, "step", fading)
        train(config(tiny_capture, tmp_path / "run"))
    assert 0 < faded <= 20
    assert "trained again more gently" in caplog.text
    run = RunDirectory(tmp_path / "run")
    assert (run.read_gop(0).canonical.opacity_logits > -4).any()


def test_gop_that_fades_each_time_is_refused_by_its_number(
    tiny_capture: Path, tmp_path: Path
) -> None:
    step = GopTraining.step

    def fading(training: GopTraining) -> object:
        record = step(training)
        with torch.no_grad():
            training.parameters["opacity_logits"].fill_(-9.0)
        return record

    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(GopTraining, "step", fading)
        patch.setattr(streamstgs.trainer.gop_stage, "ATTEMPTS", 2)
        with pytest.raises(GopCollapsedError, match="GOP 0 collapsed in 2 trainings"):
            train(config(tiny_capture, tmp_path / "run"))
    assert not RunDirectory(tmp_path / "run").gop_path(0).exists()


def test_numbers_that_are_not_finite_are_a_collapse(tiny_capture: Path, tmp_path: Path) -> None:
    seen: list[GopHealth] = []
    step = GopTraining.step

    def broken(training: GopTraining) -> object:
        step(training)
        with torch.no_grad():
            training.parameters["colors"][0] = torch.nan
        seen.append(health(training))
        raise KeyboardInterrupt

    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(GopTraining, "step", broken)
        with pytest.raises(KeyboardInterrupt):
            train(config(tiny_capture, tmp_path / "run"))
    assert seen[0].problem == "some of its parameters are not finite"
