"""PLY files of 3D Gaussian Splatting: any order and types of the properties, text or binary.

Properties: x y z, f_dc_0..2, f_rest_0..8, ..23 or ..44 (all of red first, then green, then blue),
opacity (logit), scale_0..2 (natural logarithm), rot_0..3 (wxyz). Others are ignored. Files with
scale_0..1 only, as of 2D Gaussian Splatting, get a third scale of 1e-6 of the largest.
"""

from __future__ import annotations

import re

import numpy as np
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.raw_gaussians import FloatArray, RawGaussians
from streamstgs.codec.ply import PlyError, PlyHeader, parse_header, read_element

NEEDED = ("x", "y", "z", "f_dc_0", "opacity", "scale_0", "rot_0")
REST_COUNTS = (0, 9, 24, 45)  # of spherical harmonics of degree 0 to 3
Vector = tuple[float, float, float]
VERTICAL_AXIS = re.compile(r"Vertical Axis:\s*(?P<sign>-?)(?P<axis>[xyzXYZ])")
ALONG = 0.999  # cosine of the angle between an axis and a vector that counts as it
FLAT = 1e-6  # third standard deviation of a surfel, as a share of its largest


def is_gaussian_ply(header: PlyHeader) -> bool:
    """Whether a PLY holds Gaussians as 3D Gaussian Splatting writes them."""
    vertex = header.element("vertex")
    return vertex is not None and all(name in vertex.names for name in NEEDED)


def header_of(data: bytes, name: str) -> PlyHeader:
    """The header of a PLY called `name`; raises CorruptSegment."""
    try:
        return parse_header(data)
    except PlyError as error:
        what = f"{name} is a PLY point cloud with a damaged header: {error}."
        raise CorruptSegment(what) from error


def read_gaussian_ply(data: bytes, name: str) -> RawGaussians:
    """The Gaussians of a file.

    Args:
        name: of the file, for messages.

    Raises:
        CorruptSegment: it is damaged, or holds no Gaussians, or too many.
    """
    columns = read_columns(data, name)
    if not all(key in columns for key in NEEDED):
        raise CorruptSegment(f"{name} is a PLY point cloud without Gaussians.")
    rest = [f"f_rest_{i}" for i in range(len([key for key in columns if key[:7] == "f_rest_"]))]
    if len(rest) not in REST_COUNTS:
        raise CorruptSegment(
            f"{name} has {len(rest)} coefficients of spherical harmonics; 0, 9, 24 or 45 are known."
        )
    if "scale_2" not in columns and "scale_1" in columns:
        largest = np.maximum(columns["scale_0"], columns["scale_1"])
        columns["scale_2"] = largest + np.float32(np.log(FLAT))
    dc = stacked(columns, [f"f_dc_{i}" for i in range(3)], name)
    sh = np.empty((len(dc), 1 + len(rest) // 3, 3), np.float32)
    sh[:, 0] = dc
    if rest:
        higher = stacked(columns, rest, name)
        for channel, columns_of_it in enumerate(np.split(higher, 3, axis=1)):
            sh[:, 1:, channel] = columns_of_it
    return RawGaussians(
        means=stacked(columns, ["x", "y", "z"], name),
        quats=stacked(columns, [f"rot_{i}" for i in range(4)], name),
        log_scales=stacked(columns, [f"scale_{i}" for i in range(3)], name),
        logits=columns["opacity"],
        sh=sh,
    )


class Columns(dict[str, FloatArray]):
    """[N] float32 values of each property.

    Attributes:
        table: [N, properties] in the order of the keys, if the file holds them so; else None.
    """

    table: FloatArray | None = None


def read_columns(data: bytes, name: str) -> Columns:
    """The values of the vertices; raises CorruptSegment."""
    header = header_of(data, name)
    vertex = header.element("vertex")
    check_count(vertex.count if vertex is not None else 0, name)
    try:
        records = read_element(data, header, "vertex")
    except PlyError as error:
        raise CorruptSegment(f"{name} is a damaged PLY: {error}.") from error
    names = records.dtype.names or ()
    if all(records.dtype[key] == np.float32 for key in names):  # as files of trainers are
        table = records.view(np.float32).reshape(len(records), len(names))
        columns = Columns({key: table[:, column] for column, key in enumerate(names)})
        columns.table = table
        return columns
    with np.errstate(over="ignore", invalid="ignore"):
        return Columns({key: records[key].astype(np.float32) for key in names})


def stacked(columns: Columns, keys: list[str], name: str) -> FloatArray:
    """[N, len(keys)] values; raises CorruptSegment where a property is missing."""
    missing = [key for key in keys if key not in columns]
    if missing:
        raise CorruptSegment(f"{name} has no property {missing[0]}.")
    if columns.table is not None:
        known = list(columns)
        first = known.index(keys[0])
        if known[first : first + len(keys)] == keys:
            return columns.table[:, first : first + len(keys)]
    return np.stack([columns[key] for key in keys], axis=-1)


def up_axis(header: PlyHeader) -> Vector | None:
    """The unit vector that a comment `Vertical Axis: z` declares, as nerfstudio writes it."""
    for comment in header.comments:
        found = VERTICAL_AXIS.fullmatch(comment)
        if found is not None:
            sign = -1.0 if found["sign"] else 1.0
            x, y, z = (sign if axis == found["axis"].lower() else 0.0 for axis in "xyz")
            return x, y, z
    return None


def axis_name(up: Vector) -> str | None:
    """The name of the axis that a unit vector points along, such as "-y"; None for others."""
    for axis, value in zip("xyz", up, strict=True):
        if abs(value) > ALONG:
            return axis if value > 0 else f"-{axis}"
    return None


def write_gaussian_ply(raw: RawGaussians, up: Vector | None = None) -> bytes:
    """A binary PLY as 3D Gaussian Splatting writes it, without normals.

    Args:
        up: unit vector that points up; a comment tells it if it is that of an axis.
    """
    rest = 3 * (raw.sh.shape[1] - 1)
    names = ["x", "y", "z", *(f"f_dc_{i}" for i in range(3)), *(f"f_rest_{i}" for i in range(rest))]
    names += ["opacity", *(f"scale_{i}" for i in range(3)), *(f"rot_{i}" for i in range(4))]
    header = "ply\nformat binary_little_endian 1.0\n"
    if up is not None and axis_name(up) is not None:
        header += f"comment Vertical Axis: {axis_name(up)}\n"
    header += f"element vertex {len(raw)}\n"
    header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    higher = raw.sh[:, 1:].transpose(0, 2, 1).reshape(len(raw), rest)
    parts = (raw.means, raw.sh[:, 0], higher, raw.logits[:, None], raw.log_scales, raw.quats)
    return header.encode() + np.concatenate(parts, axis=1).astype("<f4").tobytes()
