"""`streamstgs train`: train a scene from multi-view video."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from streamstgs.cli.options import OutputOption, flag, option
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.recipes import QUALITIES, RECIPES

RecipeName = Literal["default", "paper"]
QualityName = Literal["draft", "standard", "high"]


@dataclass(frozen=True)
class Train(TrainConfig):
    """Train a scene from calibrated multi-view video. An interrupted run is resumed."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    out: Annotated[OutputOption, tyro.conf.arg(name="output", metavar="RUN")]
    recipe: RecipeName = "default"
    """Start from these settings: `default` gives the best results, `paper` is the paper's method
    and nothing more. Other options change single settings."""
    quality: QualityName = "standard"
    """Number of moving Gaussians and length of the training of the recipe `default`."""

    cluster: Annotated[
        str | None,
        option(
            "ADDRESS",
            "Train segments on this Ray cluster: auto (this machine) or ray://HOST:PORT.",
            "the devices of this machine, without Ray",
        ),
    ] = None
    gpu_share: float = 1.0
    """On a cluster, give each segment so many GPUs; 0 trains on processors."""
    retries: int = 3
    """On a cluster, begin a segment again so often after its worker was lost."""
    cluster_storage: Annotated[
        str | None,
        option(
            "ADDRESS",
            "Exchange checkpoints and results through this folder, such as s3://bucket/run.",
            "the machines share the disk of the run",
        ),
    ] = None
    cluster_capture: Annotated[
        str | None,
        option(
            "ADDRESS",
            "Let the machines copy the capture from here, such as s3://bucket/capture.",
            "they share its disk",
        ),
    ] = None
    dry_run: Annotated[
        tyro.conf.FlagCreatePairsOff[bool],
        flag("Check everything, print what memory and disk the run needs, and train nothing."),
    ] = False

    def run(self) -> int:
        from streamstgs.trainer.cluster.ray_cluster import ClusterSettings
        from streamstgs.trainer.train import train

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        cluster = self.cluster and ClusterSettings(
            self.cluster,
            self.gpu_share,
            retries=self.retries,
            storage=self.cluster_storage,
            capture=self.cluster_capture,
        )
        train(train_config(self), cluster or None, self.dry_run)
        return 0


def train_config(command: TrainConfig) -> TrainConfig:
    """The trainer's part of a command: of a class that worker processes know."""
    return TrainConfig(**{f.name: getattr(command, f.name) for f in fields(TrainConfig)})


@dataclass(frozen=True)
class _RecipeOption:
    recipe: RecipeName = "default"
    quality: QualityName = "standard"


def options_of_recipe(kind: Callable[..., Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Keyword arguments of `tyro.cli` that make the options start from the recipe that the
    arguments name.

    `tyro.extras.overridable_config_cli` would make the recipe a subcommand that must be given.
    """
    try:
        option, _ = tyro.cli(
            _RecipeOption,
            args=arguments,
            return_unknown_args=True,
            add_help=False,
            console_outputs=False,
        )
    except SystemExit:
        return {}  # the parser of all options tells what is wrong with --recipe
    settings = RECIPES[option.recipe](tyro.MISSING, tyro.MISSING)
    if option.recipe == "default":
        settings = QUALITIES[option.quality](settings)
    chosen = {name: value for name, value in vars(option).items() if _has(kind, name)}
    return {"default": kind(**vars(settings), **chosen)}


def _has(kind: Callable[..., Any], name: str) -> bool:
    """Whether a command has the option."""
    return name in getattr(kind, "__dataclass_fields__", {})
