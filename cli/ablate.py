"""`streamstgs ablate`: measure what each part of the training contributes."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from streamstgs.cli.options import OutputOption
from streamstgs.cli.train import train_config
from streamstgs.trainer.ablation.ablate import AblationConfig
from streamstgs.trainer.config import TrainConfig


@dataclass(frozen=True)
class Ablate(TrainConfig):
    """Train with one part of the method off at a time, and write a table of the results. An
    interrupted run is resumed; finished rows are kept."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    out: Annotated[OutputOption, tyro.conf.arg(name="output", metavar="DIR")]
    recipe: Literal["default", "paper"] = "default"
    """Start from these settings: `default` gives the best results, `paper` is the paper's method
    and nothing more."""
    ablation: Annotated[AblationConfig, tyro.conf.arg(name="")] = field(
        default_factory=AblationConfig
    )

    def run(self) -> int:
        from streamstgs.trainer.ablation.ablate import ablate
        from streamstgs.trainer.ablation.table import markdown

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        command = " ".join(["streamstgs", *sys.argv[1:]])
        print(markdown(ablate(train_config(self), self.ablation, command)))
        return 0
