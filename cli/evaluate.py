"""`streamstgs evaluate`: compare a scene with its capture."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from streamstgs.app.console import check_figures_path, print_figures, write_figures
from streamstgs.cli.options import BackendOption, FramesOption, JsonOption, SceneArgument, option
from streamstgs.cli.parsing import parse_frame_choice, parse_qps
from streamstgs.trainer.datasets.config import CaptureConfig

SheetOption = Annotated[
    Path | None,
    option("FILE.png", "Write an image of capture, rendering and error (x 4) to this file.", "off"),
]
QpsOption = Annotated[
    str | None,
    option("QP,QP|all", "Compare the qualities with these quantisers.", "the best quality"),
]
PlotOption = Annotated[
    Path | None, option("FILE.png", "Plot PSNR over bytes per frame to this file.", "off")
]
CompareOption = Annotated[
    Path | None,
    option("FILE.json", "Compute the BD-rate against these figures of another scene.", "off"),
]
TrainedOption = Annotated[
    Path | None,
    option(
        "RUN",
        "Apply the per-camera colour correction of this run to the training cameras.",
        "off",
    ),
]


@dataclass(frozen=True)
class Evaluate:
    """Compare rendered frames of a scene with the capture that it was trained from."""

    scene: SceneArgument
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """Folder of the capture."""
    cameras: Literal["test", "train", "all"] = "test"
    """Compare these cameras of the capture; training did not see those of `test`."""
    frames: FramesOption = None
    train_step: int = 5
    """Compare one of so many frames of the training cameras."""
    qps: QpsOption = None
    backend: BackendOption = None
    json: JsonOption = None
    sheet: SheetOption = None
    plot: PlotOption = None
    compare: CompareOption = None
    trained: TrainedOption = None
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    lpips: Literal["vgg", "alex", "none"] = "vgg"
    """Network of the LPIPS metric; its weights come with the extra `evaluation`."""

    def run(self) -> int:
        check_figures_path(self.json)
        from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, evaluate
        from streamstgs.trainer.evaluation.text import for_people

        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        qps = parse_qps(self.qps) if self.qps else None
        for qp in qps or ():
            parse_frame_choice(self.scene, None, qp)
        figures = evaluate(
            EvaluateConfig(
                self.scene,
                self.data,
                self.cameras,
                parse_frame_choice(self.scene, self.frames, None),
                self.train_step,
                qps,
                self.backend,
                self.sheet,
                self.plot,
                self.compare,
                run=self.trained,
                capture=self.capture,
                lpips=self.lpips,
            )
        )
        write_figures(self.json, figures)
        print_figures(for_people(figures), as_json=False)
        return 0
