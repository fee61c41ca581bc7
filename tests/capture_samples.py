"""Small captures in the layouts of other programs: the same ring of cameras, told in many ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import imageio.v3 as iio
import numpy as np
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.lens import Lens, pinhole

from tests.capture_scene import HEIGHT, WIDTH, ring_cameras

FRAMES, CAMERAS, FPS = 5, 4, 12
OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


def names(count: int = CAMERAS) -> list[str]:
    return [f"cam{k:02d}" for k in range(count)]


def lens_of(camera: Camera) -> Lens:
    return pinhole(camera.K.double().numpy(), camera.width, camera.height)


def viewmat_of(camera: Camera) -> np.ndarray:
    """[4, 4] float64, its rotation exact."""
    viewmat = camera.viewmat.double().numpy().copy()
    u, _, v = np.linalg.svd(viewmat[:3, :3])
    viewmat[:3, :3] = u @ v
    return viewmat


def picture(camera: int, frame: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Grey says which camera and frame."""
    return np.full((size[1], size[0], 3), 40 * camera + 8 * frame + 10, np.uint8)


def write_video(path: Path, pictures: list[np.ndarray], fps: int = FPS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"qp": "2"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for pixels in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def write_videos(folder: Path, cameras: int = CAMERAS, frames: int = FRAMES) -> None:
    for number, name in enumerate(names(cameras)):
        write_video(folder / f"{name}.mp4", [picture(number, k) for k in range(frames)])


def write_images(folder: Path, cameras: int = CAMERAS, frames: int = FRAMES) -> None:
    for number, name in enumerate(names(cameras)):
        (folder / name).mkdir(parents=True)
        for frame in range(frames):
            iio.imwrite(folder / name / f"{frame:04d}.png", picture(number, frame))


def write_colmap(
    folder: Path,
    images: list[tuple[str, Lens, np.ndarray]],
    points: np.ndarray | None = None,
    text: bool = False,
) -> None:
    """A model as pycolmap writes it. Args: images: name, lens, world-to-camera matrix."""
    import pycolmap

    model = pycolmap.Reconstruction()
    for number, (name, lens, viewmat) in enumerate(images, start=1):
        model.add_camera_with_trivial_rig(
            pycolmap.Camera(
                camera_id=number, model=lens.model, width=lens.width, height=lens.height,
                params=list(lens.params),
            )
        )  # fmt: skip
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(viewmat[:3, :3]), viewmat[:3, 3])
        image = pycolmap.Image(name=name, camera_id=number, image_id=number)
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(np.array([3.0, 4.0]))])
        model.add_image_with_trivial_frame(image, pose)
    for point in points if points is not None else []:
        track = pycolmap.Track()
        track.add_element(1, 0)
        model.add_point3D(point, track, np.array([255, 128, 0], np.uint8))
    folder.mkdir(parents=True, exist_ok=True)
    (model.write_text if text else model.write_binary)(str(folder))


def colmap_capture(folder: Path, suffix: str = ".png", text: bool = False) -> Path:
    """Videos of the ring and a model with one image of each."""
    write_videos(folder)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    images = [(f"{name}{suffix}", lens_of(c), viewmat_of(c)) for name, c in cameras]
    write_colmap(folder / "sparse" / "0", images, np.array([[0.1, 0.2, 0.3]]), text)
    return folder


def transforms_entry(camera: Camera, file_path: str, **more: Any) -> dict[str, Any]:
    pose = np.linalg.inv(viewmat_of(camera)) @ OPENGL
    return {"file_path": file_path, "transform_matrix": pose.tolist()} | more


def intrinsics(camera: Camera) -> dict[str, Any]:
    fx, fy, cx, cy = (camera.K[i, j].item() for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, "w": WIDTH, "h": HEIGHT}


def write_transforms(folder: Path, entries: list[dict[str, Any]], **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = intrinsics(ring_cameras(1)[0]) | more | {"frames": entries}
    (folder / "transforms.json").write_text(json.dumps(document))


def dynamic_capture(folder: Path) -> Path:
    """The layout of Dynamic 3D Gaussians; camera 0 is held out, points are given."""
    write_images(folder / "ims")
    for split, numbers in (("train", range(1, CAMERAS)), ("test", range(1))):
        cameras = [ring_cameras(CAMERAS)[k] for k in numbers]
        row = [names()[k] for k in numbers]
        document = {
            "w": WIDTH, "h": HEIGHT, "cam_id": [row] * FRAMES,
            "k": [[c.K.tolist() for c in cameras]] * FRAMES,
            "w2c": [[c.viewmat.tolist() for c in cameras]] * FRAMES,
            "fn": [[f"{name}/{frame:04d}.png" for name in row] for frame in range(FRAMES)],
        }  # fmt: skip
        (folder / f"{split}_meta.json").write_text(json.dumps(document))
    points = np.array([[0.1, 0.2, 0.3, 1, 0.5, 0, 1]])
    np.savez(folder / "init_pt_cld.npz", data=points)
    return folder
