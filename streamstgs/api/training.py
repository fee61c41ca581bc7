"""From a capture to a scene: train, encode and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from streamstgs.api.scene import Scene
from streamstgs.api.settings import with_settings
from streamstgs.codec.encoder.config import EncoderConfig, EncodeReport


def train(
    data: str | Path,
    run: str | Path,
    recipe: str = "default",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Train a scene from calibrated multi-view video.

    A run that was interrupted is resumed by the same call. Use a CUDA device for real captures.

    Example:
        run = st.train("capture", "run", settings={"gop_frames": 30})

    Args:
        data: folder of the capture (docs/guide/capture.md).
        run: folder for the results and checkpoints; made where it does not exist.
        recipe: settings to start from: "default" for the best results, "paper" for the paper's
            method and nothing more, or another one that `streamstgs train --help` lists.
        settings: values by the names that `streamstgs train --help` lists, without the dashes.

    Returns:
        The folder of the run, for `encode`.

    Raises:
        TrainerError: the capture is incomplete or does not fit into memory, a setting makes no
            sense, or `run` was begun with other settings.
        ValueError: there is no such recipe or setting.
    """
    from streamstgs.trainer.recipes import RECIPES
    from streamstgs.trainer.train import train as train_run

    if recipe not in RECIPES:
        raise ValueError(f"there is no recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    out = Path(run)
    train_run(with_settings(RECIPES[recipe](Path(data), out), settings or {}))
    return out


def encode(
    run: str | Path,
    out: str | Path,
    *,
    title: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[str, float], None] | None = None,
    audio: str | Path | None = None,
) -> EncodeReport:
    """Encode a trained run as a scene.

    `out` appears when it is complete; an interrupted call changes nothing.

    Example:
        report = st.encode("run", "scene.stgs", title="My scene")
        print(report.total_bytes)

    Args:
        run: folder that `train` returned.
        out: file to write if it ends in .stgs, else a directory for a web server.
        title, licence, attribution: texts that players show; None keeps those of the run.
        settings: values by the names that `streamstgs encode --help` lists, without the dashes.
        progress: called with a short text and the share that is done, 0..1.
        audio: audio or video file with the sound of the scene; None for that of the capture, if it
            has one.

    Returns:
        Sizes in bytes, and the quality of the feature video, of what was written.

    Raises:
        TrainerError: `run` is no finished run.
        CodecError: a setting makes no sense, or the run does not fit the format.
        ValueError: there is no such setting.
    """
    from streamstgs.codec.encoder.encode import encode_scene
    from streamstgs.trainer.run_directory import RunDirectory
    from streamstgs.trainer.windows import load_trained

    config = with_settings(EncoderConfig(), settings or {})
    texts = {"title": title, "licence": licence, "attribution": attribution}
    source = load_trained(
        Path(run), **{name: text for name, text in texts.items() if text is not None}
    )
    sound = RunDirectory(Path(run)).sound_path if audio is None else Path(audio)
    return encode_scene(source, Path(out), config, progress, sound)


def evaluate(
    scene: Scene | str | Path,
    data: str | Path,
    cameras: Literal["test", "train", "all"] = "test",
    *,
    qualities: Sequence[int] | Literal["best", "all"] = "best",
    frames: Sequence[int] | None = None,
    lpips: Literal["vgg", "alex", "none"] = "none",
    backend: str | None = None,
) -> dict[str, Any]:
    """Compare rendered frames of a scene with the capture that it was trained from.

    Example:
        figures = st.evaluate("scene.stgs", "capture")
        print(figures["qualities"][0]["test"]["psnr"])

    Args:
        scene: an open scene, or its path or URL.
        data: folder of the capture.
        cameras: "test" for the cameras that training did not see, "train" for the others, or
            "all".
        qualities: indices in `Scene.qualities`, or "best" or "all".
        frames: content frames to compare; None for all of them.
        lpips: network of the LPIPS metric; its weights come with the extra `evaluation`.
        backend: as of `render`.

    Returns:
        What `streamstgs evaluate --json` writes: per quality the PSNR (dB), SSIM, MS-SSIM and LPIPS
        of each group of cameras, and bytes per frame.

    Raises:
        TrainerError: the capture has no such cameras or frames, or is not the scene's.
        CodecError, RenderError: the scene cannot be read or rendered, or has no such quality.
        ValueError: `qualities` is another word.
    """
    from streamstgs.trainer.evaluation.evaluate import EvaluateConfig
    from streamstgs.trainer.evaluation.evaluate import evaluate as compare

    config = EvaluateConfig(
        scene.location if isinstance(scene, Scene) else str(scene),
        Path(data),
        cameras,
        frames,
        qps=_qps(scene, qualities),
        backend=backend,
        lpips=lpips,
    )
    return compare(config)


def _qps(
    scene: Scene | str | Path, qualities: Sequence[int] | Literal["best", "all"]
) -> list[int] | None:
    """Quantisers of the qualities, as the evaluation takes them: None for the best, [] for all."""
    if isinstance(qualities, str):
        if qualities not in ("best", "all"):
            raise ValueError(
                f'qualities is {qualities!r}; write "best", "all" or a list of indices'
            )
        return None if qualities == "best" else []
    if isinstance(scene, Scene):
        return [scene._quality(index).qp for index in qualities]
    from streamstgs.api.scene import open

    with open(scene) as opened:
        return _qps(opened, qualities)
