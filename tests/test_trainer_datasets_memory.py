"""What a capture takes of memory, and that one that cannot fit is refused before training."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer import memory
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, CapturedView, open_capture
from streamstgs.trainer.datasets.readers import ImageFolderReader
from streamstgs.trainer.errors import MemoryNeedError
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.memory import check_memory, gop_bytes, host_free_bytes, memory_need
from streamstgs.trainer.recipes import default_recipe, paper_recipe
from streamstgs.trainer.train import train

GPU = [torch.device("cuda", 0)]
GIB = 2**30


def capture_of(cameras: int, width: int, height: int, frames: int) -> Capture:
    """Camera 0 is held out."""
    camera = Camera(torch.eye(4), torch.eye(3), width, height)
    views = tuple(
        CapturedView(
            str(k), "train" if k else "test", camera, ImageFolderReader(str(k), (), width, height)
        )
        for k in range(cameras)
    )
    return Capture("none", views, 30.0, frames, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), None)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return default_recipe(tmp_path, tmp_path / "run")


def set_free(patch: pytest.MonkeyPatch, gpu_gib: float, host_gib: float) -> None:
    patch.setattr(torch.cuda, "mem_get_info", lambda _: (int(gpu_gib * GIB), 1 << 50))
    patch.setattr(memory, "host_free_bytes", lambda: int(host_gib * GIB))


def test_gop_bytes_counts_frames_and_masks(config: TrainConfig) -> None:
    capture = capture_of(20, 2704, 2028, 300)  # Neural 3D Video
    pixels = 19 * 2704 * 2028
    assert gop_bytes(capture, config.gop_frames) == pixels * (3 * 60 + 9)
    training_views = GopViews(
        [capture.views[0].camera],
        [torch.zeros(4, 6, 8, 3, dtype=torch.uint8)],
        [torch.zeros(6, 8, dtype=torch.bool)],
        (0.0, 0.0, 0.0),
        near=0.1,
    )
    held = [
        *training_views.frames,
        *training_views.masks,
        *training_views.static_pixels,
        *training_views.background_pixels,
    ]
    assert sum(t.numel() * t.element_size() for t in held) == 6 * 8 * (3 * 4 + 9)


def test_gop_bytes_uses_planned_lengths(config: TrainConfig) -> None:
    capture = capture_of(3, 100, 50, 62)  # two GOPs of 31
    assert gop_bytes(capture, config.gop_frames) == 2 * 100 * 50 * (3 * 31 + 9)


def test_memory_need_counts_readers_per_device() -> None:
    capture = capture_of(20, 1352, 1014, 300)
    one, eight = (memory_need(capture, 60, 0, GPU * count) for count in (1, 8))
    assert eight.host == 5 * one.host  # there are five GOPs
    assert eight.device == one.device


def test_memory_need_counts_frames_of_the_coarse_stage(tmp_path: Path) -> None:
    capture = capture_of(20, 1352, 1014, 300)
    recipe = paper_recipe(tmp_path, tmp_path)
    every_frame = 3 * 300 * 19 * 1352 * 1014
    assert memory_need(capture, 60, recipe.coarse.frames_held, GPU).host == every_frame
    some = replace(recipe, coarse=replace(recipe.coarse, frames=100))
    assert memory_need(capture, 60, some.coarse.frames_held, GPU).host == every_frame / 3


def test_memory_error_names_a_height_that_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_free(monkeypatch, gpu_gib=15, host_gib=64)
    full, half = (capture_of(20, w, h, 300) for w, h in ((2704, 2028), (1352, 1014)))
    with pytest.raises(MemoryNeedError) as refusal:
        check_memory(full, 60, 0, GPU)
    assert str(refusal.value) == (
        "19 cameras of 2704x2028 px with GOPs of 60 frames take 22.0 GiB of GPU memory, cuda:0 has "
        "15.0 GiB free: --capture.height-px 1014 takes 5.5"
    )
    check_memory(half, 60, 0, GPU)


def test_memory_check_covers_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    set_free(monkeypatch, gpu_gib=80, host_gib=8)
    with pytest.raises(MemoryNeedError, match=r"of memory, this machine has 8.0 GiB free"):
        check_memory(capture_of(20, 2704, 2028, 300), 60, 0, GPU)
    with pytest.raises(MemoryNeedError, match=r"this machine has .*--capture.height-px 1014 "):
        check_memory(capture_of(20, 2704, 2028, 300), 60, 0, [torch.device("cpu")])


def test_memory_error_comes_before_any_file(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "host_free_bytes", lambda: 1000)
    with pytest.raises(MemoryNeedError, match=r"7 cameras of 32x24 px"):
        train(TrainConfig(tiny_capture, tmp_path / "run", device="cpu"))
    assert not (tmp_path / "run").exists()


def test_out_of_memory_guard_names_what_helps(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.4 GiB.")

    monkeypatch.setattr("streamstgs.trainer.train.train_coarse_stage", full)
    with pytest.raises(MemoryNeedError, match=r"memory is full: .*--capture.height-px 12 or"):
        train(TrainConfig(tiny_capture, tmp_path / "run", device="cpu"))


def test_cuda_error_pickles() -> None:
    error = pickle.loads(pickle.dumps(torch.OutOfMemoryError("full")))
    assert isinstance(error, torch.OutOfMemoryError)


def test_unknown_free_memory_passes_the_check(
    tiny_capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "host_free_bytes", lambda: None)
    check_memory(open_capture(tiny_capture), 60, 0, [torch.device("cpu")])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    5 kB\n"}, 5 * 1024),
        ({"proc/meminfo": "MemAvailable: 5 kB\n", "sys/fs/cgroup/memory.max": "max\n"}, 5 * 1024),
        ({"proc/meminfo": "MemAvailable: 5 kB\n", "sys/fs/cgroup/memory.max": "4096\n"}, 4096),
    ],
)
def test_host_free_bytes_reads_limits(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert host_free_bytes(tmp_path) == expected
