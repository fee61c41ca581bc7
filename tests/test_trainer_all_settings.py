"""All settings of what moves at once, on the processor and on a GPU."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.coarse_stage import train_coarse_stage
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig, JointConfig, OpacityDensityConfig
from streamstgs.trainer.fine.frame_sampling import SamplingConfig
from streamstgs.trainer.fine.quantisation import QuantisationConfig
from streamstgs.trainer.gop_stage import train_one_gop
from streamstgs.trainer.joint_stage import finalise_static_layer
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.run_directory import RunDirectory


def everything(data: Path, out: Path) -> TrainConfig:
    """A tiny training with all that is off by default."""
    gop = GopConfig(
        iterations=12,
        init_count=64,
        sample_frames=2,
        features=4,
        width=16,
        field_start=0.0,
        attributes_lr_final=0.1,
        mse_lambda=1.0,
        moving_l1=0.2,
        early_opacity_reg=0.01,
        sampling=SamplingConfig(error_share=0.5, boundary_share=0.2),
        quantisation=QuantisationConfig(enabled=True, start=0.25),
        auxiliary=AuxiliaryConfig(
            batch_size=16, width=16, heads=2, residual_bound=0.5, trains_heads=False, two_way=True
        ),
        density=OpacityDensityConfig(cap_max=80, refine_every=4),
    )
    return TrainConfig(
        data,
        out,
        gop_frames=3,
        coarse=CoarseConfig(iterations=6, density=McmcConfig(cap_max=60)),
        joint=JointConfig(iterations=4, ghost_share=0.25, ghost_opacity_reg=0.02, ghost_frames=4),
        hull=HullConfig(candidates=4000),
        gop=gop,
    )


def train_everything(data: Path, out: Path, device: torch.device) -> None:
    config, run = everything(data, out), RunDirectory(out)
    capture = open_capture(data)
    train_coarse_stage(config.coarse_stage(), capture, run, device)
    finalise_static_layer(config.joint_stage(), capture, run, [0, 1], device)
    assert run.read_ghosts() is not None
    train_one_gop(replace(config.gop_stage(), checkpoint_every=5), 1, device)
    gop = run.read_gop(1)
    assert len(gop.canonical) > 0
    for value in gop.canonical.tensors().values():
        assert value.isfinite().all()
    assert math.isfinite(gop.features.abs().max().item())


@pytest.mark.timeout(600)  # compiles kernels where the cache has none
@pytest.mark.usefixtures("one_thread")
def test_all_settings_together_train_on_the_processor(tiny_capture: Path, tmp_path: Path) -> None:
    train_everything(tiny_capture, tmp_path, torch.device("cpu"))


@pytest.mark.gpu
@pytest.mark.timeout(600)
def test_all_settings_together_train_on_a_gpu(tiny_capture: Path, tmp_path: Path) -> None:
    train_everything(tiny_capture, tmp_path, torch.device("cuda", 0))
