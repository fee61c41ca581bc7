"""A run that was killed ends where one that was not ends."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamstgs.trainer.gop_stage
import streamstgs.trainer.joint_stage
import streamstgs.trainer.train
import torch
from safetensors.torch import load_file
from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig, JointConfig, OpacityDensityConfig
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.run_directory import RunDirectory, save_checkpoint
from streamstgs.trainer.train import train

from tests.capture_scene import single_thread

pytestmark = pytest.mark.usefixtures("one_thread")


class Killed(BaseException):
    """What a test does to a training run."""


def tiny_config(data: Path, out: Path) -> TrainConfig:
    """A few steps with all that a run does: growth, relocation, checkpoints."""
    return TrainConfig(
        data,
        out,
        device="cpu",
        report_every=4,
        validate_every=8,
        checkpoint_every=5,
        points=InitialPointsConfig(fill=0),
        coarse=CoarseConfig(iterations=8, density=McmcConfig(cap_max=70, refine_every=3)),
        hull=HullConfig(candidates=5000),
        joint=JointConfig(iterations=2),
        gop=GopConfig(
            init_count=64, iterations=12, features=4, width=16, sample_frames=2, opacities_lr=1.0,
            density=OpacityDensityConfig(
                relocate=True, cap_max=None, refine_every=4, min_opacity=0.1, growth=1.0
            ),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tiny_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run without interruption; Gaussians are relocated in it before and after the kills."""
    out = tmp_path_factory.mktemp("whole") / "run"
    moved: list[int] = []

    def counted(parameters: GaussianParameters, *chosen: Any) -> Any:
        if "features" in parameters.state_dict()["tensors"]:
            found = relocate(parameters, *chosen)
            moved.append(len(found[0]))
            return found
        return relocate(parameters, *chosen)

    relocate = GaussianParameters.relocate
    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(GaussianParameters, "relocate", counted)
        train(tiny_config(tiny_capture, out))
    assert len(moved) == 2  # in steps 4 and 8 of 12
    assert all(moved)
    assert all(0 < count < 64 for count in moved)
    return RunDirectory(out)


def check_equal(a: Path, b: Path) -> None:
    """Two files of tensors, bit for bit."""
    first, second = load_file(a), load_file(b)
    assert first.keys() == second.keys()
    assert [name for name, t in first.items() if not torch.equal(t, second[name])] == []


