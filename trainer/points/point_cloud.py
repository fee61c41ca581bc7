"""Coloured points: nearest-neighbour spacing, and Gaussians made from points."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.datasets.colmap_model import read_model_points
from streamstgs.trainer.datasets.dynamic_3d_gaussians import read_npz_points
from streamstgs.trainer.points.ply import read_points
from streamstgs.trainer.points.projection import distances
from torch import Tensor

SURFEL_WIDTH = 5.0  # of its thickness


@dataclass(frozen=True)
class PointCloud:
    """Args: positions [N, 3] float32, world units; colors [N, 3] float32, 0..1."""

    positions: Tensor
    colors: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: Tensor | slice) -> PointCloud:
        return PointCloud(self.positions[index], self.colors[index])

    def to(self, device: torch.device) -> PointCloud:
        return PointCloud(self.positions.to(device), self.colors.to(device))

    @staticmethod
    def concatenate(parts: list[PointCloud]) -> PointCloud:
        return PointCloud(
            torch.cat([p.positions for p in parts]), torch.cat([p.colors for p in parts])
        )


def read_ply(path: Path) -> PointCloud:
    """Read the coloured points of a PLY file. Raises CaptureError; see `ply.read_points`."""
    positions, colors = read_points(path)
    return PointCloud(torch.from_numpy(positions), torch.from_numpy(colors))


def read_point_file(path: Path) -> PointCloud:
    """Read coloured points: `.bin` or `.txt` of a COLMAP model, `.npz` of Dynamic 3D Gaussians, or
    a PLY file. Raises CaptureError."""
    if path.suffix in (".bin", ".txt"):
        positions, colors = read_model_points(path)
    elif path.suffix == ".npz":
        positions, colors = read_npz_points(path)
    else:
        positions, colors = read_points(path)
    return PointCloud(torch.from_numpy(positions), torch.from_numpy(colors))


def write_ply(path: Path, points: PointCloud) -> None:
    """Write a PLY file that `read_ply` reads."""
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
    """[N] root mean square distance to the nearest few points, world units; 0 for a lone point."""
    if len(positions) < 2:
        return torch.zeros(len(positions), device=positions.device)
    count = min(neighbours, len(positions) - 1)
    nearest = [
        distances(part, positions).topk(count + 1, largest=False).values[:, 1:]
        for part in positions.split(chunk)
    ]
    return torch.cat(nearest).square().mean(dim=1).sqrt()


def normals(positions: Tensor, neighbours: int = 12, chunk: int = 2048) -> Tensor:
    """[N, 3] unit vectors along which the neighbourhood of each point is thinnest; z >= 0."""
    count, found = min(neighbours, len(positions)), []
    for part in positions.split(chunk):
        nearest = distances(part, positions).topk(count, largest=False).indices
        around = positions[nearest] - positions[nearest].mean(dim=1, keepdim=True)
        _, axes = torch.linalg.eigh(around.mT @ around)  # [K, 3, 3], the shortest first
        found.append(axes[:, :, 0])
    thin = torch.cat(found)
    return torch.where(thin[:, 2:] < 0, -thin, thin)


def surfels_from_points(points: PointCloud, opacity: float) -> CanonicalGaussians:
    """Flat Gaussians on the surface that a dense cloud of points samples, one a point."""
    round_ones = gaussians_from_points(points, opacity)
    x, y, z = normals(points.positions).unbind(-1)
    turned = torch.stack([1 + z, -y, x, torch.zeros_like(x)], dim=-1)  # takes the z axis there
    log_scales = round_ones.log_scales.clone()
    log_scales[:, 2] -= math.log(SURFEL_WIDTH)
    quats = torch.nn.functional.normalize(turned, dim=-1)
    return replace(round_ones, quats=quats, log_scales=log_scales)


def gaussians_from_points(
    points: PointCloud, opacity: float, spacing: Tensor | None = None
) -> CanonicalGaussians:
    """Round Gaussians, one a point, as wide as the points are apart.

    Args:
        spacing: [N] distance of each point from its neighbours, world units; None measures it.
    """
    count, device = len(points), points.positions.device
    if spacing is None:
        spacing = neighbour_distance(points.positions)
    spacing = spacing.clamp(min=1e-6)
    quats = torch.zeros(count, 4, device=device)
    quats[:, 0] = 1
    return CanonicalGaussians(
        means=points.positions,
        quats=quats,
        log_scales=spacing.log()[:, None].repeat(1, 3),
        opacity_logits=torch.full((count,), math.log(opacity / (1 - opacity)), device=device),
        colors=points.colors,
    )
