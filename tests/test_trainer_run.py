"""What a run leaves on disk, what it tells, and the small parts that hold it together."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer import CanonicalGaussians, RenderSettings
from streamstgs.trainer import parallel
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.errors import RunError, TrainerError
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.start import initial_features
from streamstgs.trainer.gop_plan import frames_of, gop_lengths
from streamstgs.trainer.optimization.gaussian_parameters import ATTRIBUTES
from streamstgs.trainer.parallel import run_on_devices, training_devices
from streamstgs.trainer.progress import TrainingProgress
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import (
    RunDirectory,
    load_checkpoint,
    load_run,
    save_checkpoint,
    write_atomically,
)
from streamstgs.trainer.scene_meta import scene_meta
from streamstgs.trainer.training_record import (
    StageRecord,
    Stopwatch,
    changed_settings,
    plain_settings,
    summary,
)
from streamstgs.trainer.validation import Validation

from tests.capture_scene import HEIGHT, WIDTH
from tests.synthetic import SyntheticSource

CPU = torch.device("cpu")


def same(a: CanonicalGaussians, b: CanonicalGaussians) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in ATTRIBUTES)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A finished run of the synthetic scene."""
    source, run = SyntheticSource(), RunDirectory(tmp_path / "run")
    run.write_plan(source.meta, list(source.frames_per_gop))
    run.write_static(source.static)
    for index in range(source.gop_count):
        run.write_gop(index, source.gop(index))
    return run


# The run directory


def test_run_directory_round_trip(run: RunDirectory) -> None:
    source, found = SyntheticSource(), load_run(run.path)
    assert found.meta == source.meta
    assert found.gop_count == source.gop_count
    assert same(found.static, source.static)
    written, read = source.gop(1), found.gop(1)
    assert read.frames == written.frames
    assert same(read.canonical, written.canonical)
    assert torch.allclose(read.features, written.features, atol=1e-3)  # kept in fp16
    assert read.field.config == written.field.config
    weights = read.field.state_dict()
    assert all(torch.equal(weights[k], w) for k, w in written.field.state_dict().items())


def test_load_run_replaces_meta_data(run: RunDirectory) -> None:
    assert load_run(run.path, title="Ball", licence="CC0").meta.title == "Ball"


def test_run_keeps_temporal_medians(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "new" / "run")
    still = TemporalMedian(torch.randint(0, 255, (4, 6, 3), dtype=torch.uint8), torch.rand(4, 6))
    run.write_medians({"cam.00": still})
    found = run.read_medians()["cam.00"]
    assert torch.equal(found.image, still.image)
    assert torch.equal(found.reliability, still.reliability)


def test_unfinished_run_names_the_missing_gop(run: RunDirectory) -> None:
    run.gop_path(2).unlink()
    with pytest.raises(RunError, match="GOP 2 is not trained yet"):
        load_run(run.path)


@pytest.mark.parametrize("name", ["run.json", "static.safetensors"])
def test_run_with_missing_files_is_refused(run: RunDirectory, name: str) -> None:
    (run.path / name).unlink()
    with pytest.raises(RunError, match="run"):
        load_run(run.path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"meta": 3}', b"\xff\xfe"])
def test_damaged_plan_is_refused(run: RunDirectory, content: bytes) -> None:
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match="not a training run"):
        load_run(run.path)


@pytest.mark.parametrize("kept", [0, 7, 3000])
def test_damaged_gop_is_refused(run: RunDirectory, kept: int) -> None:
    path = run.gop_path(0)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match="gop-0000"):
        load_run(run.path).gop(0)


def test_file_that_is_no_gop_is_refused(run: RunDirectory) -> None:
    run.gop_path(0).write_bytes(run.static_path.read_bytes())
    with pytest.raises(RunError, match="not a trained GOP"):
        load_run(run.path).gop(0)


