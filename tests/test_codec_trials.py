"""The trials behind decisions: other codecs for features, and keyframes predicted from others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streamstgs.codec.encoder.feature_encoding import psnr_db

from benchmarks.feature_codecs import TRIALS, decode, encode
from benchmarks.keyframe_prediction import compressed, difference, nearest_in


@pytest.mark.parametrize("name", TRIALS)
def test_trial_returns_its_images_in_order(name: str) -> None:
    """Better qualities are larger and nearer; what is shown when is not mixed up."""
    y, x = np.mgrid[:64, :64]
    planes = [(127 + 100 * np.sin((x + 3 * k) / 9 + y / 15)).astype(np.uint8) for k in range(6)]
    found = {}
    for quality in (TRIALS[name].qualities[0], TRIALS[name].qualities[-1]):
        packets, header = encode(planes, TRIALS[name], quality)
        lumas = decode(packets, header, TRIALS[name])
        assert len(lumas) == len(planes)
        found[sum(map(len, packets))] = psnr_db(np.stack(planes), np.stack(lumas))
    assert found[max(found)] > found[min(found)] > 30
    assert max(found) > min(found)


def test_differences_of_codes_wrap_within_their_bits() -> None:
    codes, guess = np.array([[0, 200, 255]], np.uint8), np.array([[255, 200, 0]], np.uint8)
    assert difference(codes, guess, 8).tolist() == [[129, 128, 127]]


def test_repeated_keyframe_costs_few_bytes() -> None:
    random = torch.Generator().manual_seed(0)
    values = {"means": torch.rand(100, 3, generator=random)}
    shuffled = torch.randperm(100, generator=random)
    before = {"means": values["means"][shuffled]}
    nearest, distance = nearest_in(before, values)
    assert torch.equal(shuffled[nearest], torch.arange(100))
    assert distance == 0
    codes = {"means": (values["means"].numpy() * 16383).astype(np.uint16)}
    known = {"means": codes["means"][shuffled.numpy()]}
    plain = compressed(codes, None, {"means": 14})
    guess = {"means": known["means"][nearest.numpy()]}
    assert len(compressed(codes, guess, {"means": 14})) < 0.7 * len(plain)
