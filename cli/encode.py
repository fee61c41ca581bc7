"""`streamstgs encode`: write a trained run, or a sequence of splat files, as a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from streamstgs.app.console import ProgressLine, say
from streamstgs.cli.options import FramesOption, OutputOption, SceneFpsOption, option
from streamstgs.cli.parsing import UsageError
from streamstgs.codec.encoder.config import EncoderConfig, EncodeReport

if TYPE_CHECKING:
    from streamstgs.codec.encoder.source import SceneSource

OF_RUN = "that of the run"
TitleOption = Annotated[str | None, option("TEXT", "Title of the scene.", OF_RUN)]
LicenceOption = Annotated[str | None, option("TEXT", "Licence that players show.", OF_RUN)]
AttributionOption = Annotated[
    str | None, option("TEXT", "Names of the authors, which players show as credit.", OF_RUN)
]


@dataclass(frozen=True)
class Settings(EncoderConfig):
    keep_codes: tyro.conf.Suppress[bool] = False  # only a caller in Python can use the codes


GopFramesOption = Annotated[
    int,
    option("N", "Fit segments of so many frames; for sequences of splat files.", "30"),
]


@dataclass(frozen=True)
class Encode:
    """Write a trained run as a scene package; or a sequence of splat files whose Gaussians
    correspond, to which the motion is fitted without images."""

    trained: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder that `streamstgs train` wrote; or a sequence of splat files with the same Gaussians in
    the same order in all frames, such as tracked .ply files or the params.npz of Dynamic 3D
    Gaussians."""
    output: Annotated[OutputOption, tyro.conf.arg(metavar="SCENE")]
    """Write this scene: a file if its name ends in .stgs, else a directory for a web server."""
    title: TitleOption = None
    licence: LicenceOption = None
    attribution: AttributionOption = None
    audio: Annotated[
        Path | None,
        option("FILE", "Take the sound of this audio or video file.", "that of the capture"),
    ] = None
    publish: Annotated[
        str | None,
        option(
            "TARGET",
            "Publish each segment here once it is encoded: a folder, or s3://bucket/event.",
            "nothing is published",
        ),
    ] = None
    gop_frames: GopFramesOption = 30
    frames: FramesOption = None
    scene_fps: SceneFpsOption = None
    capture: Annotated[
        Path | None,
        option("DATA", "Take what the cameras saw from this capture; older runs lack it.", OF_RUN),
    ] = None
    encoder: Annotated[Settings, tyro.conf.arg(name="")] = Settings()

    def run(self) -> int:
        from streamstgs.trainer.run_directory import RunDirectory
        from streamstgs.trainer.windows import load_trained

        named = {"title": self.title, "licence": self.licence, "attribution": self.attribution}
        given = {name: text for name, text in named.items() if text is not None}
        if self._is_sequence():
            if self.publish is not None:
                raise UsageError("--publish is for trained runs")
            report, qps = self._encode_sequence(given)
        else:
            if self.frames is not None or self.scene_fps is not None:
                raise UsageError("--frames and --scene-fps are for sequences of splat files")
            run, qps = Path(self.trained), self.encoder.qps
            source = load_trained(run, **given, **self._filmed())
            audio = self.audio or RunDirectory(run).sound_path
            report = self._encode_run(source, audio)
        for qp in qps:
            print(
                f"QP {qp}: {report.bytes_per_frame(qp) / 1000:.1f} kB per frame, "
                f"features {report.qp_psnr_db[qp]:.1f} dB"
            )
        print(f"{self.output}: {report.total_bytes / 1e6:.2f} MB")
        return 0

    def _encode_run(self, source: SceneSource, audio: Path | None) -> EncodeReport:
        """Encode a trained run, and publish it meanwhile if that is wanted."""
        from streamstgs.codec.encoder.encode import encode_scene
        from streamstgs.codec.encoder.source import periods_of
        from streamstgs.codec.publish.encoding import EncodingPublisher
        from streamstgs.codec.publish.store import Store

        if self.publish is None:
            return encode_scene(source, self.output, self.encoder, ProgressLine(), audio)
        if periods_of(source):
            raise UsageError("--publish is not for runs in windows; publish the encoded scene")
        sound = None
        if audio is not None:
            frames = sum(source.gop(number).frames for number in range(source.gop_count))
            sound = audio, frames / source.meta.fps
        live = EncodingPublisher(Store(self.publish), audio=sound)
        report = encode_scene(source, self.output, self.encoder, ProgressLine(), audio, live)
        live.finish()
        print(f"{self.publish} stays as a scene.")
        return report

    def _filmed(self) -> dict[str, Any]:
        """What the cameras of `--capture` saw, as a change of the run's meta data."""
        if self.capture is None:
            return {}
        from streamstgs.trainer.scene_meta import filmed_in

        return {"filmed": filmed_in(self.capture)}

    def _is_sequence(self) -> bool:
        """Whether the argument is no run but a scene of another program."""
        from streamstgs.codec.errors import NotAScene
        from streamstgs.codec.formats.registry import find_format
        from streamstgs.codec.formats.stgs import StgsFormat

        if any((Path(self.trained) / name).exists() for name in ("run.json", "windows.json")):
            return False
        try:
            return not isinstance(find_format(self.trained), StgsFormat)
        except NotAScene:
            return False

    def _encode_sequence(self, named: dict[str, str]) -> tuple[EncodeReport, tuple[int, ...]]:
        from streamstgs.app.player.export.render import parse_frames
        from streamstgs.codec.formats.registry import open_reader
        from streamstgs.trainer.trajectory_fit.encode import encode_sequence, for_fits
        from streamstgs.trainer.trajectory_fit.sequence import FitSettings

        settings = FitSettings(gop_frames=self.gop_frames)
        with open_reader(self.trained, fps=self.scene_fps) as reader:
            frames = parse_frames(self.frames, reader.info.frame_count)
            found = encode_sequence(
                reader,
                self.output,
                self.encoder,
                settings,
                ProgressLine(),
                frames,
                named=named,
                audio=self.audio,
            )
        errors, static = found.errors, int(found.fit.static.sum())
        print(
            f"{static} of {len(found.fit.static)} Gaussians are static; the others move by "
            f"{found.fit.features} features"
        )
        print(
            f"positions: {errors.position_rmse:.3g} units RMSE, "
            f"{100 * errors.relative_rmse:.3f} % of the radius of the scene"
        )
        print(
            f"images: {errors.psnr_db:.1f} dB in the mean, {errors.worst_psnr_db:.1f} dB at worst"
        )
        if found.loses_harmonics:
            say("Colours that depend on the direction of view became their mean: scenes keep one.")
        return found.encoded, for_fits(self.encoder).qps
