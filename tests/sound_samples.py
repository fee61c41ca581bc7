"""Sounds for tests, and a scene directory that has one."""

from __future__ import annotations

import json
import wave
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.encoder.sound_encoding import write_sound
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.sound_track import RATE_HZ

from tests.golden.make_golden import golden_scene


def tone_with_claps(seconds: float, claps_s: tuple[float, ...]) -> NDArray[np.int16]:
    """[n, 2] a quiet tone with loud clicks of 5 ms; the right channel is half as loud."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    left = 800 * np.sin(2 * np.pi * 440 * time_s)
    for clap_s in claps_s:
        at = round(clap_s * RATE_HZ)
        noise = np.random.default_rng(1).normal(0, 9000, round(0.005 * RATE_HZ))
        left[at : at + len(noise)] += noise[: len(left[at : at + len(noise)])]
    return np.stack([left, left / 2], axis=1).clip(-32767, 32767).astype(np.int16)


def write_wav(path: Path, samples: NDArray[np.int16], rate_hz: int = RATE_HZ) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.tobytes())
    return path


def scene_with_sound(folder: Path, samples: NDArray[np.int16]) -> Path:
    """A golden scene, unpacked, that got this sound (longer than its pictures)."""
    root = folder / "scene"
    with zipfile.ZipFile(golden_scene("hevc")) as archive:
        archive.extractall(root)
    (root / "sound").mkdir()

    def write(name: str, data: bytes) -> FileEntry:
        (root / name).write_bytes(data)
        return FileEntry.of(name, data)

    wav = write_wav(folder / "sound.wav", samples)
    track = write_sound(wav, len(samples) / RATE_HZ, write)
    manifest = read_manifest((root / "scene.json").read_bytes())
    (root / "scene.json").write_bytes(write_manifest(replace(manifest, sound=track)))
    return root


def document_of(root: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((root / "scene.json").read_text())
    return loaded
