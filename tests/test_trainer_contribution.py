"""What a Gaussian gives to pictures, and how many can be left out for a given loss."""

from __future__ import annotations

import pytest
import torch

from renderer import Camera, CanonicalGaussians, RenderSettings
from trainer.contribution import contributions, dispensable
from trainer.rasterizer import rasterize

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def camera() -> Camera:
    eye, middle, up = torch.tensor([0.0, 0, -4]), torch.zeros(3), torch.tensor([0.0, -1, 0])
    return Camera.look_at(eye, middle, up, 0.8, 32, 24)


def gaussians(*positions: tuple[float, float, float]) -> CanonicalGaussians:
    count = len(positions)
    quats = torch.zeros(count, 4)
    quats[:, 0] = 1
    return CanonicalGaussians(
        torch.tensor(positions), quats, torch.full((count, 3), -1.5), torch.full((count,), 6.0),
        torch.rand(count, 3),
    )  # fmt: skip


def test_a_lone_gaussian_contributes_the_alpha_it_covers(camera: Camera) -> None:
    drawn = gaussians((0.0, 0.0, 0.0)).activate()
    _, alphas = rasterize(drawn, [camera], RenderSettings())
    found = contributions(drawn, [camera, camera], RenderSettings(background=(0.3, 0.6, 0.9)))
    assert found.tolist() == pytest.approx([2 * alphas.sum().item()], rel=1e-5)


def test_what_is_hidden_or_out_of_sight_contributes_little(camera: Camera) -> None:
    drawn = gaussians((0.0, 0.0, 0.0), (0.0, 0.0, 0.4), (0.0, 0.0, -9.0)).activate()
    front, hidden, behind = contributions(drawn, [camera], RenderSettings()).tolist()
    assert front > 2 * hidden > 0
    assert behind == 0


@pytest.mark.parametrize(("budget_db", "expected"), [(0.0, 32), (3.0, 40), (100.0, 127)])
def test_as_many_go_as_the_budget_bears(budget_db: float, expected: int) -> None:
    contribution = torch.arange(128.0)[torch.randperm(128)]

    def quality_db(kept: torch.Tensor) -> float:
        """The 32 least ones are for nothing, each further one costs 0.375 dB."""
        lost = contribution[~kept]
        return 30.0 - 0.375 * int((lost >= 32).sum())

    gone = dispensable(contribution, quality_db, budget_db)
    assert int(gone.sum()) == expected
    assert contribution[gone].max() < contribution[~gone].min()
