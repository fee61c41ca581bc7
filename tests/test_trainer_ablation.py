"""Named recipes, and the ablation runner on a tiny scene."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import streamstgs.trainer.ablation.ablate
import torch
from streamstgs.cli import command_line as main
from streamstgs.cli.train import train_config
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.scene import open_scene
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends.reference import ReferenceBackend
from streamstgs.trainer import recipes
from streamstgs.trainer.ablation.ablate import AblationConfig, ablate, planned_rows, static_key
from streamstgs.trainer.ablation.rows import ROWS
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.errors import RunError, TrainerError
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig, OpacityDensityConfig
from streamstgs.trainer.optimization.gaussian_parameters import LearningRates
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.recipes import paper_recipe
from streamstgs.trainer.run_directory import load_run
from streamstgs.trainer.train import train

from tests.capture_scene import FRAMES, single_thread

pytestmark = pytest.mark.usefixtures("one_thread")


def tiny(data: Path, out: Path) -> TrainConfig:
    return TrainConfig(
        data,
        out,
        gop_frames=3,
        device="cpu",
        points=InitialPointsConfig(fill=0),
        coarse=CoarseConfig(iterations=4, density=McmcConfig(cap_max=60)),
        hull=HullConfig(candidates=5000),
        gop=GopConfig(
            init_count=64, iterations=8, features=2, width=8, sample_frames=1,
            auxiliary=AuxiliaryConfig(batch_size=16, width=8, heads=2),
        ),
    )  # fmt: skip


# Recipes


def test_options_override_the_recipe() -> None:
    command: Any = main.parse(["train", "in", "-o", "out", "--recipe", "paper", "--gop.window=5"])
    expected = paper_recipe(Path("in"), Path("out"))
    expected = replace(expected, gop=replace(expected.gop, window=5))
    assert train_config(command) == expected
    assert train_config(main.parse(["train", "in", "-o", "out"])) == TrainConfig(
        Path("in"), Path("out")
    )


def test_paper_recipe_has_its_own_settings() -> None:
    config = paper_recipe(Path("in"), Path("out"))
    assert not config.static_split
    assert (config.coarse.learns_from, config.coarse.batch_size) == ("frames", 2)
    assert (config.coarse.iterations, config.gop.iterations) == (3_000, 12_000)
    assert config.coarse.density.cap_max == config.gop.density.cap_max == 150_000
    assert (config.gop.window, config.gop.feature_noise) == (3, 0.001)
    assert config.gop.auxiliary.enabled
    assert (config.gop.auxiliary.every, config.gop.auxiliary.color_weight) == (1, 2.0)
    assert not config.color_correction.enabled
    assert not config.points.surfels


def test_paper_recipe_writes_out_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are written out in the recipe, but for those that say nothing of the method."""
    written: dict[type, set[str]] = {}

    def recorded(kind: type) -> Any:
        return lambda **named: written.update({kind: set(named)}) or kind(**named)

    for kind in (CoarseConfig, GopConfig, McmcConfig, OpacityDensityConfig):
        monkeypatch.setattr(recipes, kind.__name__, recorded(kind))
    paper_recipe(Path("in"), Path("out"))
    left = {kind: {f.name for f in fields(kind)} - names for kind, names in written.items()}
    rates = {f.name for f in fields(LearningRates)}
    assert left[CoarseConfig] <= {"frames", "reliable_share"} | rates
    # The last two count where points are carved.
    assert left[GopConfig] <= {"init_count", "fast_every"} | rates
    assert left[McmcConfig] == left[OpacityDensityConfig] == set()


