"""The benchmark of the player, and the comparison of two of its runs."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from streamstgs.app.player.bench import bench as bench_module
from streamstgs.app.player.bench import opening as opening_module
from streamstgs.app.player.bench.bench import BenchSettings, bench
from streamstgs.app.player.bench.compare import (
    changes,
    compare_table,
    read_figures,
    remarks,
)
from streamstgs.app.player.bench.report import bench_table
from streamstgs.app.player.errors import BenchError
from streamstgs.app.player.rendering.stage_timer import summary
from streamstgs.cli import command_line as main
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.scripted_scene import ScriptedScene
from tests.synthetic import SyntheticSource

GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"
STAGES = ("decode_ms_per_frame", "deform_ms", "raster_ms", "tick_ms", "seek_ms")
SHORT = BenchSettings(frames=6, seconds=0.5, seeks=2)


def printed(table: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(table)
    return out.getvalue()


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """Of a real scene file, as they are read back from JSON."""
    return json.loads(json.dumps(bench(str(GOLDEN), "cpu", (64, 36), SHORT)))


def test_figures_of_a_scene(figures: dict[str, Any]) -> None:
    for stage in (*STAGES, "feature_decode_ms_per_frame"):
        values = figures[stage]
        assert 0 < values["median"] <= values["p95"] <= values["p99"], stage
    assert all(floor["median"] > 0 for floor in figures["floors"].values())
    assert figures["ratios"]["feature_decode_to_bare"] > 0
    assert figures["tick_ms"]["median"] > figures["raster_ms"]["median"]
    assert figures["sort_ms"]["median"] > 0
    assert set(figures["raster_steps_ms"]) == {"project", "blend"}
    assert figures["upload_ms"] is None  # there is no other device
    assert (figures["present_ms"] is None) == ("host copy" not in figures["present_reason"])
    steps = dict(figures["first_picture_s"])
    assert steps.pop("total") == pytest.approx(sum(steps.values()))
    assert figures["playback"]["content_fps"] > 0
    assert figures["memory_mb"]["resident_peak"] >= figures["memory_mb"]["resident"] > 10
    table = printed(bench_table(figures))
    for words in ("raster ms", "p99", "floor: bare decode", "ratio: tick", "seek ms"):
        assert words in table


def test_first_steps_of_the_rasteriser_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """They compile what only they use."""
    times = iter([1e6, *[1.0] * 99])
    monkeypatch.setattr(ReferenceBackend, "timed_steps", lambda *_: {"sort": next(times)})
    figures = bench(str(GOLDEN), "reference", (16, 9), BenchSettings(6, 0.1, seeks=1))
    assert figures["sort_ms"]["p99"] == 1.0
    assert next(times) == 1.0  # the costly steps were taken


def test_scene_and_playback_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [ScriptedScene(SyntheticSource()) for _ in range(2)]

    class Playing(bench_module.Playback):
        def __init__(self, location: str, settings: Any, device: torch.device) -> None:
            super().__init__(location, settings, device, opener=lambda _: made[1])

    monkeypatch.setattr(opening_module, "open_scene", lambda location: made[0])
    monkeypatch.setattr(bench_module, "Playback", Playing)
    found = bench("made up", "reference", (32, 18), BenchSettings(4, 0.1, seeks=1))
    assert found["floors"]["bare_decode_ms_per_frame"] is None  # its scene has no video
    assert all(scene.closed for scene in made)


def test_summary_of_a_series() -> None:
    assert summary([float(i) for i in range(100, 0, -1)]) == {
        "median": 50.5,
        "p95": 96.0,
        "p99": 100.0,
        "noise": 40.0,  # parts of 20: their medians are 90.5 to 10.5
    }
    assert summary([2.0, 1.0, 4.0])["noise"] == 1.5


def scaled(figures: dict[str, Any], factor: float, *names: str) -> dict[str, Any]:
    changed = deepcopy(figures)
    for name in names:
        group = changed["floors"] if name in changed["floors"] else changed
        group[name] = {key: factor * value for key, value in group[name].items()}
    return changed


def quiet(figures: dict[str, Any]) -> dict[str, Any]:
    """The same figures with a noise of 1 % in each series."""
    still = deepcopy(figures)
    for group in (still, still["floors"]):
        for values in group.values():
            if isinstance(values, dict) and "noise" in values:
                values["noise"] = 0.01 * values["median"]
    return still


def test_compare_tells_what_changed_beyond_noise(figures: dict[str, Any]) -> None:
    before = quiet(figures)
    after = scaled(scaled(before, 1.5, "raster_ms"), 0.8, "deform_ms")
    verdicts = {change.name: change.verdict for change in changes(before, after)}
    assert verdicts.pop("raster_ms") == "slower"
    assert verdicts.pop("deform_ms") == "faster"
    assert set(verdicts.values()) == {"within noise"}
    assert remarks(before, after) == []
    noisy = scaled(before, 1.0, "raster_ms")
    noisy["raster_ms"]["noise"] = noisy["raster_ms"]["median"]
    verdicts = {change.name: change.verdict for change in changes(noisy, after)}
    assert verdicts["raster_ms"] == "within noise"
    assert "slower" in printed(compare_table(before, after))


def test_compare_warns_of_another_machine_or_load(figures: dict[str, Any]) -> None:
    before = quiet(figures)
    [busy] = remarks(before, scaled(before, 2.0, "copy_ms"))
    assert "not equally fast" in busy
    other = {**before, "size": [128, 72], "hardware": {**before["hardware"], "cpu": "another"}}
    assert [text.split(":")[0] for text in remarks(before, other)] == [
        "The runs differ in size",
        "The machines differ in cpu",
    ]


def test_compare_command(
    figures: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    for path, run in zip(paths, (figures, scaled(figures, 9.0, "raster_ms")), strict=True):
        path.write_text(json.dumps(run))
    assert main.main(["bench", "--compare", *map(str, paths)]) == 0
    assert "raster ms" in capsys.readouterr().out
    assert main.main(["bench"]) == 2
    assert "SCENE is missing" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"size": [1, 2]}'])
def test_compare_refuses_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchError, match="figures"):
        read_figures(path)
