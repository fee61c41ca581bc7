"""Evaluation of an encoded scene whose quality is known: it is the scene that was filmed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import imageio.v3 as iio
import pytest
import torch
from streamstgs.cli import command_line as main
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from streamstgs.trainer.errors import CaptureError, EvaluationError
from streamstgs.trainer.evaluation.contact_sheet import GAP_PX
from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, evaluate
from streamstgs.trainer.run_directory import RunDirectory

from tests.capture_scene import BACKGROUND, FRAMES, HEIGHT, WIDTH, single_thread, still_blobs

pytestmark = pytest.mark.usefixtures("one_thread")
PSNR_DB = 24.0  # of the blobs that stand still, without the one that slides
GOP_FRAMES = 3


@dataclass
class StillScene:
    """The blobs of the tiny capture that stand still, and Gaussians of the GOPs that do, too."""

    meta: SceneMeta
    static: CanonicalGaussians
    gop_count: int = FRAMES // GOP_FRAMES

    def gop(self, index: int) -> TrainedGop:
        moving = self.static[:1]
        moved = replace(moving, means=moving.means + 0.1 * index)
        config = FieldConfig(features=1, width=4)
        features = torch.rand(GOP_FRAMES + config.window - 1, 1, 1)
        return TrainedGop(moved, features, DeformationField(config), GOP_FRAMES)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two GOPs in two qualities; one Gaussian jumps between the GOPs."""
    meta = SceneMeta(
        title="Blobs",
        fps=12.0,
        up=(0.0, 0.0, 1.0),
        center=(0.0, 0.0, 0.0),
        radius=4.0,
        background=BACKGROUND,
        width=WIDTH,
        height=HEIGHT,
    )
    path = tmp_path_factory.mktemp("still") / "blobs.stgs"
    with single_thread():
        encode_scene(StillScene(meta, still_blobs()), path, EncoderConfig(qps=(16, 28)))
    return path


def settings(scene: Path, capture: Path, **changes: object) -> EvaluateConfig:
    return replace(
        EvaluateConfig(str(scene), capture, backend="reference", lpips="none"), **changes
    )