@pytest.fixture(scope="module")
def paper_scene(tiny_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene without static Gaussians, trained as in the paper, but tiny."""
    out = tmp_path_factory.mktemp("paper")
    recipe, small = paper_recipe(tiny_capture, out / "run"), tiny(tiny_capture, out)
    config = replace(
        small,
        out=recipe.out,
        gop_frames=60,
        static_split=recipe.static_split,
        coarse=replace(
            recipe.coarse, iterations=30, density=replace(recipe.coarse.density, cap_max=60)
        ),
        gop=replace(
            recipe.gop, iterations=60, features=4, width=16,
            density=replace(recipe.gop.density, cap_max=80, refine_every=20),
            auxiliary=AuxiliaryConfig(batch_size=32, width=16),
        ),
    )  # fmt: skip
    with single_thread():
        train(config)
        encode_scene(load_run(config.out), out / "paper.stgs", EncoderConfig(qps=(16,)))
    return out / "paper.stgs"


def test_scene_without_static_layer_plays(paper_scene: Path, tiny_capture: Path) -> None:
    capture = open_capture(tiny_capture)
    with open_scene(str(paper_scene)) as scene:
        assert scene.static_count == 0
        assert scene.bytes_per_frame(scene.quality(16))["static"] == 0
        gop = scene.decode_gop(0, scene.quality(16))
        assert (len(gop.static), gop.frames) == (0, FRAMES)
        assert 60 < len(gop.canonical) <= 80  # it grew towards the cap
        settings = RenderSettings(scene.meta.background, scene.meta.near)
        pictures = [
            ReferenceBackend().render(gop.gaussians_at(f), capture.views[1].camera, settings)
            for f in (0, FRAMES - 1)
        ]
    recorded = capture.views[1].reader.read([0, FRAMES - 1])
    for picture, frame in zip(pictures, recorded, strict=True):
        error = (picture - torch.from_numpy(frame).float() / 255).square().mean()
        assert -10 * error.log10() > 20


# The runner


@pytest.fixture(scope="module")
def ablation(tiny_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second of two GOPs, in two rows."""
    out = tmp_path_factory.mktemp("ablation")
    with single_thread():
        ablate(tiny(tiny_capture, out), TWO_ROWS, "streamstgs ablate blobs")
    return out


TWO_ROWS = AblationConfig(
    gops=(1,), shorten=0.5, rows=("full", "window-1"), qps=(20, 28), frame_step=2,
    backend="reference",
)  # fmt: skip


def test_ablation_rows_have_figures(ablation: Path) -> None:
    document = json.loads((ablation / "ablation.json").read_text())
    assert [row["row"] for row in document["rows"]] == ["full", "window-1"]
    assert document["command"] == "streamstgs ablate blobs"
    assert (document["gops"], document["shorten"]) == ([1], 0.5)
    assert document["hardware"]["devices"] == ["cpu"]
    for row in document["rows"]:
        assert [quality["qp"] for quality in row["qualities"]] == [20, 28]
        for quality in row["qualities"]:
            assert quality["test"]["psnr"] > 15
            assert quality["train"]["psnr"] > 15
            assert 0 < quality["test"]["ssim"] < 1
            parts = quality["bytes_per_frame"]
            assert parts["total"] == pytest.approx(
                sum(v for name, v in parts.items() if name != "total")
            )
        assert row["settings"]["gop"]["iterations"] == 4  # half of eight
        assert row["gop_seconds"] > 0
        assert row["seed"] == 0
    full, narrow = (row["settings"]["gop"]["window"] for row in document["rows"])
    assert (full, narrow) == (GopConfig().window, 1)


def test_ablation_compares_frames_of_the_chosen_gop(ablation: Path, tiny_capture: Path) -> None:
    """The second GOP is drawn beside frames 3 to 5 of the capture, not beside the first three."""
    figures = json.loads((ablation / "ablation.json").read_text())["rows"][0]["qualities"][0]
    capture = open_capture(tiny_capture)
    with open_scene(str(ablation / "rows" / "full" / "scene.stgs")) as scene:
        gop = scene.decode_gop(0, scene.quality(20))
        settings = RenderSettings(scene.meta.background, scene.meta.near)
        readings = []
        for frame in (0, 2):
            drawn = gop.gaussians_at(frame)
            picture = ReferenceBackend().render(drawn, capture.views[0].camera, settings)
            shown = (picture.clamp(0, 1) * 255).round() / 255
            target = torch.from_numpy(capture.views[0].reader.read([3 + frame])[0]).float() / 255
            readings.append(-10 * (shown - target).square().mean().log10().item())
    assert figures["test"]["psnr"] == pytest.approx(sum(readings) / 2, abs=1e-3)


def test_table_shows_the_quality_of_the_paper(ablation: Path) -> None:
    page = (ablation / "ablation.md").read_text()
    assert "at 32x24 px" in page
    assert "Figures at QP 20" in page
    assert "| full | " in page
    assert "| window W = 1 | " in page
    assert "`streamstgs ablate blobs`" in page
    tables = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in tables[:3]} == {14}


