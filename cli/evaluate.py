"""`streamstgs evaluate`: a scene against the capture that it was trained from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from streamstgs.app.console import print_figures, write_figures
from streamstgs.cli.options import BackendOption, FramesOption, JsonOption, SceneArgument, option
from streamstgs.cli.parsing import chosen_frames, parse_rungs

SheetOption = Annotated[
    Path | None, option("FILE.png", "Write ground truth, picture and error x 4 here.", "not")
]
RungsOption = Annotated[str | None, option("QP,QP|all", "Which qualities.", "the best")]
PlotOption = Annotated[
    Path | None, option("FILE.png", "Draw PSNR over bytes per frame here.", "not")
]
CompareOption = Annotated[
    Path | None, option("FILE.json", "Compare rates with the figures of another scene.", "not")
]
TrainedOption = Annotated[
    Path | None,
    option("RUN", "Compare training cameras through the colours that this run fitted.", "as drawn"),
]
HeightOption = Annotated[
    int | None,
    option("PX", "Reduce higher pictures to this height.", "that of the scene's training"),
    tyro.conf.arg(name="capture.height-px"),
]


@dataclass(frozen=True)
class Evaluate:
    """Decode a scene, draw it, and compare it with the capture that it was trained from."""

    scene: SceneArgument
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """The folder of the capture."""
    cameras: Literal["test", "train", "all"] = "test"
    """Which of its cameras; those of `test` were kept out of the training."""
    frames: FramesOption = None
    train_step: int = 5
    """Of the training cameras, every so many of the frames."""
    rungs: RungsOption = None
    backend: BackendOption = None
    json: JsonOption = None
    sheet: SheetOption = None
    plot: PlotOption = None
    compare: CompareOption = None
    trained: TrainedOption = None
    height_px: HeightOption = None
    lpips: Literal["vgg", "alex", "none"] = "vgg"
    """The network under LPIPS; its weights are an optional package."""

    def run(self) -> int:
        from streamstgs.trainer.datasets import CaptureConfig
        from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, evaluate
        from streamstgs.trainer.evaluation.text import for_people

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        rungs = parse_rungs(self.rungs) if self.rungs else None
        for rung in rungs or ():
            chosen_frames(self.scene, None, rung)
        figures = evaluate(
            EvaluateConfig(
                self.scene,
                self.data,
                self.cameras,
                chosen_frames(self.scene, self.frames, None),
                self.train_step,
                rungs,
                self.backend,
                self.sheet,
                self.plot,
                self.compare,
                run=self.trained,
                capture=CaptureConfig(self.height_px),
                lpips=self.lpips,
            )
        )
        write_figures(self.json, figures)
        print_figures(for_people(figures), as_json=False)
        return 0
