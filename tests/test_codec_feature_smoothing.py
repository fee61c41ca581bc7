"""Features of Gaussians that nobody sees hold still, and nothing that is drawn changes."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from streamstgs.codec.encoder.config import EncoderConfig, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.feature_smoothing import (
    SmoothingSettings,
    hold,
    hold_unseen,
    lifetimes,
    seen_features,
    visible_frames,
    widened,
)
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer import DeformationField, FieldConfig

from tests.synthetic import SyntheticSource, random_canonical

FRAMES, COUNT = 12, 40
SETTINGS = SmoothingSettings()


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


def test_features_in_the_window_of_a_visible_frame_are_seen() -> None:
    seen = seen_features(rows("..x...", "x....x"), window=3)
    assert seen.equal(rows("..xxx...", "xxx..xxx"))
    assert widened(seen, 1).equal(rows(".xxxxx..", "xxxxxxxx"))
    assert widened(seen, 0).equal(seen)


def test_held_features_repeat_the_last_that_is_kept() -> None:
    features = torch.arange(6.0)[:, None, None].expand(6, 3, 1)
    held = hold(features, rows("..x.x.", "......", "xxxxxx"))[..., 0].T
    assert held.tolist() == [[2, 2, 2, 2, 4, 4], [0] * 6, [0, 1, 2, 3, 4, 5]]


def test_what_is_drawn_stays_and_the_rest_moves_less() -> None:
    gop = blinking_gop()
    visible = visible_frames(gop, SETTINGS.invisible)
    assert 0.2 < visible.float().mean() < 0.8
    held = hold_unseen(gop, visible, SETTINGS)
    assert visible_frames(replace(gop, features=held), SETTINGS.invisible).equal(visible)
    seen = seen_features(visible, window=3)
    assert held[seen].equal(gop.features[seen])
    before, after = (f.diff(dim=0).abs().mean() for f in (gop.features, held))
    assert after < 0.7 * before


def test_a_gaussian_that_held_features_would_show_gets_a_margin() -> None:
    """Opacity follows the feature of a frame less twice the next: a held -1 would show it."""
    gop = blinking_gop()
    with torch.no_grad():
        gop.field.temporal[0].weight[0, 4] = -2.0
    gop.features[..., 0] = 0.0
    gop.features[4:6, 0, 0] = torch.tensor([1.0, -1.0])
    visible = visible_frames(gop, SETTINGS.invisible)
    assert visible.nonzero().tolist() == [[3, 0]]
    held = hold_unseen(gop, visible, SETTINGS)
    assert visible_frames(replace(gop, features=held), SETTINGS.invisible).equal(visible)
    assert held[:, 0, 0].tolist() == [0, 0, 0, 0, 1, -1] + [0] * (FRAMES - 4)
    alone = hold_unseen(gop, visible, replace(SETTINGS, margins=(0,)))
    assert alone[:, 0].equal(gop.features[:, 0])  # no margin helped: all stays
    assert alone[0, 1].equal(alone[-1, 1])  # who is never seen need not move


def test_the_field_of_the_caller_is_left_as_it_was() -> None:
    gop = blinking_gop()
    weights = copy.deepcopy(gop.field.state_dict())
    hold_unseen(gop, visible_frames(gop, SETTINGS.invisible), SETTINGS)
    assert all(weights[name].equal(value) for name, value in gop.field.state_dict().items())


class BlinkingSource(SyntheticSource):
    """One GOP of Gaussians that come and go."""

    @property
    def gop_count(self) -> int:
        return 1

    def gop(self, index: int) -> TrainedGop:
        return blinking_gop()


def test_encoding_gets_smaller(tmp_path: Path) -> None:
    sizes = []
    for smoothing in (SmoothingSettings(hold=True), SmoothingSettings()):
        quality = QualitySettings(cameras=0)
        config = EncoderConfig(qps=(8,), smoothing=smoothing, quality=quality)
        report = encode_scene(BlinkingSource(), tmp_path / f"{smoothing.hold}", config)
        sizes.append(report.qp_bytes[8])
    assert sizes[0] < sizes[1] - 100
