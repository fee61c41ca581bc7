"""Coloured points: reading PLY, nearest-neighbour spacing, and Gaussians made from points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from renderer import CanonicalGaussians
from trainer.errors import CaptureError

PLY_TYPES = {
    "char": "i1", "uchar": "u1", "short": "<i2", "ushort": "<u2", "int": "<i4", "uint": "<u4",
    "float": "<f4", "double": "<f8", "int8": "i1", "uint8": "u1", "int16": "<i2",
    "uint16": "<u2", "int32": "<i4", "uint32": "<u4", "float32": "<f4", "float64": "<f8",
}  # fmt: skip


@dataclass(frozen=True)
class PointCloud:
    """Args: positions [N, 3] float32, world units; colors [N, 3] float32, 0..1."""

    positions: Tensor
    colors: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: Tensor) -> PointCloud:
        return PointCloud(self.positions[index], self.colors[index])

    def to(self, device: torch.device) -> PointCloud:
        return PointCloud(self.positions.to(device), self.colors.to(device))

    @staticmethod
    def concatenate(parts: list[PointCloud]) -> PointCloud:
        return PointCloud(
            torch.cat([p.positions for p in parts]), torch.cat([p.colors for p in parts])
        )


def read_ply(path: Path) -> PointCloud:
    """Read a little-endian binary PLY with x y z red green blue vertices."""
    data = path.read_bytes()
    end = data.find(b"end_header\n")
    header = data[:end].decode("ascii", errors="replace").splitlines()
    if end < 0 or "format binary_little_endian 1.0" not in header:
        raise CaptureError(f"{path} is not a binary little-endian PLY")
    try:
        count = next(int(h.split()[2]) for h in header if h.startswith("element vertex"))
        properties = [h.split() for h in header if h.startswith("property")]
        layout = np.dtype([(name, PLY_TYPES[kind]) for _, kind, name in properties])
        vertices = np.frombuffer(data, layout, count, offset=end + len(b"end_header\n"))
        positions = np.stack([vertices[k] for k in "xyz"], -1).astype(np.float32)
        colors = np.stack([vertices[k] for k in ("red", "green", "blue")], -1) / np.float32(255)
    except (StopIteration, KeyError, ValueError) as error:
        raise CaptureError(f"{path} cannot be read: {error!r}") from error
    return PointCloud(torch.from_numpy(positions), torch.from_numpy(colors))


def write_ply(path: Path, points: PointCloud) -> None:
    """Write what `read_ply` reads."""
    layout = np.dtype([(k, "<f4") for k in "xyz"] + [(k, "u1") for k in ("red", "green", "blue")])
    vertices = np.zeros(len(points), layout)
    for axis, (place, color) in enumerate(zip("xyz", ("red", "green", "blue"), strict=True)):
        vertices[place] = points.positions[:, axis].cpu().numpy()
        vertices[color] = (points.colors[:, axis].clamp(0, 1) * 255).round().cpu().numpy()
    properties = [f"property float {k}" for k in "xyz"]
    properties += [f"property uchar {k}" for k in ("red", "green", "blue")]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    text = "\n".join([*header, *properties, "end_header", ""])
    path.write_bytes(text.encode("ascii") + vertices.tobytes())


def neighbour_distance(positions: Tensor, neighbours: int = 3, chunk: int = 2048) -> Tensor:
    """[N] root mean square distance to the nearest few points, world units."""
    count = min(neighbours, len(positions) - 1)
    nearest = [
        torch.cdist(part, positions).topk(count + 1, largest=False).values[:, 1:]
        for part in positions.split(chunk)
    ]
    return torch.cat(nearest).square().mean(dim=1).sqrt()


def gaussians_from_points(points: PointCloud, opacity: float) -> CanonicalGaussians:
    """Round Gaussians, one a point, as wide as the points are apart."""
    count, device = len(points), points.positions.device
    spacing = neighbour_distance(points.positions).clamp(min=1e-6)
    quats = torch.zeros(count, 4, device=device)
    quats[:, 0] = 1
    return CanonicalGaussians(
        means=points.positions,
        quats=quats,
        log_scales=spacing.log()[:, None].repeat(1, 3),
        opacity_logits=torch.full((count,), math.log(opacity / (1 - opacity)), device=device),
        colors=points.colors,
    )
