"""Responses of cameras to colours: what they do, their gauge, and that they are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamstgs.renderer import Gaussians
from streamstgs.trainer.coarse.background import BackgroundConfig, StillView, still_view
from streamstgs.trainer.coarse.color_response import ColorResponse, ColorResponseConfig, respond
from streamstgs.trainer.coarse.footage import MedianFootage
from streamstgs.trainer.coarse.stage import StaticConfig, train_static
from streamstgs.trainer.datasets import load_frames, open_capture
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.run_directory import RunDirectory
from torch import Tensor

from tests.capture_scene import BACKGROUND, FRAMES, scene_at
from tests.test_trainer_stages import stored

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PLAIN = torch.eye(3, 4)


def test_a_response_of_a_case_worked_by_hand() -> None:
    """The second camera swaps red and green, halves blue and adds a tenth to it."""
    swap = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.5, 0.1]])
    pictures = torch.tensor([0.2, 0.4, 0.6]).expand(2, 3, 5, 3)
    seen = respond(pictures, torch.stack([PLAIN, swap]))
    assert torch.allclose(seen[0], pictures[0])
    assert seen[1, 2, 4].tolist() == pytest.approx([0.4, 0.2, 0.4])


def test_the_gradient_of_a_response() -> None:
    random = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 2, 3, 3, generator=random, dtype=torch.float64, requires_grad=True)
    matrices = torch.rand(2, 3, 4, generator=random, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(respond, (pictures, matrices))


def test_responses_are_the_identity_in_the_mean() -> None:
    response = ColorResponse(4, ColorResponseConfig(weight=2.0), CPU)
    assert torch.equal(response.matrices(), PLAIN.expand(4, -1, -1))
    with torch.no_grad():
        response.offsets.copy_(torch.randn(4, 3, 4) + 3)
    assert torch.allclose(response.matrices().mean(dim=0), PLAIN, atol=1e-6)


def test_their_regulariser_of_a_case_worked_by_hand() -> None:
    """One of two cameras is off by 0.6 in one place: by the gauge both are off by 0.3."""
    response = ColorResponse(2, ColorResponseConfig(weight=2.0), CPU)
    with torch.no_grad():
        response.offsets[0, 1, 2] = 0.6
    loss = response.loss()
    assert loss.item() == pytest.approx(2 * 2 * 0.3**2 / 24)
    loss.backward()
    gradient = response.offsets.grad
    assert gradient is not None
    assert gradient[0, 1, 2].item() == pytest.approx(2 * 2 * 0.3 / 24)
    assert gradient[1, 1, 2].item() == pytest.approx(-2 * 2 * 0.3 / 24)
    assert gradient.count_nonzero() == 2


def largest_tint(config: ColorResponseConfig) -> float:
    """What the responses of five cameras that agree do to grey, in 8-bit steps, after training in
    which the Gaussians draw a bit brighter in one step and darker in the next."""
    random = torch.Generator().manual_seed(1)
    seen = torch.rand(5, 1, 100, 3, generator=random)
    response = ColorResponse(5, config, CPU)
    for step in range(1000):
        view = step % 5
        response.decay_rate(step / 1000)
        drawn = seen[view][None] * (1 + 0.02 * torch.randn(1, generator=random))
        off = (respond(drawn, response.of([view])) - seen[view]).abs().mean()
        (off + response.loss()).backward()
        response.step()
    grey = torch.full((5, 1, 1, 3), 0.8)
    return float((respond(grey, response.matrices().detach()) - grey).abs().max() * 255)


def test_cameras_that_agree_keep_their_colours() -> None:
    """At a constant rate the last step of each view stays in its response."""
    assert largest_tint(ColorResponseConfig()) < 0.5
    assert largest_tint(ColorResponseConfig(final_rate=1.0)) > 1


def test_a_dark_camera_is_found(tiny_capture: Path) -> None:
    """One of seven cameras records everything at 0.8; the scene as the mean camera sees it is
    known and kept."""
    capture = open_capture(tiny_capture)
    views = capture.split("train")
    stills = [still_view(f, BackgroundConfig()) for f in load_frames(views, range(FRAMES))]
    stills[2] = replace(stills[2], median=(stills[2].median.float() * 0.8).byte())
    mean_gain = 6.8 / 7
    scene = stored(scene_at(0)[torch.arange(5)])
    scene.colors.mul_(mean_gain)
    red, green, blue = (mean_gain * c for c in BACKGROUND)
    response = ColorResponse(7, ColorResponseConfig(rate=0.005, weight=0.001), CPU)
    rates = replace(StaticConfig().rates, means=0.0, means_final=0.0, quats=0.0, log_scales=0.0,
                    opacity_logits=0.0, colors=0.0)  # fmt: skip
    config = StaticConfig(
        iterations=200, exploration=0.0, relocate_until=0.0, dropout=0.0, depth_weight=0.0,
        rates=rates,
    )  # fmt: skip
    train_static(
        scene, medians(views, stills), (red, green, blue), 0.1, 4.0,
        config, RandomSource(0, CPU), lambda *_: None, response,
    )  # fmt: skip
    found = response.matrices().detach()
    white = respond(torch.tensor(BACKGROUND).expand(7, 1, 1, 3), found)[:, 0, 0]
    others = white[[0, 1, 3, 4, 5, 6]].mean(dim=0)
    assert (white[2] / others).tolist() == pytest.approx([0.8] * 3, abs=0.04)


def medians(views: tuple, stills: list[StillView]) -> MedianFootage:
    return MedianFootage([v.camera for v in views], stills, 0.5, [])


def test_a_gop_is_compared_through_the_responses(tiny_capture: Path) -> None:
    """Footage recorded by cameras with a response fits the scene only through that response."""
    capture = open_capture(tiny_capture)
    views = capture.split("train")[:2]
    frames = load_frames(views, range(2))
    responses = torch.stack([PLAIN * 0.8, PLAIN * 1.2])
    recorded = [(f.float() * gain).round().clamp(0, 255).byte()
                for f, gain in zip(frames, (0.8, 1.2), strict=True)]  # fmt: skip
    masks = [torch.ones(f.shape[1:3], dtype=torch.bool) for f in frames]
    footage = GopFootage([v.camera for v in views], recorded, masks, BACKGROUND, 0.1, responses)

    def loss(of: GopFootage) -> Tensor:
        return of.loss(Gaussians.empty(), scene_at(1), 1, [0, 1], BACKGROUND, 0.2)

    assert loss(footage) < 0.1 * loss(replace(footage, responses=None))


def test_responses_come_back_from_a_run(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    assert run.read_responses() is None
    run.write_responses({"cam.3": PLAIN * 2, "4": PLAIN})
    found = run.read_responses()
    assert found is not None
    assert torch.equal(found["cam.3"], PLAIN * 2)
    assert sorted(found) == ["4", "cam.3"]
