"""A copy of a capture through lenses with distortion, as a COLMAP model beside videos.

    python -m benchmarks.distorted_capture capture/ distorted/

Reading the copy gives the pictures and cameras of the original again: the lens is chosen so that
the largest picture without empty pixels is that of the original. So a training of the copy shows
what undoing a distortion costs. The same scene comes out, in the same world:

    streamstgs train capture/ -o run-a
    streamstgs train distorted/ -o run-b --capture.held-out NAMES
    streamstgs encode run-a -o a.stgs
    streamstgs encode run-b -o b.stgs
    streamstgs evaluate a.stgs --data capture/
    streamstgs evaluate b.stgs --data capture/

The last two should differ by less than 0.3 dB of PSNR; both are compared with the original frames.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from streamstgs.renderer import Camera
from streamstgs.renderer.rotations import quaternion_of
from streamstgs.trainer.datasets import Capture, CaptureConfig, CapturedView, open_capture
from streamstgs.trainer.datasets.lens import Lens
from streamstgs.trainer.datasets.resampling import resampled
from streamstgs.trainer.datasets.undistortion import directions, undistortion
from streamstgs.trainer.points.point_cloud import read_point_file

BT709 = 1  # colour matrix of ITU-T H.273
QUANTISER = "4"
FRAMES_AT_ONCE = 20
ROUNDS, CLOSE_ENOUGH_PX = 100, 1e-4


def distorting_lens(camera: Camera, distortion: Sequence[float]) -> Lens:
    """The OPENCV lens with this distortion (k1, k2, p1, p2) whose undistorted picture is that of
    a pinhole camera.

    Raises:
        ValueError: there is none; the distortion is too strong.
    """
    K = camera.K.double().numpy()
    focal, center = K[[0, 1], [0, 1]], K[:2, 2]
    lens_focal, lens_center = focal.copy(), center.copy()
    for _ in range(ROUNDS):
        inner = (*lens_focal.tolist(), *lens_center.tolist())
        params = (*inner, *map(float, distortion))
        lens = Lens("OPENCV", camera.width, camera.height, params)
        found = undistortion(lens)
        if found is None or np.abs(found.K - K).max() < CLOSE_ENOUGH_PX:
            return lens
        lens_focal *= focal / found.K[[0, 1], [0, 1]]
        lens_center += center - found.K[:2, 2]
    raise ValueError(f"no lens with the distortion {list(distortion)} shows the same picture")


def _places(camera: Camera, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the lens lies in the picture of the pinhole camera."""
    x, y = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    seen = directions(lens, np.stack([x.ravel(), y.ravel()], axis=-1))
    K = camera.K.double().numpy()
    places = (seen * (K[0, 0], K[1, 1]) + (K[0, 2], K[1, 2]) - 0.5).reshape(*x.shape, 2)
    return tuple(np.ascontiguousarray(p, np.float32) for p in np.moveaxis(places, 2, 0))  # type: ignore[return-value]


def write_copy(capture: Capture, out: Path, distortion: Sequence[float]) -> None:
    """Write the distorted videos and the model to a new folder.

    Raises:
        ValueError: the distortion is too strong.
        FileExistsError: the folder is there.
    """
    lenses = [distorting_lens(view.camera, distortion) for view in capture.views]
    model = out / "sparse" / "0"
    model.mkdir(parents=True)

    def write(view: CapturedView, lens: Lens) -> None:
        _write_video(out / f"{view.name}.mp4", view, lens, capture)
        print(view.name, file=sys.stderr)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding and resampling hold no lock
        list(pool.map(write, capture.views, lenses))
    (model / "cameras.txt").write_text(
        "".join(
            f"{k} {lens.model} {lens.width} {lens.height} {' '.join(map(repr, lens.params))}\n"
            for k, lens in enumerate(lenses, start=1)
        )
    )
    (model / "images.txt").write_text(
        "".join(_image_lines(k, view) for k, view in enumerate(capture.views, start=1))
    )
    (model / "points3D.txt").write_text("".join(_point_lines(capture)))


def _write_video(path: Path, view: CapturedView, lens: Lens, capture: Capture) -> None:
    places = _places(view.camera, lens)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(capture.fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = lens.width, lens.height, "yuv444p"
        stream.options = {"qp": QUANTISER, "preset": "veryfast"}
        stream.codec_context.colorspace = BT709
        for first in range(0, capture.frames, FRAMES_AT_ONCE):
            frames = range(first, min(first + FRAMES_AT_ONCE, capture.frames))
            for picture in view.reader.read(frames):
                shown = av.VideoFrame.from_ndarray(resampled(picture, *places), format="rgb24")
                coded = shown.reformat(format="yuv444p", dst_colorspace="ITU709")
                container.mux(stream.encode(coded))
        container.mux(stream.encode())


def _image_lines(number: int, view: CapturedView) -> str:
    """Pose of an image, rotation wxyz first, and an empty line for its points."""
    viewmat = view.camera.viewmat.double().numpy()
    values = [*quaternion_of(viewmat[:3, :3]), *viewmat[:3, 3]]
    return f"{number} {' '.join(repr(float(v)) for v in values)} {number} {view.name}.png\n\n"


def _point_lines(capture: Capture) -> Iterator[str]:
    if capture.points_path is None:
        return
    points = read_point_file(capture.points_path)
    colors = (points.colors * 255).round().int().tolist()
    for number, (place, color) in enumerate(zip(points.positions.tolist(), colors, strict=True)):
        yield f"{number + 1} {' '.join(map(repr, place))} {' '.join(map(str, color))} 0\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distorted_capture")
    parser.add_argument("data", type=Path, help="Folder of the capture.")
    parser.add_argument("out", type=Path, help="New folder for the copy.")
    parser.add_argument("--frames", type=int, help="Copy only so many frames.")
    parser.add_argument(
        "--distortion", type=float, nargs=4, metavar=("K1", "K2", "P1", "P2"),
        default=(-0.18, 0.03, 0.0004, -0.0003), help="Of the OPENCV lens model.",
    )  # fmt: skip
    options = parser.parse_args()
    capture = open_capture(options.data, CaptureConfig(frames=options.frames))
    write_copy(capture, options.out, options.distortion)
    held_out = " ".join(v.name for v in capture.split("test"))
    print(f"streamstgs train {options.out} -o RUN --capture.held-out {held_out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
