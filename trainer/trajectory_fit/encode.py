"""A sequence whose Gaussians correspond -> a scene package, and how much they differ."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.encoder.config import MOVING_BITS, AttributeBits, EncoderConfig, EncodeReport
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.registry import open_reader
from streamstgs.trainer.run_directory import RunDirectory, load_run
from streamstgs.trainer.trajectory_fit.frames import TrackedFrames
from streamstgs.trainer.trajectory_fit.report import FitReport, compare
from streamstgs.trainer.trajectory_fit.sequence import FitSettings, FittedSequence, fit_sequence

ReportProgress = Callable[[str, float], None]
FIT_SHARE = 0.3  # of the whole work, for the progress
QPS = (12, 20, 28, 36)  # the features of a fit have no noise of training that a video could drop


@dataclass(frozen=True)
class EncodedSequence:
    """What came of a sequence.

    Args:
        encoded: Sizes of the scene.
        fit: What was fitted.
        errors: Of the best quality against the sequence.
        loses_harmonics: Whether colours of the sequence depended on the direction of view; scene
            packages keep the mean colour.
    """

    encoded: EncodeReport
    fit: FittedSequence
    errors: FitReport
    loses_harmonics: bool


def encode_sequence(
    reader: SceneReader,
    out: Path,
    config: EncoderConfig = EncoderConfig(),  # noqa: B008 (frozen)
    settings: FitSettings = FitSettings(),  # noqa: B008 (frozen)
    progress: ReportProgress = lambda what, share: None,
    frames: Sequence[int] | None = None,
    cancel: CancelToken = NEVER,
    named: Mapping[str, str] | None = None,
    audio: Path | None = None,
) -> EncodedSequence:
    """Write a scene package of a sequence; no images are needed.

    Args:
        reader: Of the sequence.
        out: Path of a `.stgs` file, or of a directory.
        config: Settings of the encoder; see `for_fits`.
        settings: How the motion is fitted.
        progress: Called with the present step and the share that is done, 0..1.
        frames: Content frames in their order; None for all.
        named: Texts of the scene to replace: title, licence, attribution.
        audio: Audio or video file whose sound the scene gets; None for none.

    Raises:
        SequenceError: The Gaussians of the sequence do not correspond.
        CodecError: A frame cannot be read, the scene cannot be written, or `cancel`.
    """
    tracked = TrackedFrames(reader, frames, cancel)
    with tempfile.TemporaryDirectory(prefix="streamstgs-") as folder:
        run = RunDirectory(Path(folder))
        texts: dict[str, Any] = dict(named or {})
        meta = replace(reader.info.meta, **texts)
        fit = fit_sequence(
            tracked, meta, run, settings, lambda what, share: progress(what, FIT_SHARE * share)
        )
        encoded = encode_scene(
            load_run(run.path),
            out,
            for_fits(config),
            lambda what, share: progress(what, FIT_SHARE + (1 - FIT_SHARE) * share),
            audio,
        )
    with open_reader(out, cancel) as scene:
        errors = compare(scene, tracked)
    return EncodedSequence(encoded, fit, errors, tracked.loses_harmonics)


def for_fits(config: EncoderConfig) -> EncoderConfig:
    """The settings with finer codes where they have the defaults, which are those of training."""
    default = EncoderConfig()
    qps = QPS if config.qps == default.qps else config.qps
    bits = AttributeBits() if config.moving_bits == MOVING_BITS else config.moving_bits
    return replace(config, qps=qps, moving_bits=bits)
