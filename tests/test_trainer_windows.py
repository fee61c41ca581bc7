"""Long captures in windows: what each trains on, and the scene that is encoded of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.source import StaticPeriod, TrainedGop, static_at
from streamstgs.codec.scene import open_scene
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, CaptureConfig, open_capture
from streamstgs.trainer.errors import CaptureError, RunError
from streamstgs.trainer.forecast import forecast
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.train import train
from streamstgs.trainer.windows import (
    load_trained,
    window_configs,
    window_lengths,
    window_path,
    write_windows,
)

from tests.synthetic import SyntheticSource
from tests.test_codec_pages import QUICK
from tests.test_trainer_resume import tiny_config


class Shots:
    """Two synthetic scenes, one after the other, with static Gaussians of their own."""

    def __init__(self) -> None:
        self.parts = [SyntheticSource(static, 8, (2, 2), fps=10.0) for static in (9, 5)]
        self.meta, self.static = self.parts[0].meta, self.parts[0].static
        self.gop_count = 4
        self.periods = (StaticPeriod(2, self.parts[1].static),)

    def gop(self, index: int) -> TrainedGop:
        return self.parts[index // 2].gop(index % 2)


def test_encoder_gives_each_period_its_static_layers(tmp_path: Path) -> None:
    source = Shots()
    report = encode_scene(source, tmp_path / "shots", QUICK)
    with open_scene(tmp_path / "shots") as scene:
        gops = [scene.decode_gop(index, scene.qualities[-1]) for index in range(4)]
    assert [len(gop.static) for gop in gops] == [9, 9, 5, 5]
    for index in (0, 2):
        trained = static_at(source, index).means
        ends = [gops[index].static.means.amin(0), gops[index].static.means.amax(0)]
        torch.testing.assert_close(ends, [trained.amin(0), trained.amax(0)], atol=0.05, rtol=0.05)
    files = list((tmp_path / "shots/static").rglob("*.planes"))
    assert report.part_bytes["static"] == sum(path.stat().st_size for path in files)


def test_windows_follow_each_other(tmp_path: Path) -> None:
    config = TrainConfig(tmp_path, tmp_path / "run", window_frames=40)
    lengths = window_lengths(100, 40)
    assert (lengths, window_lengths(100, None)) == ([33, 33, 34], [100])
    windows = window_configs(config, lengths)
    read = [(window.capture.first_frame, window.capture.frames) for window in windows]
    assert read == [(None, 33), (33, 33), (66, 34)]
    later = replace(config, capture=CaptureConfig(first_frame=7))
    assert window_configs(later, lengths)[1].capture.first_frame == 40
    assert window_configs(config, [100]) == [config]


def test_capture_begins_at_its_first_frame(tiny_capture: Path) -> None:
    whole = open_capture(tiny_capture)
    later = open_capture(tiny_capture, CaptureConfig(first_frame=1, frames=2))
    assert later.frames == 2
    for view, moved in zip(whole.views, later.views, strict=True):
        assert np.array_equal(view.reader.read([1, 2]), moved.reader.read([0, 1]))
    with pytest.raises(CaptureError, match="first frame leave none"):
        open_capture(tiny_capture, CaptureConfig(first_frame=whole.frames))


def test_each_window_is_a_run_of_its_own(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def note(config: TrainConfig, capture: Capture, run: RunDirectory, *_: Any) -> None:
        seen.append((run.path.name, capture.frames))

    monkeypatch.setattr("streamstgs.trainer.train._train_missing", note)
    monkeypatch.setattr("streamstgs.trainer.train._sum_up", lambda *_: None)
    frames = open_capture(tiny_capture).frames
    config = replace(tiny_config(tiny_capture, tmp_path / "run"), window_frames=frames - 1)
    train(config)
    assert [name for name, _ in seen] == ["window-0000", "window-0001"]
    assert sum(count for _, count in seen) == frames
    train(config)  # resumed with the same windows
    with pytest.raises(RunError, match="other windows"):
        train(replace(config, window_frames=None))
    with pytest.raises(RunError, match="window-0000"):
        load_trained(config.out)


def test_a_run_without_windows_is_not_continued_in_windows(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="other windows"):
        write_windows(tmp_path, [2, 2])
    (tmp_path / "windows.json").write_text('{"frames": 3}')
    with pytest.raises(RunError, match="cannot be read"):
        load_trained(tmp_path)


def test_forecast_counts_the_shared_parts_of_each_window(tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    config = TrainConfig(tiny_capture, Path("run"), gop_frames=1)
    device = [torch.device("cpu")]
    one = forecast(config, capture, device)
    more = forecast(replace(config, window_frames=1), capture, device)
    assert (one.gops, more.gops) == (capture.frames, capture.frames)
    assert more.result_bytes > one.result_bytes


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_windows_train_and_encode_to_one_scene(tiny_capture: Path, tmp_path: Path) -> None:
    frames = open_capture(tiny_capture).frames
    config = replace(
        tiny_config(tiny_capture, tmp_path / "run"), window_frames=frames - 1, gop_frames=2
    )
    train(config)
    source = load_trained(config.out)
    encode_scene(source, tmp_path / "scene", QUICK)
    with open_scene(tmp_path / "scene") as scene:
        assert scene.frame_count == frames
        last = scene.decode_gop(scene.gop_count - 1, scene.qualities[-1])
    assert len(last.static) == len(load_trained(window_path(config.out, 1)).static)
