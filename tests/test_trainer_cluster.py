"""GOPs on a cluster: a local Ray with two workers, one of which is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from streamstgs.trainer.cluster.ray_cluster import (
    ClusterSettings,
    check_cluster,
    train_on_cluster,
)
from streamstgs.trainer.cluster.shared_run import SharedFolder, local_copy, pull_gop, push_run
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.errors import SettingError, TrainerError
from streamstgs.trainer.run_directory import RunDirectory, save_checkpoint
from streamstgs.trainer.stage_settings import GopStageSettings
from streamstgs.trainer.train import train

from tests.test_trainer_resume import tiny_config

STEPS = 4


def settings_of(folder: Path) -> GopStageSettings:
    return TrainConfig(folder / "capture", folder / "run").gop_stage()


def trained(steps: int) -> TrainedGop:
    config = FieldConfig(features=1, width=1)
    features = torch.full((config.window, 0, 1), float(steps))
    return TrainedGop(CanonicalGaussians.empty(), features, DeformationField(config), frames=1)


def work(settings: GopStageSettings, index: int, device: torch.device) -> None:
    """Count steps with a checkpoint after each; GOP 1 is killed once, in the middle."""
    run, journal = RunDirectory(settings.out), settings.data
    checkpoint = run.checkpoint_path(index)
    step = torch.load(checkpoint)["step"] if checkpoint.exists() else 0
    while step < STEPS:
        step += 1
        save_checkpoint(checkpoint, {"step": step})
        with (journal / f"steps-{index}").open("a") as lines:
            lines.write(f"{step}\n")
        if index == 1 and step == 2 and not (journal / "killed").exists():
            (journal / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    run.write_gop(index, trained(step))


def fail(settings: GopStageSettings, index: int, device: torch.device) -> None:
    raise TrainerError(f"GOP {index} cannot be trained")


def always_die(settings: GopStageSettings, index: int, device: torch.device) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("capture", "run"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="Ray is not installed: the extra [cluster]")
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()


CLUSTER = ClusterSettings("auto", gpu_share=0)


@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore")
def test_lost_worker_costs_only_the_steps_since_its_checkpoint(folder: Path) -> None:
    settings = settings_of(folder)
    train_on_cluster(work, settings, [0, 1, 2], CLUSTER)
    run = RunDirectory(settings.out)
    assert all(run.gop_path(index).exists() for index in range(3))
    assert (folder / "capture/killed").exists()
    assert (folder / "capture/steps-1").read_text().split() == ["1", "2", "3", "4"]
    assert not run.checkpoint_path(1).exists()


@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore")
def test_errors_of_the_work_and_of_workers_end_the_run(folder: Path) -> None:
    with pytest.raises(TrainerError, match="cannot be trained"):
        train_on_cluster(fail, settings_of(folder), [0], CLUSTER)
    with pytest.raises(TrainerError, match="its worker was lost 1 times"):
        train_on_cluster(always_die, settings_of(folder), [0], replace(CLUSTER, retries=0))


@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore")
def test_machines_without_a_common_disk_exchange_files_through_a_store(folder: Path) -> None:
    settings = settings_of(folder)
    RunDirectory(settings.out).write_coarse(CanonicalGaussians.empty())
    store = f"file://{folder / 'store'}"
    (folder / "capture/cameras.json").write_text("{}")
    cluster = replace(CLUSTER, storage=store)
    train_on_cluster(work, settings, [0], cluster)
    run = RunDirectory(settings.out)
    assert run.read_gop(0).frames == 1
    assert (folder / "store/coarse.safetensors").exists()
    assert not (folder / "store/gop-0000.checkpoint.pt").exists()


def test_a_copy_goes_on_from_the_checkpoint_in_the_store(folder: Path) -> None:
    settings, store = settings_of(folder), f"file://{folder / 'store'}"
    run = RunDirectory(settings.out)
    save_checkpoint(run.checkpoint_path(3), {"step": 3})
    save_checkpoint(run.checkpoint_path(4), {"step": 1})
    push_run(run.path, SharedFolder(store))
    with local_copy(settings, 3, store) as copied:
        there = RunDirectory(copied.out)
        assert torch.load(there.checkpoint_path(3))["step"] == 3
        assert not there.checkpoint_path(4).exists()
        there.write_gop(3, trained(4))
    pull_gop(run, 3, SharedFolder(store))
    assert run.gop_path(3).exists()


def test_a_store_that_holds_another_run_is_refused(folder: Path) -> None:
    """Its checkpoints would be taken for those of this run."""
    store = SharedFolder(f"file://{folder / 'store'}")
    run = RunDirectory(folder / "run")
    run.begin({"seed": 1}, {"camera": "a"})
    push_run(run.path, store)
    push_run(run.path, store)  # resumed
    for settings, identity in (({"seed": 2}, {"camera": "a"}), ({"seed": 1}, {"camera": "b"})):
        other = RunDirectory(folder / f"run-{settings['seed']}-{identity['camera']}")
        other.path.mkdir()
        other.begin(settings, identity)
        with pytest.raises(TrainerError, match="holds another run"):
            push_run(other.path, store)


def test_each_window_has_a_folder_in_the_store(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GOPs of windows have the same names."""
    seen: list[str | None] = []

    def note(config: TrainConfig, capture: Any, devices: Any, cluster: ClusterSettings) -> None:
        seen.append(cluster.storage)

    monkeypatch.setattr("streamstgs.trainer.train._train_window", note)
    monkeypatch.setattr("streamstgs.trainer.train.check_cluster", lambda settings: None)
    config = replace(tiny_config(tiny_capture, tmp_path / "run"), window_frames=2)
    train(config, ClusterSettings("auto", storage="s3://bucket/run/"))
    assert len(seen) > 1
    assert seen == [f"s3://bucket/run/window-{k:04d}" for k in range(len(seen))]
    seen.clear()
    whole = replace(config, out=tmp_path / "whole", window_frames=None)
    train(whole, ClusterSettings("auto", storage="s3://bucket/run"))
    assert seen == ["s3://bucket/run"]


def test_captures_are_copied_once(folder: Path) -> None:
    (folder / "capture/video").mkdir()
    (folder / "capture/video/a.mp4").write_bytes(b"content")
    shared, target = SharedFolder(f"file://{folder / 'capture'}"), folder / "copy"
    shared.pull_all(target)
    (folder / "capture/video/a.mp4").write_bytes(b"other")
    shared.pull_all(target)
    assert (target / "video/a.mp4").read_bytes() == b"content"


@pytest.mark.parametrize(
    "wrong",
    [{"address": "cluster:80"}, {"gpu_share": -1.0}, {"cpus": 0.0}, {"retries": -1}],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: the extra [cluster]")
    with pytest.raises(SettingError):
        check_cluster(replace(CLUSTER, **wrong))  # type: ignore[arg-type]


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"streamstgs\[cluster\]"):
        check_cluster(CLUSTER)
