"""`streamstgs train`: train a scene from multi-view video."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from streamstgs.cli.options import OutputOption
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.recipes import RECIPES


@dataclass(frozen=True)
class Train(TrainConfig):
    """Train a scene from calibrated multi-view video. An interrupted run is resumed."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    out: Annotated[OutputOption, tyro.conf.arg(name="output", metavar="RUN")]
    recipe: Literal["default", "paper"] = "default"
    """Start from these settings: `default` gives the best results, `paper` is the paper's method
    and nothing more. Other options change single settings."""

    def run(self) -> int:
        from streamstgs.trainer.train import train

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        train(train_config(self))
        return 0


def train_config(command: TrainConfig) -> TrainConfig:
    """The trainer's part of a command: of a class that worker processes know."""
    return TrainConfig(**{f.name: getattr(command, f.name) for f in fields(TrainConfig)})


def options_of_recipe(kind: Callable[..., Any], arguments: Sequence[str]) -> dict[str, Any]:
    """What the options start from if the arguments name a recipe, as tyro wants to be told."""
    words = " ".join(arguments).replace("--recipe=", "--recipe ").split(" ")
    if "--recipe" not in words[:-1]:
        return {}
    name = words[words.index("--recipe") + 1]
    if name not in RECIPES:
        return {}  # tyro says which there are
    settings = RECIPES[name](tyro.MISSING, tyro.MISSING)
    return {"default": kind(**vars(settings), recipe=name)}
