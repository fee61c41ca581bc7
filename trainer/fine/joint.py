"""The joint part of the fine stage: the static layer and the moving Gaussians learn together.

Temporal medians show the static scene only where things pass by quickly. A person who stands for
half of the video is in them, and the moving Gaussians would have to paint over a static ghost. Here
the static layer and the moving Gaussians of all GOPs learn from the frames at the same time, the
GOPs in turn: a ghost costs in the frames where the person is gone, fades, and is learned by the
moving Gaussians instead. Then the static layer is final, and each GOP goes on by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.fine.config import JointConfig
from streamstgs.trainer.fine.stage import GopTraining
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.optimization.training_stage import StepRecord
from torch import Tensor


def joint_gops(available: Sequence[int], most: int) -> list[int]:
    """At most `most` of the available GOPs, evenly spread."""
    count = min(most, len(available))
    chosen = torch.linspace(0, len(available) - 1, count).round().int().tolist()
    return [available[k] for k in chosen]


class JointTraining:
    """The static layer under optimisation with GOPs that share it (`TrainingStage`).

    Args:
        static: The static layer of the coarse stage.
        gops: GOPs in training; their own optimisers and schedules go on after this.
        scene_scale: World units that the learning rate of the centres is a fraction of.
        in_motion: [S] share of the sample frames in whose motion hull each static Gaussian lies;
            None where it was not measured.
    """

    def __init__(
        self,
        static: CanonicalGaussians,
        gops: Sequence[GopTraining],
        scene_scale: float,
        config: JointConfig,
        in_motion: Tensor | None = None,
    ) -> None:
        self.parameters = GaussianParameters(static, config, scene_scale)
        self.gops, self.config, self.iteration = list(gops), config, 0
        self.in_motion = in_motion
        steps = min(config.iterations, *(g.iterations for g in gops))
        self._iterations = steps * len(gops)

    @property
    def iterations(self) -> int:
        return self._iterations

    def step(self) -> StepRecord:
        """One step of the GOP whose turn it is; the static layer learns from it, too."""
        self.parameters.decay_means_rate(self.iteration / self.iterations)
        gop = self.gops[self.iteration % len(self.gops)]
        gop.static = self.parameters.canonical().activate()
        record = gop.step()
        self._press_on_ghosts()
        self.parameters.optimizer.step()
        self.parameters.optimizer.zero_grad(set_to_none=True)
        self.iteration += 1
        return replace(record, iteration=self.iteration)

    def _press_on_ghosts(self) -> None:
        """Add the gradient of the opacity of what lies where things move.

        The alpha of static Gaussians at moving pixels would be no measure: without a ghost the same
        pixel shows the static Gaussians behind it, so that the alpha stays.
        """
        if self.in_motion is None or self.config.ghost_opacity_reg <= 0:
            return
        opacities = self.parameters["opacity_logits"].sigmoid()
        pressed = (self.in_motion * opacities).sum() / self.in_motion.sum().clamp(min=1)
        (self.config.ghost_opacity_reg * pressed).backward()

    def static(self) -> CanonicalGaussians:
        """The current static layer without Gaussians below `min_opacity`."""
        found = self.parameters.detached()
        return found[found.opacity_logits.sigmoid() > self.config.min_opacity]
