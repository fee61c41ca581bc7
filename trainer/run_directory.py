"""The files of a training run, and its result as a `codec.encoder.source.SceneSource`.

config.json               the settings that the run was begun with
capture.json              digests of the capture that the run was begun with
run.json                  scene meta and GOP lengths
medians.safetensors       temporal median of every camera, and its reliability
points.safetensors        points found on the surfaces of the scene
coarse.safetensors        Gaussians of the coarse stage, before activation
static.safetensors        the final static layer, shared by all GOPs
color_correction.safetensors    colour correction of each training camera, where it was fitted
gop-0000.safetensors      canonical Gaussians, features (fp16) and field of a GOP
gop-0000.checkpoint.pt    a GOP in training; removed once it is done
coarse.json, joint.json, gop-0000.json    cost of the stage
training.json             cost of the run, and its settings; written at the end
statistics/               statistics of each step, where they were asked for (`--log`)
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.output import check_output, output_file
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets.identity import changed_parts
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.training_record import StageRecord, changed_settings, unknown_settings
from torch import Tensor

LOCK_NAME = ".lock"
SOUND_SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".m4a", ".aac", ".mp3")
GHOSTS_NAME = "ghosts.safetensors"
CORRECTIONS_NAME = "color_correction.safetensors"
EARLIER_CORRECTIONS_NAME = "color_response.safetensors"


@dataclass(frozen=True)
class RunDirectory:
    """Names, reads and writes the files of one training run."""

    path: Path

    @property
    def coarse_path(self) -> Path:
        return self.path / "coarse.safetensors"

    @property
    def static_path(self) -> Path:
        return self.path / "static.safetensors"

    def gop_path(self, index: int) -> Path:
        return self.path / f"gop-{index:04d}.safetensors"

    def checkpoint_path(self, index: int) -> Path:
        return self.path / f"gop-{index:04d}.checkpoint.pt"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While the context is open, no other process trains in this directory.

        Raises:
            RunError: Another one does.
            WriteError: The directory cannot be written.
        """
        check_output(self.path / "config.json")
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK_NAME, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(f"{self.path}: another training is writing to this run") from error
        try:
            yield
        finally:
            lock.release()

    def begin(self, settings: dict[str, Any], identity: Mapping[str, str]) -> None:
        """Write settings and capture into a new run; a run found here must have the same.

        Args:
            settings: Those that `training_record.plain_settings` gives.
            identity: Of the capture, as `datasets.identity.capture_identity` gives it.

        Raises:
            RunError: The run was begun with other settings, with another capture, or by a version
                with other names.
        """
        begun = self.read_config()
        if begun is not None:
            unknown = unknown_settings(begun, settings)
            if unknown:
                names = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
                raise RunError(
                    f"{self.path} was begun by another version of the trainer, with settings that "
                    f"this version does not have ({names}): resume it with that version, or train "
                    "into another folder"
                )
            changed = changed_settings(begun, settings)
            if changed:
                raise RunError(f"{self.path} was begun with other settings: {'; '.join(changed)}")
        self._check_capture(identity)
        self._write_json("config.json", settings)
        self._write_json("capture.json", dict(identity))

    def _check_capture(self, identity: Mapping[str, str]) -> None:
        begun = self.read_identity()
        changed = [] if begun is None else changed_parts(begun, identity)
        if changed:
            names = ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else "")
            raise RunError(
                f"{self.path} was begun with another capture, which differs in: {names}. Train "
                "into another folder, or remove this one"
            )

    def read_config(self) -> dict[str, Any] | None:
        """The settings that the run was begun with; None for a new run."""
        path = self.path / "config.json"
        return _read_json(path) if path.exists() else None

    def read_identity(self) -> dict[str, Any] | None:
        """What the run was begun with tells of its capture; None for a new run."""
        path = self.path / "capture.json"
        return _read_json(path) if path.exists() else None

    def write_stage(self, record: StageRecord) -> None:
        self._write_json(f"{record.stage}.json", asdict(record))

    def read_stages(self) -> list[StageRecord]:
        """Cost of the finished stages, in their order."""
        once = [self.path / f"{stage}.json" for stage in ("coarse", "joint")]
        paths = [*once, *sorted(self.path.glob("gop-*.json"))]
        return [StageRecord(**_read_json(p)) for p in paths if p.exists()]

    def write_summary(self, document: dict[str, Any]) -> None:
        self._write_json("training.json", document)

    @property
    def sound_path(self) -> Path | None:
        """The sound of the capture; None if it had none."""
        return sound_file(self.path)

    def keep_sound(self, capture: Path) -> None:
        """Copy the sound file of a capture, if there is one: it is encoded with the scene."""
        found = sound_file(capture)
        if found is not None and self.sound_path is None:
            write_atomically(
                self.path / found.name, found, lambda to, source: shutil.copyfile(source, to)
            )

    def write_plan(self, meta: SceneMeta, gop_frames: list[int]) -> None:
        self._write_json("run.json", {"meta": asdict(meta), "gop_frames": gop_frames})

    def read_plan(self) -> tuple[SceneMeta, list[int]]:
        try:
            document = json.loads((self.path / "run.json").read_text())
            return _meta(document["meta"]), [int(n) for n in document["gop_frames"]]
        except OSError as error:
            reason = f"run.json cannot be read: {error.strerror}"
            raise RunError(f"{self.path} is not a training run: {reason}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path} is not a training run: run.json has {error!r}") from error

    def write_points(self, positions: Tensor) -> None:
        """[N, 3] points found on the surfaces of the scene before training, world units."""
        _save(self.path / "points.safetensors", {"positions": positions}, {})

    def read_points(self) -> Tensor:
        return _load(self.path / "points.safetensors")[0]["positions"]

    def write_medians(self, medians: dict[str, TemporalMedian]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        tensors = {f"{name}.median": m.image for name, m in medians.items()}
        tensors |= {f"{name}.reliability": m.reliability for name, m in medians.items()}
        _save(self.path / "medians.safetensors", tensors, {})

    def read_medians(self) -> dict[str, TemporalMedian]:
        """The temporal median of every camera, by its name."""
        tensors, _ = _load(self.path / "medians.safetensors")
        names = {key.rpartition(".")[0] for key in tensors}
        return {
            n: TemporalMedian(tensors[f"{n}.median"], tensors[f"{n}.reliability"]) for n in names
        }

    def write_coarse(self, coarse: CanonicalGaussians) -> None:
        _save(self.coarse_path, _tensors(coarse), {})

    def read_coarse(self) -> CanonicalGaussians:
        return _read_gaussians(self.coarse_path)

    def write_static(self, static: CanonicalGaussians) -> None:
        _save(self.static_path, _tensors(static), {})

    def read_static(self) -> CanonicalGaussians:
        return _read_gaussians(self.static_path)

    def write_ghosts(self, ghosts: CanonicalGaussians) -> None:
        """Gaussians that were taken out of the static layer; every GOP starts with them."""
        _save(self.path / GHOSTS_NAME, _tensors(ghosts), {})

    def read_ghosts(self) -> CanonicalGaussians | None:
        """The Gaussians taken out of the static layer; None where none were looked for."""
        path = self.path / GHOSTS_NAME
        return _read_gaussians(path) if path.exists() else None

    def write_color_corrections(self, corrections: Mapping[str, Tensor]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        _save(self.path / CORRECTIONS_NAME, dict(corrections), {})

    def read_color_corrections(self) -> dict[str, Tensor] | None:
        """[3, 4] each, by the camera's name; None where they were not fitted."""
        for name in (CORRECTIONS_NAME, EARLIER_CORRECTIONS_NAME):
            if (self.path / name).exists():
                return _load(self.path / name)[0]
        return None

    @property
    def is_split(self) -> bool:
        """Whether there is a static layer."""
        return bool((self.read_config() or {}).get("static_split", True))

    def write_gop(self, index: int, gop: TrainedGop) -> None:
        tensors = _tensors(gop.canonical) | {"features": gop.features.half()}
        tensors |= {f"field.{name}": t for name, t in gop.field.state_dict().items()}
        described = {"frames": str(gop.frames), "field": json.dumps(asdict(gop.field.config))}
        _save(self.gop_path(index), tensors, described)
        self.drop_checkpoint(index)

    def drop_checkpoint(self, index: int) -> None:
        """A trained GOP needs none; a kill right after it was written can leave one."""
        self.checkpoint_path(index).unlink(missing_ok=True)

    def read_gop(self, index: int) -> TrainedGop:
        path = self.gop_path(index)
        tensors, described = _load(path)
        weights = {n.removeprefix("field."): t for n, t in tensors.items() if "field." in n}
        try:
            field = DeformationField(FieldConfig(**json.loads(described["field"])))
            field.load_state_dict(weights)
            return TrainedGop(
                canonical=CanonicalGaussians.of_tensors(tensors),
                features=tensors["features"].float(),
                field=field.eval(),
                frames=int(described["frames"]),
            )
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise RunError(f"{path} is not a trained GOP: {error}") from error

    def _write_json(self, name: str, document: dict[str, Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        content = json.dumps(document, indent=1).encode()
        write_atomically(self.path / name, content, Path.write_bytes)


class TrainedScene:
    """A finished run as the encoder takes it (`codec.encoder.source.SceneSource`)."""

    def __init__(self, run: RunDirectory, meta: SceneMeta, gops: Sequence[int]) -> None:
        """`gops` are those of the run that make the scene."""
        self.run, self.meta, self.gops, self.gop_count = run, meta, gops, len(gops)
        self.static = run.read_static() if run.is_split else CanonicalGaussians.empty()

    def gop(self, index: int) -> TrainedGop:
        return self.run.read_gop(self.gops[index])


def load_run(path: Path, **changes: Any) -> TrainedScene:
    """Open a finished run; `changes` replace fields of its meta data (title, licence, ...)."""
    run = RunDirectory(path)
    meta, gop_frames = run.read_plan()
    for index in range(len(gop_frames)):
        if not run.gop_path(index).exists():
            raise RunError(f"{path}: GOP {index} is not trained yet; run `train` again to resume")
    return TrainedScene(run, replace(meta, **changes), range(len(gop_frames)))


def sound_file(folder: Path) -> Path | None:
    """The file `audio.*` of a folder, such as audio.wav; None if there is none."""
    found = sorted(folder.glob("audio.*")) if folder.is_dir() else []
    return next((path for path in found if path.suffix.lower() in SOUND_SUFFIXES), None)


def write_atomically(path: Path, content: Any, write: Any) -> None:
    """Write beside, then rename: a kill leaves the old file or the new one, never half of one."""
    with output_file(path) as partial:
        write(partial, content)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise RunError(f"{path} is not what a training run writes")
    return document


def _meta(document: Mapping[str, Any]) -> SceneMeta:
    plain: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in document.items()
    }
    plain["presets"] = tuple(
        CameraPreset(p["name"], tuple(p["position"]), tuple(p["target"]), p["fov_y_rad"])
        for p in document["presets"]
    )
    plain["filmed"] = tuple(
        FilmedView(
            tuple(v["position"]),
            tuple(v["forward"]),
            tuple(v["up"]),
            v["fov_x_rad"],
            v["fov_y_rad"],
        )
        for v in document.get("filmed", ())  # runs of older programs have none
    )
    return SceneMeta(**plain)


def _tensors(canonical: CanonicalGaussians) -> dict[str, Tensor]:
    return canonical.tensors()


def _save(path: Path, tensors: dict[str, Tensor], described: dict[str, str]) -> None:
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write_atomically(path, plain, lambda to, content: save_file(content, to, described))


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as opened:
            return {k: opened.get_tensor(k) for k in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error


def _read_gaussians(path: Path) -> CanonicalGaussians:
    tensors, _ = _load(path)
    return CanonicalGaussians.of_tensors(tensors)


def save_checkpoint(path: Path, state: dict) -> None:
    write_atomically(path, state, lambda to, content: torch.save(content, to))


def load_checkpoint(path: Path, device: torch.device) -> dict:
    """Tensors and plain values only; never runs code from the file."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise RunError(f"{path} cannot be read; without it the GOP starts anew: {error}") from error
