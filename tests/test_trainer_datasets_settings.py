"""Settings that make no sense are refused before any work, by the name of their option."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamstgs.cli import command_line as main
from streamstgs.codec.encoder.config import (
    AttributeBits,
    EncoderConfig,
    PosterSettings,
    QualitySettings,
    StaticLayerSettings,
)
from streamstgs.codec.errors import EncodeError
from streamstgs.trainer.ablation.ablate import AblationConfig
from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.color_correction import ColorCorrectionConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.errors import SettingError, TrainerError
from streamstgs.trainer.evaluation.evaluate import EvaluateConfig
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig, JointConfig, OpacityDensityConfig
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.points.plane_sweep import SweepConfig
from streamstgs.trainer.recipes import RECIPES


def train_config(**changes: Any) -> TrainConfig:
    return TrainConfig(Path("data"), Path("run"), **changes)


def evaluate_config(**changes: Any) -> EvaluateConfig:
    return EvaluateConfig("scene", Path("data"), **changes)


REFUSED: list[tuple[Callable[..., Any], str, Any, str]] = [
    (GopConfig, "fast_every", 0, "--gop.fast-every is 0; it must be at least 1"),
    (GopConfig, "window", 2, "--gop.window is 2; it must be odd"),
    (GopConfig, "window", -1, "--gop.window"),
    (GopConfig, "iterations", 0, "--gop.iterations"),
    (GopConfig, "init_count", -5, "--gop.init-count"),
    (OpacityDensityConfig, "cap_max", 0, "--gop.density.cap-max"),
    (GopConfig, "features", 0, "--gop.features"),
    (GopConfig, "batch_size", 0, "--gop.batch-size"),
    (GopConfig, "sample_frames", -1, "--gop.sample-frames"),
    (GopConfig, "fast_share", 1.5, "--gop.fast-share is 1.5; it must be between 0 and 1"),
    (GopConfig, "temporal_delta", 0.0, "--gop.temporal-delta is 0.0; it must be more than 0"),
    (GopConfig, "lr_final", 0.0, "--gop.lr-final"),
    (GopConfig, "static_alpha_reg", -1.0, "--gop.static-alpha-reg"),
    (GopConfig, "background_alpha_reg", math.nan, "--gop.background-alpha-reg"),
    (GopConfig, "feature_noise", math.inf, "--gop.feature-noise"),
    (OpacityDensityConfig, "refine_every", 0, "--gop.density.refine-every"),
    (GopConfig, "colors_lr", -1, "--gop.colors-lr"),
    (AuxiliaryConfig, "heads", 3, "--gop.auxiliary.heads is 3; it must be a divisor"),
    (AuxiliaryConfig, "every", 0, "--gop.auxiliary.every"),
    (JointConfig, "iterations", -1, "--joint.iterations"),
    (JointConfig, "gops", 0, "--joint.gops"),
    (JointConfig, "means_lr", -1e-5, "--joint.means-lr"),
    (CoarseConfig, "iterations", 0, "--coarse.iterations"),
    (McmcConfig, "cap_max", 0, "--coarse.density.cap-max"),
    (McmcConfig, "cap_per_pixel", 0.0, "--coarse.density.cap-per-pixel"),
    (CoarseConfig, "dropout", 1.0, "--coarse.dropout is 1.0; it must be less than 1"),
    (CoarseConfig, "ssim_lambda", -0.1, "--coarse.ssim-lambda"),
    (McmcConfig, "refine_every", 0, "--coarse.density.refine-every"),
    (CoarseConfig, "means_lr_final", math.nan, "--coarse.means-lr-final"),
    (BackgroundConfig, "motion_threshold", 12.0, "--background.motion-threshold"),
    (ColorCorrectionConfig, "lr", -1.0, "--color-correction.lr"),
    (ColorCorrectionConfig, "lr_final", 1.5, "--color-correction.lr-final"),
    (HullConfig, "candidates", 0, "--hull.candidates"),
    (HullConfig, "agreement", 2.0, "--hull.agreement"),
    (InitialPointsConfig, "fill", -1, "--points.fill"),
    (SweepConfig, "patch_px", 10, "--points.sweep.patch-px is 10; it must be odd"),
    (SweepConfig, "farthest", 0.1, "--points.sweep.farthest"),
    (train_config, "gop_frames", 0, "--gop-frames"),
    (train_config, "near_share", 0.0, "--near-share"),
    (train_config, "report_every", 0, "--report-every"),
    (
        train_config,
        "gop",
        GopConfig(sample_frames=0),
        "--gop.sample-frames is 0; it must be at least 1, or",
    ),
    (AblationConfig, "shorten", 0.0, "--shorten is 0.0; it must be more than 0 and at most 1"),
    (
        McmcConfig,
        "min_opacity",
        math.nan,
        "--coarse.density.min-opacity is nan; it must be between",
    ),
    (AblationConfig, "qps", (16, 52), "--qps"),
    (AblationConfig, "frame_step", 0, "--frame-step"),
    (evaluate_config, "train_step", 0, "--train-step"),
]


@pytest.mark.parametrize(("kind", "name", "value", "words"), REFUSED)
def test_setting_out_of_range_names_its_option(
    kind: Callable[..., Any], name: str, value: Any, words: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        kind(**{name: value})
    assert str(refusal.value).startswith(words)
    assert isinstance(refusal.value, TrainerError)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"qps": (20, 52)}, "--qps is"),
        ({"qps": ()}, "--qps is"),
        ({"qps": (20, 20)}, "--qps is"),
        ({"preset": "quick"}, "--preset is quick; it must be one of ultrafast"),
        ({"static_bits": AttributeBits(means=17)}, "--static-bits.means is 17; it must be from 1"),
        ({"moving_bits": AttributeBits(colors=0)}, "--moving-bits.colors is 0"),
        ({"jxl_effort": 10}, "--jxl-effort"),
        ({"threads": 0}, "--threads"),
        ({"static": StaticLayerSettings(layers=0)}, "--static.layers"),
        (
            {"static": StaticLayerSettings(far_share=1.1)},
            "--static.far-share is 1.1; it must be from 0",
        ),
        (
            {"quality": QualitySettings(height_px=0)},
            "--quality.height-px is 0; it must be at least",
        ),
        ({"quality": QualitySettings(frames_per_gop=0)}, "--quality.frames-per-gop"),
        ({"poster": PosterSettings(quality=101)}, "--poster.quality"),
    ],
)
def test_encoder_setting_out_of_range_names_its_option(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(EncodeError) as refusal:
        EncoderConfig(**changes)
    assert str(refusal.value).startswith(words)


def test_settings_that_switch_parts_off_are_allowed() -> None:
    weights = {f"{part}_reg": 0.0 for part in ("temporal", "spatial", "opacity", "static_alpha")}
    GopConfig(**weights, fast_share=0.0, feature_noise=0.0, window=1)
    OpacityDensityConfig(cap_max=None)
    JointConfig(iterations=0)
    CoarseConfig(depth_lambda=0.0, dropout=0.0)
    McmcConfig(cap_per_pixel=None, noise_lr=0.0)
    train_config(static_split=False, gop=GopConfig(sample_frames=0))
    for recipe in RECIPES.values():
        recipe(Path("data"), Path("run"))


def test_command_reports_setting_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main(["train", str(tmp_path), "-o", str(tmp_path / "run"), "--gop.fast-every", "0"])
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "--gop.fast-every is 0; it must be at least 1" in said
    assert not (tmp_path / "run").exists()
    run, scene = str(tmp_path / "run"), str(tmp_path / "scene.stgs")
    assert main.main(["encode", run, "-o", scene, "--qps", "99"]) == 1
    assert "--qps is (99,); it must be QPs from 0 to 51" in capsys.readouterr().err
