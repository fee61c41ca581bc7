"""What training leaves on disk, and the way back: a `codec.source.SceneSource`.

config.json               the settings it was begun with
run.json                  scene meta and GOP lengths
stills.safetensors        median and its reliability of every camera
coarse.safetensors        what the coarse stage left, before activation; without a static split,
                          the Gaussians that the GOPs start from
static.safetensors        the static layer, from there on the same for all GOPs
color_response.safetensors    what each training camera does to colours, where that was fitted
gop-0000.safetensors      canonical Gaussians, features (fp16) and field of a GOP
gop-0000.checkpoint.pt    a GOP in training; removed once it is done
coarse.json, joint.json, gop-0000.json    what the stage cost
training.json             what all cost, and the settings; written at the end
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from streamstgs.codec.output import output_file
from streamstgs.codec.source import CameraPreset, SceneMeta, TrainedGop
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig
from streamstgs.trainer.coarse.background import StillView
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.optimization.gaussian_parameters import ATTRIBUTES
from streamstgs.trainer.training_record import StageRecord
from torch import Tensor

RESPONSES_NAME = "color_response.safetensors"


@dataclass(frozen=True)
class RunDirectory:
    """Names and reads and writes the files of one training run."""

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

    def write_config(self, settings: dict[str, Any]) -> None:
        self._write_json("config.json", settings)

    def read_config(self) -> dict[str, Any] | None:
        """The settings that the run was begun with; None for a new run."""
        path = self.path / "config.json"
        return _read_json(path) if path.exists() else None

    def write_stage(self, record: StageRecord) -> None:
        self._write_json(f"{record.stage}.json", asdict(record))

    def read_stages(self) -> list[StageRecord]:
        """What the finished stages cost, in their order."""
        once = [self.path / f"{stage}.json" for stage in ("coarse", "joint")]
        paths = [*once, *sorted(self.path.glob("gop-*.json"))]
        return [StageRecord(**_read_json(p)) for p in paths if p.exists()]

    def write_summary(self, document: dict[str, Any]) -> None:
        self._write_json("training.json", document)

    def write_plan(self, meta: SceneMeta, gop_frames: list[int]) -> None:
        self._write_json("run.json", {"meta": asdict(meta), "gop_frames": gop_frames})

    def read_plan(self) -> tuple[SceneMeta, list[int]]:
        try:
            document = json.loads((self.path / "run.json").read_text())
            return _meta(document["meta"]), [int(n) for n in document["gop_frames"]]
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path} is not a training run: {error!r}") from error

    def write_points(self, positions: Tensor) -> None:
        """[N, 3] of what was found on the surfaces of the scene before training, world units."""
        _save(self.path / "points.safetensors", {"positions": positions}, {})

    def read_points(self) -> Tensor:
        return _load(self.path / "points.safetensors")[0]["positions"]

    def write_stills(self, stills: dict[str, StillView]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        tensors = {f"{name}.median": s.median for name, s in stills.items()}
        tensors |= {f"{name}.reliability": s.reliability for name, s in stills.items()}
        _save(self.path / "stills.safetensors", tensors, {})

    def read_stills(self) -> dict[str, StillView]:
        tensors, _ = _load(self.path / "stills.safetensors")
        names = {key.rpartition(".")[0] for key in tensors}
        return {n: StillView(tensors[f"{n}.median"], tensors[f"{n}.reliability"]) for n in names}

    def write_coarse(self, coarse: CanonicalGaussians) -> None:
        _save(self.coarse_path, _tensors(coarse), {})

    def read_coarse(self) -> CanonicalGaussians:
        return _read_gaussians(self.coarse_path)

    def write_static(self, static: CanonicalGaussians) -> None:
        _save(self.static_path, _tensors(static), {})

    def read_static(self) -> CanonicalGaussians:
        return _read_gaussians(self.static_path)

    def write_responses(self, responses: Mapping[str, Tensor]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        _save(self.path / RESPONSES_NAME, dict(responses), {})

    def read_responses(self) -> dict[str, Tensor] | None:
        """[3, 4] each, by the camera's name; None where they were not fitted."""
        path = self.path / RESPONSES_NAME
        return _load(path)[0] if path.exists() else None

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
                canonical=CanonicalGaussians(*(tensors[name] for name in ATTRIBUTES)),
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
    """A finished run as the encoder takes it (`codec.source.SceneSource`)."""

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
    return SceneMeta(**plain)


def _tensors(canonical: CanonicalGaussians) -> dict[str, Tensor]:
    return {name: getattr(canonical, name) for name in ATTRIBUTES}


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
    return CanonicalGaussians(*(tensors[name] for name in ATTRIBUTES))


def save_checkpoint(path: Path, state: dict) -> None:
    write_atomically(path, state, lambda to, content: torch.save(content, to))


def load_checkpoint(path: Path, device: torch.device) -> dict:
    """Tensors and plain values only; never runs code from the file."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise RunError(f"{path} cannot be read; without it the GOP starts anew: {error}") from error