def test_rows_share_one_coarse_stage(ablation: Path) -> None:
    assert len(list(ablation.glob("static-*"))) == 1
    files = [ablation / "rows" / name / "coarse.safetensors" for name in ("full", "window-1")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_finished_rows_are_not_repeated(
    ablation: Path, tiny_capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: Any) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr(streamstgs.trainer.ablation.ablate, "run_row", forbid)
    monkeypatch.setattr(streamstgs.trainer.ablation.ablate, "train_coarse_stage", forbid)
    document = ablate(tiny(tiny_capture, ablation), TWO_ROWS, "again")
    assert len(document["rows"]) == 2
    with pytest.raises(AssertionError, match="done before"):  # other qualities are measured anew
        ablate(tiny(tiny_capture, ablation), replace(TWO_ROWS, qps=(24,)), "again")


def test_ablation_with_other_settings_is_refused(ablation: Path, tiny_capture: Path) -> None:
    with pytest.raises(RunError, match=r"gop.iterations: 4 -> 8"):
        ablate(tiny(tiny_capture, ablation), replace(TWO_ROWS, shorten=1.0), "again")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": ("half",)}, "no row 'half'; rows are full, aux"),
        ({"gops": (2,)}, "GOPs 0 to 1"),
    ],
)
def test_unknown_rows_and_gops_are_named(
    tiny_capture: Path, tmp_path: Path, wrong: dict, message: str
) -> None:
    with pytest.raises(TrainerError, match=message):
        ablate(tiny(tiny_capture, tmp_path), replace(TWO_ROWS, **wrong), "wrong")


def test_rows_change_their_setting_only(tmp_path: Path) -> None:
    base = TrainConfig(tmp_path, tmp_path)
    rows = {p.row.name: p.config for p in planned_rows(base, AblationConfig(shorten=1.0))}
    assert set(rows) == {row.name for row in ROWS} - {f"window-{base.gop.window}"}
    full = rows["full"].gop
    assert full == base.gop
    assert rows["auxiliary"].gop == replace(
        full, auxiliary=replace(full.auxiliary, enabled=not full.auxiliary.enabled)
    )
    assert rows["no-dynamic-density"].gop == replace(full, dynamic_density=False)
    assert rows["no-temporal"].gop == replace(full, temporal_reg=0.0)
    assert rows["no-ghosts"].joint == replace(base.joint, ghost_share=0.0)
    assert rows["no-mse"].gop == replace(full, mse_lambda=0.0)
    assert rows["relocation"].gop == replace(
        full, density=replace(full.density, relocate=not full.density.relocate)
    )
    assert rows["window-1"].gop == replace(full, window=1)
    assert rows["window-3"].gop == replace(full, window=3)
    assert rows["no-feature-noise"].gop == replace(full, feature_noise=0.0)
    assert rows["spatial"].gop == replace(full, spatial_reg=0.01)
    assert rows["no-opacity"].gop == replace(full, opacity_reg=0.0)
    assert rows["fast"].gop == replace(full, fast_share=0.2)
    assert rows["no-background-alpha"].coarse == replace(base.coarse, background_alpha_reg=0.0)
    assert rows["no-background-alpha"].gop == replace(full, background_alpha_reg=0.0)
    assert rows["no-depth"].coarse == replace(base.coarse, depth_lambda=0.0)
    assert rows["no-dropout"].coarse == replace(base.coarse, dropout=0.0)
    assert not rows["no-static-split"].static_split
    assert rows["color-correction"].color_correction.enabled != base.color_correction.enabled
    paper = paper_recipe(tmp_path, tmp_path)
    assert (rows["paper"].gop, rows["paper"].coarse) == (paper.gop, paper.coarse)
    assert rows["paper"].points == replace(base.points, surfels=False)


def test_row_titles_tell_the_switched_part(tmp_path: Path) -> None:
    base = TrainConfig(tmp_path, tmp_path)
    enabled = replace(base.gop.auxiliary, enabled=True)
    with_it = replace(base, gop=replace(base.gop, auxiliary=enabled))
    without = replace(base, gop=replace(base.gop, auxiliary=replace(enabled, enabled=False)))
    titles = [
        {p.row.name: p.title for p in planned_rows(config, AblationConfig())}["auxiliary"]
        for config in (with_it, without)
    ]
    assert titles == ["no auxiliary transformer", "with auxiliary transformer"]


def test_rows_without_change_are_left_out(tmp_path: Path) -> None:
    rows = {p.row.name for p in planned_rows(paper_recipe(tmp_path, tmp_path), AblationConfig())}
    assert {"full", "auxiliary", "relocation", "window-1", "window-5"} <= rows
    assert rows & {"paper", "no-static-split", "no-depth", "no-dropout"} == set()


def test_static_key_depends_on_coarse_settings_only(tmp_path: Path) -> None:
    base = TrainConfig(tmp_path, tmp_path)
    keys = {p.row.name: static_key(p.config) for p in planned_rows(base, AblationConfig())}
    others = {name for name, key in keys.items() if key != keys["full"]}
    losses = {"no-depth", "no-free-space", "no-background-alpha", "no-dropout"}
    assert others == losses | {"color-correction", "paper"}
    assert static_key(replace(base, seed=1)) != keys["full"]
