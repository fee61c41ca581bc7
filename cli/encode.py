"""`streamstgs encode`: write a trained run as a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.app.console import ProgressLine
from streamstgs.cli.options import OutputOption, option
from streamstgs.codec.encoder.config import EncoderConfig

OF_RUN = "that of the run"
TitleOption = Annotated[str | None, option("TEXT", "Title of the scene.", OF_RUN)]
LicenceOption = Annotated[str | None, option("TEXT", "Licence that players show.", OF_RUN)]
AttributionOption = Annotated[
    str | None, option("TEXT", "Names of the authors, which players show as credit.", OF_RUN)
]


@dataclass(frozen=True)
class Settings(EncoderConfig):
    keep_codes: tyro.conf.Suppress[bool] = False  # only a caller in Python can use the codes


@dataclass(frozen=True)
class Encode:
    """Write a trained run as a scene package."""

    trained: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder that `streamstgs train` wrote."""
    output: Annotated[OutputOption, tyro.conf.arg(metavar="SCENE")]
    """Write this scene: a file if its name ends in .stgs, else a directory for a web server."""
    title: TitleOption = None
    licence: LicenceOption = None
    attribution: AttributionOption = None
    audio: Annotated[
        Path | None,
        option("FILE", "Take the sound of this audio or video file.", "that of the capture"),
    ] = None
    encoder: Annotated[Settings, tyro.conf.arg(name="")] = Settings()

    def run(self) -> int:
        from streamstgs.codec.encoder.encode import encode_scene
        from streamstgs.trainer.run_directory import RunDirectory, load_run

        named = {"title": self.title, "licence": self.licence, "attribution": self.attribution}
        source = load_run(self.trained, **{k: v for k, v in named.items() if v is not None})
        audio = self.audio or RunDirectory(self.trained).sound_path
        report = encode_scene(source, self.output, self.encoder, ProgressLine(), audio)
        for qp in self.encoder.qps:
            print(
                f"QP {qp}: {report.bytes_per_frame(qp) / 1000:.1f} kB per frame, "
                f"features {report.qp_psnr_db[qp]:.1f} dB"
            )
        print(f"{self.output}: {report.total_bytes / 1e6:.2f} MB")
        return 0