def test_held_out_and_training_cameras_at_all_qualities_in_one_go(
    scene: Path, tiny_capture: Path
) -> None:
    figures = evaluate(settings(scene, tiny_capture, cameras="all", qps=(), train_step=2))
    assert [quality["qp"] for quality in figures["qualities"]] == [16, 28]
    assert figures["cameras"] == {"test": ["0"], "train": [str(k) for k in range(1, 8)]}
    assert figures["frames"] == {"test": FRAMES, "train": FRAMES // 2}
    for quality in figures["qualities"]:
        assert quality["test"]["psnr"] > PSNR_DB
        assert quality["train"]["psnr"] > PSNR_DB
        assert quality["train"]["pictures"] == 7 * FRAMES // 2
        parts = dict(quality["bytes_per_frame"])
        assert parts.pop("total") == pytest.approx(sum(parts.values()))
    first = figures["pictures"][0]
    assert (first["qp"], first["split"], first["camera"], first["frame"]) == (16, "test", "0", 0)
    assert len(figures["pictures"]) == 2 * (FRAMES + 7 * FRAMES // 2)
    assert figures["qualities"][0]["test"]["lpips"] is None
    assert figures["lpips_reason"] == "not wanted"
    for quality in figures["qualities"]:  # the scene lacks the blob that moves
        assert 0 < quality["test"]["moving_psnr"] < quality["test"]["psnr"]
        assert 0 < quality["test"]["moving_share"] < 0.5
    json.dumps(figures, allow_nan=False)


def test_means_are_those_of_the_pictures(scene: Path, tiny_capture: Path) -> None:
    figures = evaluate(settings(scene, tiny_capture, cameras="train", train_step=1))
    (quality,) = figures["qualities"]
    of_camera = [p["psnr"] for p in figures["pictures"] if p["camera"] == "3"]
    of_gop = [p["psnr"] for p in figures["pictures"] if p["frame"] >= GOP_FRAMES]
    assert len(of_camera) == FRAMES
    assert quality["train"]["per_camera"]["3"] == pytest.approx(sum(of_camera) / len(of_camera))
    assert quality["train"]["per_gop"][1] == pytest.approx(sum(of_gop) / len(of_gop))
    assert "test" not in quality


def test_training_cameras_are_compared_through_their_responses(
    scene: Path, tiny_capture: Path, tmp_path: Path
) -> None:
    run = RunDirectory(tmp_path)
    darker = torch.eye(3, 4) * 0.5
    run.write_color_corrections({"1": darker, "2": torch.eye(3, 4)})
    frames = settings(scene, tiny_capture, cameras="all", frames=[0], train_step=1)
    plain = evaluate(frames)["qualities"][0]
    figures = evaluate(replace(frames, run=tmp_path))
    assert figures["color_responses"] == ["1", "2"]
    responded = figures["qualities"][0]
    assert responded["test"] == plain["test"]
    before, after = plain["train"]["per_camera"], responded["train"]["per_camera"]
    assert after["1"] < before["1"] - 3
    assert {c: after[c] for c in "234567"} == pytest.approx({c: before[c] for c in "234567"})


def test_jump_at_a_boundary_raises_boundary_flicker(scene: Path, tiny_capture: Path) -> None:
    (quality,) = evaluate(settings(scene, tiny_capture))["qualities"]
    assert quality["boundary_flicker"]["inside"] < 0.01
    assert quality["boundary_flicker"]["ratio"] > 5
    assert 0.2 < quality["boundary_flicker"]["static_share"] < 1


def test_frames_and_qualities_can_be_chosen(scene: Path, tiny_capture: Path) -> None:
    figures = evaluate(settings(scene, tiny_capture, frames=[2, 0], qps=[28]))
    assert [(p["qp"], p["frame"]) for p in figures["pictures"]] == [(28, 0), (28, 2)]
    (quality,) = figures["qualities"]
    assert quality["test"]["per_gop"][0] > PSNR_DB - 1
    assert quality["test"]["per_gop"][1] is None
    assert quality["boundary_flicker"] is None
    assert (figures["sheet"], figures["plot"]) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"qps": [16, 17]}, "no quality of QP 17; it has 16, 28"),
        ({"frames": [6]}, "no frame 6; the scene has 6"),
        ({"frames": [-1, 2]}, "no frame -1"),
        ({"frames": []}, "no frames"),
    ],
)
def test_what_the_scene_does_not_have_is_named(
    scene: Path, tiny_capture: Path, wrong: dict, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(settings(scene, tiny_capture, **wrong))


def test_a_capture_that_does_not_fit_is_named(
    scene: Path, tiny_capture: Path, tmp_path: Path
) -> None:
    with pytest.raises(CaptureError, match="no cameras of the split 'dusk'"):
        evaluate(settings(scene, tiny_capture, cameras="dusk"))
    document = json.loads((tiny_capture / "cameras.json").read_text())
    of_training = [c for c in document["cameras"] if c["split"] == "train"]
    (tmp_path / "cameras.json").write_text(json.dumps(document | {"cameras": of_training}))
    (tmp_path / "ims").symlink_to(tiny_capture / "ims")
    with pytest.raises(CaptureError, match="no held-out cameras; --cameras train compares"):
        evaluate(settings(scene, tmp_path))
    (tmp_path / "cameras.json").write_text(json.dumps(document | {"frames": 4}))
    with pytest.raises(CaptureError, match="the scene has 6 frames, the capture 4"):
        evaluate(settings(scene, tmp_path))


@pytest.mark.parametrize(
    "content", ["no JSON", "{}", '{"qualities": [{"bytes_per_frame": 3}]}', None]
)
def test_a_file_that_is_no_evaluation_is_named(
    scene: Path, tiny_capture: Path, tmp_path: Path, content: str | None
) -> None:
    other = tmp_path / "other.json"
    if content is not None:
        other.write_text(content)
    with pytest.raises(EvaluationError, match=r"other\.json holds no figures"):
        evaluate(settings(scene, tiny_capture, compare=other))


def test_evaluate_by_command(
    scene: Path, tiny_capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"sheet": "sheet.png", "plot": "rates.png", "json": "figures.json"}
    files = {option: tmp_path / "new" / name for option, name in names.items()}
    command = ["evaluate", str(scene), "--data", str(tiny_capture), "--backend", "reference"]
    command += [word for option, path in files.items() for word in (f"--{option}", str(path))]
    assert main.main([*command, "--qps", "all", "--cameras", "all"]) == 0
    said = capsys.readouterr().out
    assert "held-out" in said
    assert "training" in said
    figures = json.loads(files["json"].read_text())
    assert figures["sheet"]["path"] == str(files["sheet"])
    assert iio.imread(files["sheet"]).shape[1] == 3 * WIDTH + 2 * GAP_PX
    assert iio.imread(files["plot"]).std() > 5
    again = ["--frames", "0:2", "--qps", "28,16", "--compare", str(files["json"])]
    assert main.main([*command, *again]) == 0
    assert "against" in capsys.readouterr().out
    comparison = json.loads(files["json"].read_text())["comparison"]
    assert comparison["with"] == str(scene)
    assert len(comparison["test"]["bytes_percent_at_no_lower_psnr"]) == 2


def test_qualities_that_are_no_numbers_are_refused(scene: Path, tiny_capture: Path) -> None:
    assert main.main(["evaluate", str(scene), "--data", str(tiny_capture), "--qps", "best"]) == 2
