"""When moving Gaussians are visible, and what sorting by it saves."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from streamstgs.codec.encoder.config import EncoderConfig, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.lifetimes import lifetimes, visible_frames
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer import DeformationField, FieldConfig

from tests.synthetic import SyntheticSource, random_canonical

FRAMES, COUNT = 12, 40


def rows(*texts: str) -> torch.Tensor:
    """One Gaussian per text -> [frames, Gaussians] bool; x is true."""
    return torch.tensor([[c == "x" for c in text] for text in texts]).T


def blinking_gop() -> TrainedGop:
    """Opacity follows feature 0 of the frame itself; the features are noise."""
    config = FieldConfig(features=2, width=8, time_frequencies=1)
    field = DeformationField(config)
    with torch.no_grad():
        for name, parameter in field.named_parameters():
            parameter.zero_() if "heads" in name or "bias" in name else parameter
        first, second = field.temporal[0], field.temporal[2]
        first.weight.zero_()
        first.weight[0, 2] = 1.0  # channel 0 of the middle frame of the window
        second.weight.copy_(torch.eye(8))
        hidden, output = field.heads["opacity_logits"][0], field.heads["opacity_logits"][2]
        hidden.weight.copy_(torch.eye(8))
        output.weight[0, 0] = 20.0
    random = torch.Generator().manual_seed(5)
    canonical = random_canonical(COUNT)
    canonical = replace(canonical, opacity_logits=torch.full((COUNT,), -10.0))
    features = torch.randn(FRAMES + 2, COUNT, 2, generator=random)
    birth = torch.randint(0, FRAMES, (COUNT,), generator=random)
    alive = (torch.arange(FRAMES + 2)[:, None] - 1 - birth).abs() < 3
    features[..., 0] = torch.where(alive, 1.0, -features[..., 0].abs())
    return TrainedGop(canonical, features, field.eval(), FRAMES)


def test_lifetimes_are_the_first_and_the_last_visible_frame() -> None:
    found = lifetimes(rows(".xx...", "x....x", "......"))
    assert found.tolist() == [[1, 2], [0, 5], [3, 3]]


def test_visible_frames_follow_the_opacity_of_the_field() -> None:
    gop = blinking_gop()
    visible = visible_frames(gop)
    assert 0.2 < visible.float().mean() < 0.8
    assert visible.equal(gop.features[1:-1, :, 0] > 0.5)


def test_visible_frames_leave_the_field_unchanged() -> None:
    gop = blinking_gop()
    weights = copy.deepcopy(gop.field.state_dict())
    visible_frames(gop)
    assert all(weights[name].equal(value) for name, value in gop.field.state_dict().items())


class BlinkingSource(SyntheticSource):
    """One GOP of Gaussians that come and go."""

    @property
    def gop_count(self) -> int:
        return 1

    def gop(self, index: int) -> TrainedGop:
        return blinking_gop()


def test_sorting_by_lifetime_can_be_switched_off(tmp_path: Path) -> None:
    sizes = []
    for sort_by_lifetime in (True, False):
        quality = QualitySettings(cameras=0)
        config = EncoderConfig(qps=(8,), sort_by_lifetime=sort_by_lifetime, quality=quality)
        report = encode_scene(BlinkingSource(), tmp_path / f"{sort_by_lifetime}", config)
        sizes.append(report.qp_bytes[8])
    assert sizes[0] != sizes[1]