def killed_after_a_checkpoint(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def save_and_die(path: Path, state: dict) -> None:
        save_checkpoint(path, state)
        raise Killed

    with monkeypatch.context() as patch:
        for stage in (streamstgs.trainer.joint_stage, streamstgs.trainer.gop_stage):
            patch.setattr(stage, "save_checkpoint", save_and_die)
        with pytest.raises(Killed):
            train(config)


def forbid(*_: Any) -> None:
    raise AssertionError("this was done before the kill")


def test_resumed_gop_ends_bit_equal(
    tiny_capture: Path, tmp_path: Path, whole: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = tiny_config(tiny_capture, tmp_path / "run"), RunDirectory(tmp_path / "run")
    killed_after_a_checkpoint(config, monkeypatch)  # step 2 of 12, before the static layer is there
    assert run.checkpoint_path(0).exists()
    assert not run.static_path.exists()
    with monkeypatch.context() as patch:
        patch.setattr(streamstgs.trainer.train, "train_one_gop", lambda *_: None)
        train(config)
    killed_after_a_checkpoint(config, monkeypatch)  # step 5
    assert not run.gop_path(0).exists()
    killed_after_a_checkpoint(config, monkeypatch)  # step 10
    monkeypatch.setattr(streamstgs.trainer.train, "train_coarse_stage", forbid)
    monkeypatch.setattr(streamstgs.trainer.gop_stage, "gop_start", forbid)
    train(config)
    check_equal(run.static_path, whole.static_path)
    check_equal(run.gop_path(0), whole.gop_path(0))
    assert not run.checkpoint_path(0).exists()


def growing_config(data: Path, out: Path) -> TrainConfig:
    """Without a static layer, with the auxiliary pass; Gaussians grow in number before and after
    the kill."""
    config = tiny_config(data, out)
    return replace(
        config,
        static_split=False,
        coarse=replace(
            config.coarse, learns_from="frames", batch_size=2, iterations=4
        ),
        gop=replace(
            config.gop, sample_frames=0, iterations=11, auxiliary=AuxiliaryConfig(batch_size=32),
            opacities_lr=0.05,
            density=replace(config.gop.density, cap_max=90, growth=0.1, min_opacity=0.01),
        ),
    )  # fmt: skip


def test_resumed_growing_gop_ends_bit_equal(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = growing_config(tiny_capture, tmp_path / "whole")
    train(undisturbed)
    config, run = growing_config(tiny_capture, tmp_path / "run"), RunDirectory(tmp_path / "run")
    killed_after_a_checkpoint(config, monkeypatch)  # at step 5: it grew in step 4, and will in 8
    train(config)
    grown = len(run.read_gop(0).canonical)
    assert len(run.read_coarse()) * 1.1 < grown <= 90
    check_equal(run.gop_path(0), RunDirectory(undisturbed.out).gop_path(0))


def test_run_killed_in_coarse_stage_ends_bit_equal(
    tiny_capture: Path, tmp_path: Path, whole: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = tiny_config(tiny_capture, tmp_path / "run"), RunDirectory(tmp_path / "run")

    def die(self: RunDirectory, *_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write_coarse", die)
        with pytest.raises(Killed):
            train(config)
    monkeypatch.setattr(streamstgs.trainer.train, "run_on_devices", lambda *_: None)
    train(config)
    check_equal(run.static_path, whole.static_path)


def test_seed_changes_the_result(tiny_capture: Path, tmp_path: Path, whole: RunDirectory) -> None:
    config = replace(tiny_config(tiny_capture, tmp_path / "run"), seed=1)
    config = replace(config, gop=replace(config.gop, iterations=1))
    train(replace(config, coarse=replace(config.coarse, iterations=1)))
    weights, others = load_file(RunDirectory(config.out).gop_path(0)), load_file(whole.gop_path(0))
    assert not torch.equal(weights["field.temporal.0.weight"], others["field.temporal.0.weight"])


def test_finished_run_is_not_trained_again(
    tiny_capture: Path, whole: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamstgs.trainer.train, "train_coarse_stage", forbid)
    monkeypatch.setattr(streamstgs.trainer.train, "train_one_gop", forbid)
    before = whole.gop_path(0).stat().st_mtime_ns
    save_checkpoint(whole.checkpoint_path(0), {})  # a kill came before it was removed
    train(tiny_config(tiny_capture, whole.path))
    assert not whole.checkpoint_path(0).exists()
    assert whole.gop_path(0).stat().st_mtime_ns == before


def test_run_with_other_settings_is_refused(tiny_capture: Path, whole: RunDirectory) -> None:
    config = tiny_config(tiny_capture, whole.path)
    other = replace(config, background=BackgroundConfig(flat_share=0.9), gop_frames=3)
    with pytest.raises(RunError) as refusal:
        train(other)
    assert "background.flat_share: 0.3 -> 0.9; gop_frames: 60 -> 3" in str(refusal.value)


def test_run_with_earlier_names_of_settings_is_refused(tiny_capture: Path, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    earlier = {"seed": 0, "static": {"cap": 40, "rates": {"means": 1e-3}}, "watch_every": 8}
    (run.path / "config.json").write_text(json.dumps(earlier))
    with pytest.raises(RunError) as refusal:
        train(tiny_config(tiny_capture, run.path))
    assert "begun by another version of the trainer" in str(refusal.value)
    assert "static.cap, static.rates.means, watch_every" in str(refusal.value)
    assert json.loads((run.path / "config.json").read_text()) == earlier


def test_run_of_another_capture_is_refused(
    tiny_capture: Path, tmp_path: Path, whole: RunDirectory
) -> None:
    document = json.loads((tiny_capture / "cameras.json").read_text())
    (tmp_path / "cameras.json").write_text(json.dumps(document | {"frames": 5}))
    (tmp_path / "ims").symlink_to(tiny_capture / "ims")
    with pytest.raises(RunError, match="differs in: number of frames"):
        train(tiny_config(tmp_path, whole.path))


def test_training_json_lists_costs(whole: RunDirectory) -> None:
    document = json.loads((whole.path / "training.json").read_text())
    assert [s["stage"] for s in document["stages"]] == ["coarse", "joint", "gop-0000"]
    assert all(s["seconds"] > 0 for s in document["stages"])
    assert document["seconds_per_frame"] == pytest.approx(document["seconds"] / 6)
    assert document["peak_memory_gib"] is None
    assert document["config"]["gop"]["iterations"] == 12


@pytest.mark.parametrize("part", ["calibration", "frames", "points", "rate"])
def test_run_of_another_capture_is_not_resumed(
    tiny_capture: Path, whole: RunDirectory, tmp_path: Path, part: str
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    shutil.copytree(tiny_capture, data)
    shutil.copytree(whole.path, out)
    document = json.loads((data / "cameras.json").read_text())
    if part == "calibration":
        document["cameras"][3]["K"][0][0] *= 1.01
    elif part == "rate":
        document["fps"] *= 2
    elif part == "frames":
        first, second = (data / "ims" / "3" / f"00000{k}.png" for k in (0, 1))
        first.write_bytes(second.read_bytes())
    else:
        (data / "points3D.ply").write_bytes((data / "points3D.ply").read_bytes() + b" ")
    (data / "cameras.json").write_text(json.dumps(document))
    config = tiny_config(data, out)
    with pytest.raises(RunError, match="begun with another capture"):
        train(config)


def test_two_trainings_do_not_share_a_directory(tiny_capture: Path, tmp_path: Path) -> None:
    config = tiny_config(tiny_capture, tmp_path / "run")
    with RunDirectory(config.out).locked(), pytest.raises(RunError, match="another training"):
        train(config)
    assert not (config.out / "config.json").exists()