def test_interrupted_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_atomically(path, b"old", Path.write_bytes)

    def killed(partial: Path, content: bytes) -> None:
        partial.write_bytes(content[:1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new", killed)
    assert path.read_bytes() == b"old"
    write_atomically(path, b"newer", Path.write_bytes)
    assert path.read_bytes() == b"newer"
    assert [p.name for p in tmp_path.iterdir()] == ["state"]


def test_finished_gop_has_no_checkpoint(run: RunDirectory) -> None:
    save_checkpoint(run.checkpoint_path(0), {"iteration": 3})
    run.write_gop(0, SyntheticSource().gop(0))
    assert not run.checkpoint_path(0).exists()


class Evil:
    def __reduce__(self) -> tuple:
        return (print, ("run by a checkpoint",))


def test_checkpoint_with_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.pt"
    torch.save({"a": Evil()}, path)
    with pytest.raises(RunError, match=r"evil\.pt cannot be read"):
        load_checkpoint(path, CPU)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense"])
def test_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(RunError, match=r"bad\.pt"):
        load_checkpoint(tmp_path / "bad.pt", CPU)


# Records


def test_summary_adds_up_stages(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.write_stage(StageRecord("gop-0000", 20.0, 3.5, "a GPU"))
    run.write_stage(StageRecord("coarse", 10.0, 2.5, "a GPU"))
    config = TrainConfig(Path("data"), tmp_path, seed=5)
    document = summary(plain_settings(config), run.read_stages(), frames=60)
    run.write_summary(document)
    found = json.loads((tmp_path / "training.json").read_text())
    assert [s["stage"] for s in found["stages"]] == ["coarse", "gop-0000"]
    assert (found["seconds"], found["seconds_per_frame"]) == (30.0, 0.5)
    assert (found["peak_memory_gib"], found["devices"]) == (3.5, ["a GPU"])
    assert (found["seed"], found["frames"]) == (5, 60)
    assert found["config"]["gop"]["means_lr"] == config.gop.means_lr
    assert found["config"]["data"] == "data"


def test_stopwatch_counts_time_before_a_kill() -> None:
    stopwatch = Stopwatch("coarse", CPU)
    stopwatch.before_s = 1000.0
    record = stopwatch.record()
    assert 1000 <= record.seconds < 1100
    assert (record.stage, record.peak_memory_gib, record.device) == ("coarse", None, "cpu")


def test_changed_settings_ignore_free_ones() -> None:
    config = TrainConfig(Path("data"), Path("run"))
    other = replace(
        config,
        data=Path("moved"),
        device="cpu",
        report_every=7,
        seed=1,
        gop=GopConfig(init_count=5),
    )
    changes = changed_settings(plain_settings(config), plain_settings(other))
    assert changes == [f"gop.init_count: {config.gop.init_count} -> 5", "seed: 0 -> 1"]
    assert changed_settings(plain_settings(config), plain_settings(config)) == []


def test_progress_line_shows_loss_and_validation(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "streamstgs.trainer"):
        progress = TrainingProgress("GOP 3", 200, CPU, done=50)
        progress.report(100, 0.0123, "held-out 27.13 dB")
        progress.report(200, 0.01)
    assert "GOP 3  100/200  loss 0.0123  held-out 27.13 dB" in caplog.messages[0]
    assert "held-out" not in caplog.messages[1]
    assert "0 s left" in caplog.messages[1]


def test_validation_names_the_stand_in_camera(
    tiny_capture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture = open_capture(tiny_capture)
    settings = RenderSettings((0.0, 0.0, 0.0), 0.1)
    assert Validation.of_frames(capture, range(1), settings, CPU).name == "held-out"
    without = replace(capture, views=capture.split("train"))
    validation = Validation.of_frames(without, range(1), settings, CPU)
    with caplog.at_level(logging.INFO, "streamstgs.trainer"):
        TrainingProgress("coarse", 10, CPU).report(5, 0.1, validation.in_words({"PSNR": 20.0}))
    assert "training camera 1 20.00 dB" in caplog.messages[0]


def test_infinite_loss_ends_the_stage() -> None:
    with pytest.raises(TrainerError, match="coarse: the loss is nan at step 7"):
        TrainingProgress("coarse", 10, CPU).report(7, float("nan"))


# Devices


def test_training_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert training_devices("auto") == training_devices("cpu") == [CPU]
    with pytest.raises(TrainerError, match="finds 0 CUDA devices"):
        training_devices("cuda")
    with pytest.raises(TrainerError, match="names no device"):
        training_devices("toaster")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(d) for d in training_devices("auto")] == ["cuda:0", "cuda:1"]
    assert [str(d) for d in training_devices("cuda:1")] == ["cuda:1"]
    assert [str(d) for d in training_devices("cuda")] == ["cuda:0"]


def test_one_device_runs_in_this_process() -> None:
    done: list[tuple[int, torch.device]] = []
    run_on_devices(lambda item, device: done.append((item, device)), [3, 1], [CPU])
    assert done == [(3, CPU), (1, CPU)]


def leave_a_trace(folder: Path, item: int, device: torch.device) -> None:
    if item == 9:
        raise RunError("item 9 cannot be done")
    (folder / str(item)).write_text(str(device))


def test_two_devices_run_in_processes_and_raise_errors(tmp_path: Path) -> None:
    work = partial(leave_a_trace, tmp_path)
    with pytest.raises(RunError, match="item 9 cannot be done"):
        run_on_devices(work, [0, 1, 2, 9], [CPU, CPU])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "1", "2"]


def wait_for_a_trace(folder: Path, item: int, device: torch.device) -> None:
    """Item 0 takes until 1 and 2 are done, which needs them to go to the other process."""
    deadline_s = time.monotonic() + 60
    while item == 0 and not (folder / "2").exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert item != 0 or (folder / "2").exists()
    (folder / str(item)).write_text(str(device))


def test_free_device_takes_the_next_item(tmp_path: Path) -> None:
    run_on_devices(partial(wait_for_a_trace, tmp_path), [0, 1, 2], [CPU, CPU])
    assert len(list(tmp_path.iterdir())) == 3


def work_for_long(folder: Path, item: int, device: torch.device) -> None:
    (folder / str(item)).touch()
    time.sleep(120)


WORK_FOR_LONG = """
import sys
from functools import partial
from pathlib import Path
from tests.test_trainer_run import CPU, work_for_long
from streamstgs.trainer.parallel import run_on_devices
if __name__ == "__main__":
    run_on_devices(partial(work_for_long, Path(sys.argv[1])), [0, 1], [CPU, CPU])
"""


def test_worker_processes_end_with_a_killed_run(tmp_path: Path) -> None:
    """Or two would write the same checkpoint once the run is resumed."""
    script = tmp_path / "work.py"
    script.write_text(WORK_FOR_LONG)
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, str(script), str(work)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
        while run.poll() is None and len(list(work.iterdir())) < 2:
            time.sleep(0.05)
        run.kill()
        run.communicate(timeout=250)  # until standard output is closed everywhere
    assert len(list(work.iterdir())) == 2


def test_no_items_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_serve", lambda *_: pytest.fail("there is no work"))
    run_on_devices(lambda *_: None, [], [CPU, CPU])


# Small parts


def test_rng_resumes_from_its_state() -> None:
    def numbers(source: Rng) -> list:
        drawn = [source.integer(1000), source.choice(3, 10), source.color()]
        tensors = [source.normal(4), source.uniform(2, 2), source.permutation(9)]
        return drawn + [t.tolist() for t in tensors]

    source, other = Rng(4, CPU), Rng(99, CPU)
    numbers(source)
    state = source.state_dict()
    expected = numbers(source)
    other.load_state_dict(state)
    assert numbers(other) == expected
    assert numbers(other) != expected
    assert numbers(Rng(4, CPU)) == numbers(Rng(4, CPU))


def test_rng_choice_has_no_repeats() -> None:
    source = Rng(0, CPU)
    assert sorted(source.choice(5, 5)) == [0, 1, 2, 3, 4]
    assert sorted(source.choice(9, 3)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("frames", "gop", "expected"),
    [(240, 60, [60] * 4), (75, 60, [37, 38]), (6, 60, [6]), (7, 3, [2, 2, 3]), (1, 1, [1])],
)
def test_gop_lengths_are_equal(frames: int, gop: int, expected: list[int]) -> None:
    assert gop_lengths(frames, gop) == expected
    shown = [frame for k in range(len(expected)) for frame in frames_of(expected, k)]
    assert shown == list(range(frames))


def test_scene_meta_of_a_capture(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    meta = scene_meta(capture, (0.1, 0.2, 0.3), near=0.5)
    assert (meta.title, meta.fps, meta.width, meta.height) == ("blobs", 12, WIDTH, HEIGHT)
    assert (meta.background, meta.near) == ((0.1, 0.2, 0.3), 0.5)
    assert meta.radius == pytest.approx((4**2 + 1.5**2) ** 0.5, rel=1e-4)
    assert meta.up == pytest.approx((0, 0, 1), abs=1e-5)


def test_camera_presets_are_spread(tiny_capture: Path) -> None:
    presets = scene_meta(open_capture(tiny_capture), (0, 0, 0), near=0.5).presets
    assert [p.name for p in presets] == ["View 1", "View 2", "View 3", "View 4"]
    places = torch.tensor([p.position for p in presets])
    apart = torch.pdist(places)  # four of eight places on a ring of radius 4: a square
    assert apart.min().item() == pytest.approx(4 * 2**0.5, rel=1e-3)
    for preset in presets:
        assert preset.target == pytest.approx((0, 0, 0), abs=1e-4)
        assert preset.fov_y_rad == pytest.approx(0.7, abs=1e-4)


def test_camera_presets_are_independent_of_units(tiny_capture: Path) -> None:
    """A room of 4 m, in kilometres: each camera looks at its middle, not far behind it."""
    capture = open_capture(tiny_capture)
    small = [replace(v.camera, viewmat=v.camera.viewmat.clone()) for v in capture.views]
    for camera in small:
        camera.viewmat[:3, 3] /= 1000
    views = tuple(replace(v, camera=c) for v, c in zip(capture.views, small, strict=True))
    for preset in scene_meta(replace(capture, views=views), (0, 0, 0), 0.0).presets:
        assert preset.target == pytest.approx((0, 0, 0), abs=1e-5)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_initial_features_encode_temporal_center(window: int) -> None:
    config = GopConfig(features=4, window=window, sample_frames=2)
    features = initial_features(torch.tensor([0.0, 6.0]), torch.tensor([4.0, 4.0]), 8, config)
    assert features.shape == (2, 8 + window - 1, 4)
    middle = window // 2
    assert features[:, :, 0].argmax(dim=1).tolist() == [middle, 6 + middle]
    assert features[0, middle + 4 :, 0].max() <= -0.9 + 1e-6
    assert (features[..., 1:] == 0).all()
    assert features.abs().max() <= 1


def test_trained_gop_fits_the_encoder(run: RunDirectory) -> None:
    gop = load_run(run.path).gop(0)
    assert isinstance(gop, TrainedGop)
    assert len(gop.features) == gop.frames + gop.field.config.window - 1
