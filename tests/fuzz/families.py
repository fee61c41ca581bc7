"""What is fuzzed: for each family, how a mutant is made and what reads it."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import safetensors.numpy
from PIL import Image

from tests.fuzz.mutate import json_bytes, mutated_boxes, mutated_bytes, mutated_json

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@dataclass(frozen=True)
class Family:
    """A family of inputs.

    Args:
        make: the mutant of a random generator.
        read: reads a mutant as the program would; raises what it raises.
        expected: errors that a damaged input may raise.
    """

    make: Callable[[Random], Any]
    read: Callable[[Any], object]
    expected: tuple[type[BaseException], ...]


# Scene packages, with lengths and checksums repaired so that mutants reach the parsers.


@cache
def _scenes() -> tuple[dict[str, bytes], ...]:
    return tuple(_unzipped(path) for path in sorted(GOLDEN.glob("*.stgs")))


def _unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _make_scene(rng: Random) -> bytes:
    files = dict(rng.choice(_scenes()))
    document = json.loads(files["scene.json"])
    if rng.random() < 0.5:
        document = mutated_json(document, rng)
    else:
        name = rng.choice([n for n in files if n != "scene.json"])
        is_video = name.endswith((".m4s", ".mp4")) and rng.random() < 0.7
        files[name] = (mutated_boxes if is_video else mutated_bytes)(files[name], rng)
        _declare(document, name, files[name])
    files["scene.json"] = json_bytes(document)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    data = packed.getvalue()
    return mutated_bytes(data, rng) if rng.random() < 0.1 else data


def _declare(node: Any, name: str, content: bytes) -> None:
    """Write the length and checksum of a file wherever the document names it."""
    if isinstance(node, dict):
        if node.get("name") == name:
            node.update(size_bytes=len(content), crc32=zlib.crc32(content))
            node.pop("sha256", None)
        for value in node.values():
            _declare(value, name, content)
    elif isinstance(node, list):
        for value in node:
            _declare(value, name, content)


def _read_scene(data: bytes) -> None:
    from streamstgs.codec.scene import open_scene

    with tempfile.NamedTemporaryFile(suffix=".stgs") as file:
        file.write(data)
        file.flush()
        with open_scene(file.name) as scene:
            static = scene.read_static()
            assert len(static) <= 8_000_000
            for gop in range(min(scene.gop_count, 2)):
                decoded = scene.decode_gop(gop, scene.qualities[-1])
                decoded.gaussians_at(0)


@cache
def _keep_decoded_images() -> None:
    """Decode the images of the unchanged scenes once: most of a mutant's files are unchanged."""
    import imagecodecs

    decode = imagecodecs.jpegxl_decode
    known = {
        data
        for files in _scenes()
        for name, content in files.items()
        if name.endswith(".planes")
        for data in map(bytes, safetensors.numpy.load(content).values())
    }
    decoded: dict[tuple[bytes, tuple[int, ...], str], np.ndarray] = {}

    def remembered(
        data: bytes, *, numthreads: int | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        if out is None:  # the tests run in one process: other callers are served as before
            return decode(data, numthreads=numthreads)
        key = data, out.shape, out.dtype.str
        if key in decoded:
            out[...] = decoded[key]
            return out
        decode(data, numthreads=numthreads, out=out)
        if data in known:
            decoded[key] = out.copy()
        return out

    imagecodecs.jpegxl_decode = remembered


def scene() -> Family:
    from streamstgs.codec.errors import CodecError

    _keep_decoded_images()
    return Family(_make_scene, _read_scene, (CodecError,))


# Sound of scene packages


@cache
def _sound() -> tuple[bytes, tuple[tuple[bytes, int], ...]]:
    """Initialisation segment, and two media segments with their numbers of samples."""
    from streamstgs.codec.sound.sound_coding import encode_sound

    wave = (3000 * np.sin(np.arange(110_400) / 17)).astype(np.int16)  # 2.3 s
    init, _, segments = encode_sound(np.stack([wave, wave // 2], axis=1))
    return init, tuple(segments)


def _make_sound(rng: Random) -> tuple[bytes, bytes | None, bytes]:
    init, ((before, _), (media, _)) = _sound()
    parts = [init, before, media]
    for _ in range(rng.choice((1, 1, 2))):
        k = rng.randrange(3)
        parts[k] = (mutated_boxes if rng.random() < 0.6 else mutated_bytes)(parts[k], rng)
    return parts[0], parts[1] if rng.random() < 0.7 else None, parts[2]


def _read_sound(mutant: tuple[bytes, bytes | None, bytes]) -> None:
    from streamstgs.codec.sound.sound_coding import decode_sound

    _, ((_, earlier), (_, count)) = _sound()
    init, before, media = mutant
    samples = decode_sound(init, before, media, (2, earlier, count), "sound")
    assert samples.shape == (count, 2)


def sound() -> Family:
    from streamstgs.codec.errors import CodecError

    return Family(_make_sound, _read_sound, (CodecError,))


# Captures


@cache
def _capture() -> Path:
    """A capture with images and one with videos, in a folder that lives as long as the process."""
    from tests.written_captures import CAMERAS, FRAMES, entry, picture, write_cameras, write_video

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for camera in range(CAMERAS):
        (folder / "ims" / str(camera)).mkdir(parents=True)
        for frame in range(FRAMES):
            path = folder / "ims" / str(camera) / f"{frame:03d}.png"
            Image.fromarray(picture(camera, frame)).save(path)
        write_video(folder / f"cam{camera}.mp4", camera)
    write_cameras(folder, [entry(k, video=f"cam{k}.mp4") if k else entry(k) for k in range(4)])
    return folder


def _make_cameras(rng: Random) -> bytes:
    document = json.loads((_capture() / "cameras.json").read_text())
    if rng.random() < 0.8:
        return json_bytes(mutated_json(document, rng))
    return mutated_bytes(json_bytes(document), rng)


def _read_cameras(data: bytes) -> None:
    from streamstgs.trainer.datasets import check_capture, open_capture

    folder = _capture()
    (folder / "cameras.json").rename(folder / "kept.json")
    try:
        (folder / "cameras.json").write_bytes(data)
        check_capture(open_capture(folder))
    finally:
        (folder / "kept.json").rename(folder / "cameras.json")


@cache
def _keep_what_files_say() -> None:
    """Read the recordings of a capture once: the mutants of these families are its calibration."""
    from streamstgs.trainer.datasets import readers
    from streamstgs.trainer.datasets.video_file import VideoFile

    for name in ("times", "first_size", "says_matrix"):
        setattr(VideoFile, name, cache(getattr(VideoFile, name)))
    readers.read_image = cache(readers.read_image)  # type: ignore[assignment]


def _captured(make: Callable[[Random], Any], read: Callable[[Any], object]) -> Family:
    from streamstgs.trainer.errors import TrainerError

    return Family(make, read, (TrainerError,))


def cameras() -> Family:
    _keep_what_files_say()
    return _captured(_make_cameras, _read_cameras)


@cache
def _poses() -> bytes:
    rows = []
    for camera in range(4):
        pose = np.zeros((3, 5))
        pose[:, 0], pose[:, 1], pose[:, 2] = (0, -1, 0), (1, 0, 0), (0, 0, 1)
        pose[:, 3], pose[:, 4] = (camera, 0, 4), (48, 64, 60)
        rows.append(np.concatenate([pose.ravel(), [1, 10]]))
    file = io.BytesIO()
    np.save(file, np.stack(rows))
    return file.getvalue()


def _make_poses(rng: Random) -> bytes:
    return mutated_bytes(_poses(), rng)


@cache
def _neural() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for video in _capture().glob("cam*.mp4"):
        shutil.copy(video, folder)
    return folder


def _read_poses(data: bytes) -> None:
    from streamstgs.trainer.datasets import check_capture, open_capture

    folder = _neural()
    (folder / "poses_bounds.npy").write_bytes(data)
    check_capture(open_capture(folder))


def poses() -> Family:
    _keep_what_files_say()
    return _captured(_make_poses, _read_poses)


# Captures in the layouts of other programs


@cache
def _model() -> tuple[Path, dict[str, bytes]]:
    """A capture with a COLMAP model, and the files of the model by their names."""
    from tests.capture_samples import colmap_capture

    folder = colmap_capture(Path(tempfile.mkdtemp(prefix="fuzz-")))
    colmap_capture(text := Path(tempfile.mkdtemp(prefix="fuzz-")), text=True)
    kept = {}
    for source, suffix in ((folder, "bin"), (text, "txt")):
        for part in ("cameras", "images", "points3D"):
            name = f"{part}.{suffix}"
            kept[name] = (source / "sparse" / "0" / name).read_bytes()
    shutil.rmtree(folder / "sparse")
    return folder, kept


def _make_model(rng: Random) -> dict[str, bytes]:
    suffix = rng.choice(("bin", "txt"))
    files = {name: data for name, data in _model()[1].items() if name.endswith(suffix)}
    name = rng.choice(sorted(files))
    return files | {name: mutated_bytes(files[name], rng)}


def _read_model(files: dict[str, bytes]) -> None:
    from streamstgs.trainer.datasets import check_capture, open_capture
    from streamstgs.trainer.points.point_cloud import read_point_file

    folder = _model()[0]
    try:
        (folder / "sparse").mkdir()
        for name, data in files.items():
            (folder / "sparse" / name).write_bytes(data)
        capture = open_capture(folder)
        check_capture(capture)
        if capture.points_path:
            read_point_file(capture.points_path)
    finally:
        shutil.rmtree(folder / "sparse", ignore_errors=True)


def colmap() -> Family:
    return _captured(_make_model, _read_model)


@cache
def _documents() -> tuple[tuple[Path, str, dict[str, Any]], ...]:
    """Captures, and the document of each that says where its cameras stand."""
    from tests.capture_samples import (
        dynamic_capture,
        names,
        transforms_entry,
        write_transforms,
        write_videos,
    )
    from tests.capture_scene import ring_cameras

    dynamic = dynamic_capture(Path(tempfile.mkdtemp(prefix="fuzz-")))
    studio = Path(tempfile.mkdtemp(prefix="fuzz-"))
    write_videos(studio)
    cameras = zip(names(), ring_cameras(len(names())), strict=True)
    write_transforms(studio, [transforms_entry(c, f"{n}.mp4", k1=-0.01) for n, c in cameras])
    return tuple(
        (folder, name, json.loads((folder / name).read_text()))
        for folder, name in ((dynamic, "train_meta.json"), (studio, "transforms.json"))
    )


def _make_layout(rng: Random) -> tuple[int, bytes]:
    which = rng.randrange(2)
    document = json_bytes(mutated_json(json.loads(json.dumps(_documents()[which][2])), rng))
    return which, document if rng.random() < 0.8 else mutated_bytes(document, rng)


def _read_layout(mutant: tuple[int, bytes]) -> None:
    from streamstgs.trainer.datasets import check_capture, open_capture

    folder, name, _ = _documents()[mutant[0]]
    (folder / name).write_bytes(mutant[1])
    check_capture(open_capture(folder))


def layout() -> Family:
    return _captured(_make_layout, _read_layout)


def _make_video(rng: Random) -> bytes:
    data = (_capture() / f"cam{rng.randrange(4)}.mp4").read_bytes()
    return (mutated_boxes if rng.random() < 0.6 else mutated_bytes)(data, rng)


def _read_video(data: bytes) -> None:
    from streamstgs.trainer.datasets.readers import VideoReader

    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(data)
        file.flush()
        reader = VideoReader("0", Path(file.name), 32, 24)
        reader.check(6)
        reader.read(range(6))


def video() -> Family:
    return _captured(_make_video, _read_video)


@cache
def _images() -> tuple[tuple[str, bytes], ...]:
    from tests.written_captures import picture

    found = []
    for kind in ("png", "jpeg", "webp", "tiff", "bmp"):
        file = io.BytesIO()
        Image.fromarray(picture(1, 2)).save(file, kind)
        found.append((kind, file.getvalue()))
    return tuple(found)


def _make_image(rng: Random) -> tuple[str, bytes]:
    kind, data = rng.choice(_images())
    return kind, mutated_bytes(data, rng)


def _read_image(mutant: tuple[str, bytes]) -> None:
    from streamstgs.trainer.datasets.image_file import read_image

    with tempfile.NamedTemporaryFile(suffix=f".{mutant[0]}") as file:
        file.write(mutant[1])
        file.flush()
        read_image(Path(file.name), "0", (32, 24))


def image() -> Family:
    return _captured(_make_image, _read_image)


@cache
def _clouds() -> tuple[bytes, ...]:
    head = "ply\nformat {} 1.0\nelement vertex 5\n"
    head += "".join(f"property float {k}\n" for k in "xyz")
    head += "".join(f"property uchar {k}\n" for k in ("red", "green", "blue")) + "end_header\n"
    layout = [(k, "<f4") for k in "xyz"] + [(k, "u1") for k in ("r", "g", "b")]
    little = np.ones(5, layout)
    text = "\n".join("1 2 3 4 5 6" for _ in range(5)).encode()
    bodies = {"ascii": text, "binary_little_endian": little.tobytes()}
    bodies["binary_big_endian"] = little.astype(
        [(n, k.replace("<", ">")) for n, k in layout]
    ).tobytes()
    return tuple(head.format(form).encode() + body for form, body in bodies.items())


def _make_ply(rng: Random) -> bytes:
    return mutated_bytes(rng.choice(_clouds()), rng)


def _read_ply(data: bytes) -> None:
    from streamstgs.trainer.points.ply import read_points

    with tempfile.NamedTemporaryFile(suffix=".ply") as file:
        file.write(data)
        file.flush()
        read_points(Path(file.name))


def ply() -> Family:
    return _captured(_make_ply, _read_ply)


# Splat files, sequences and research files. Native decoders run in a process of their own, as in
# the program; the process is kept between mutants.


@cache
def _splat_files() -> tuple[tuple[str, bytes], ...]:
    from tests.exchange_samples import glb, gltf
    from tests.splat_samples import (
        dynamic_arrays,
        made_up,
        npz,
        packed,
        ply_4d,
        spacetime_ply,
        splat_file,
    )

    raw = made_up(40, degree=1)
    found = [(kind, splat_file(raw, kind)) for kind in ("ply", "splat", "compressed.ply", "ksplat")]
    spz = zlib.decompress(packed(raw, "spz"), 31)
    found += [("glb", glb(raw)), ("gltf", gltf(raw)), ("ply", ply_4d(10, 4))]
    found += [("4dgs", _fourdgs_file())]
    return (*found, ("spz", spz), ("ply", spacetime_ply(10)), ("npz", npz(dynamic_arrays(2, 5))))


def _fourdgs_file() -> bytes:
    from streamstgs.codec.formats.exchange.fourdgs_writer import FourdgsWriter

    from tests.splat_samples import made_up

    writer = FourdgsWriter(30.0, (0.0, -1.0, 0.0), "clip")
    for frame in range(2):
        writer.add(made_up(40, degree=1, seed=frame))
    return writer.content()


def _make_splats(rng: Random) -> tuple[str, bytes]:
    kind, data = rng.choice(_splat_files())
    header = data.find(b"end_header")
    if header > 0 and rng.random() < 0.5:  # most of a PLY's traps are in its header
        return kind, mutated_bytes(data[:header], rng) + data[header:]
    if kind == "glb" and rng.random() < 0.8:  # those of a .glb in its JSON
        return kind, _mutated_glb(data, rng)
    if kind == "gltf" and rng.random() < 0.8:
        return kind, json_bytes(mutated_json(json.loads(data), rng))
    changed = mutated_bytes(data, rng)
    if kind == "spz" and rng.random() < 0.9:
        changed = gzip.compress(changed, 1)  # a whole stream with wrong content
    return kind, changed


def _mutated_glb(data: bytes, rng: Random) -> bytes:
    from tests.exchange_samples import glb_file

    end = 20 + int.from_bytes(data[12:16], "little")
    document = mutated_json(json.loads(data[20:end]), rng)
    return glb_file(document, data[end + 8 :])


@cache
def _sog_files() -> tuple[dict[str, bytes], ...]:
    """The files of the second version, and of the first."""
    from tests.exchange_samples import sog_v1_files
    from tests.splat_samples import made_up, packed

    raw = made_up(40, degree=1)
    with zipfile.ZipFile(io.BytesIO(packed(raw, "sog"))) as archive:
        second = {name: archive.read(name) for name in archive.namelist()}
    return second, sog_v1_files(raw)


def _make_sog(rng: Random) -> tuple[str, bytes]:
    files = dict(rng.choice(_sog_files()))
    if rng.random() < 0.5:
        files["meta.json"] = json_bytes(mutated_json(json.loads(files["meta.json"]), rng))
    else:
        name = rng.choice(sorted(files))
        files[name] = mutated_bytes(files[name], rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as a:
        for name, content in files.items():
            a.writestr(name, content)
    data = packed.getvalue()
    return "sog", mutated_bytes(data, rng) if rng.random() < 0.3 else data


def _read_splats(mutant: tuple[str, bytes]) -> None:
    from streamstgs.codec.formats import splat_readers
    from streamstgs.codec.formats.exchange import fourdgs_file
    from streamstgs.codec.formats.registry import open_reader

    kind, data = mutant
    for module in (splat_readers, fourdgs_file):
        module.Converter = _kept_converter  # type: ignore[assignment, misc]
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        file.write(data)
        file.flush()
        with open_reader(file.name) as reader:
            segment = reader.segment(0)
            for time_s in (0.0, 0.5, 99.0):
                gaussians = segment.gaussians_at(time_s)
                for tensor in gaussians.tensors().values():
                    assert bool(tensor.isfinite().all())


@cache
def _kept_converter() -> Any:
    from streamstgs.codec.formats.converter import Converter

    class Kept(Converter):
        """Its process serves the next mutant; after a crash it starts again."""

        def close(self) -> None:
            if self._process is not None and self._process.poll() is not None:
                super().close()

    return Kept(limit_s=10.0)


def splats() -> Family:
    from streamstgs.codec.errors import CodecError

    return Family(_make_splats, _read_splats, (CodecError,))


def sog() -> Family:
    from streamstgs.codec.errors import CodecError

    return Family(_make_sog, _read_splats, (CodecError,))


def selftest() -> Family:
    """Ends in every way there is, to test the harness itself; not part of `all`."""

    def read(way: str) -> None:
        if way == "refused":
            raise ValueError("expected")
        if way == "foreign":
            raise KeyError("not expected")
        if way == "memory":
            raise MemoryError
        if way == "crashes":
            os.abort()

    ways = ("refused", "accepted", "foreign", "memory", "crashes")
    return Family(lambda rng: rng.choice(ways), read, (ValueError,))


FAMILIES: dict[str, Callable[[], Family]] = {
    "scene": scene, "sound": sound, "cameras": cameras, "poses": poses, "colmap": colmap,
    "layout": layout, "video": video, "image": image, "ply": ply,
    "splats": splats, "sog": sog,
    "selftest": selftest,
}  # fmt: skip
