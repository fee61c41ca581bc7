"""Small splat files of every kind, made for the tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from streamstgs.codec.formats.gaussian_ply import write_gaussian_ply
from streamstgs.codec.formats.raw_gaussians import RawGaussians, turned
from streamstgs.codec.formats.splat import write_splat

PACKED = ("compressed.ply", "spz", "sog", "ksplat")


def made_up(count: int = 300, degree: int = 3, seed: int = 0) -> RawGaussians:
    """A ball of Gaussians with colours that depend on the direction of view."""
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(count, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    quats *= np.where(quats[:, :1] < 0, -1, 1)
    sh = rng.normal(0, 0.08, (count, (degree + 1) ** 2, 3))
    sh[:, 0] = rng.uniform(-1, 1, (count, 3))
    arrays = (
        rng.normal(size=(count, 3)) * 0.5,
        quats,
        rng.normal(-2.5, 0.4, (count, 3)),
        rng.uniform(-1, 4, count),
        sh,
    )
    return RawGaussians(*(np.ascontiguousarray(array, np.float32) for array in arrays))


def packed(raw: RawGaussians, kind: str) -> bytes:
    """A file of one of `PACKED`.

    gsply writes compressed PLY: gaussforge 0.6.0 orders the spherical harmonics there otherwise
    than it reads them.
    """
    if kind == "compressed.ply":
        import gsply

        arrays = (raw.means, raw.log_scales, raw.quats, raw.logits, raw.sh[:, 0], raw.sh[:, 1:])
        compressed: bytes = gsply.compress_to_bytes(*arrays)
        return compressed
    import gaussforge

    source = turned(raw) if kind == "spz" else raw
    result = gaussforge.GaussForge().convert(write_gaussian_ply(source), "ply", kind)
    content: bytes = result["data"]
    return content


def splat_file(raw: RawGaussians, kind: str) -> bytes:
    """A file of any kind, by its suffix without the dot."""
    if kind == "ply":
        return write_gaussian_ply(raw)
    if kind == "glb":
        from tests.exchange_samples import glb

        return glb(raw)
    return write_splat(raw) if kind == "splat" else packed(raw, kind)


def spacetime_ply(count: int = 50, seed: int = 0) -> bytes:
    """A PLY of Spacetime Gaussians, lite model."""
    rng = np.random.default_rng(seed)
    names = ["x", "y", "z", "trbf_center", "trbf_scale", "nx", "ny", "nz"]
    names += [f"motion_{i}" for i in range(9)] + [f"f_dc_{i}" for i in range(3)] + ["opacity"]
    names += [f"scale_{i}" for i in range(3)] + [f"rot_{i}" for i in range(4)]
    names += [f"omega_{i}" for i in range(4)]
    values = rng.normal(0, 0.3, (count, len(names))).astype("<f4")
    values[:, names.index("rot_0")] += 1.0
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n"
    header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    return header.encode() + values.tobytes()


def ply_4d(count: int = 50, coefficients: int = 1, form: str = "rot_r", seed: int = 0) -> bytes:
    """A PLY of 4D Gaussians.

    Args:
        coefficients: of a colour.
        form: names of the temporal properties: "rot_r" with scale_t_0, "rot_4" with scale_3, or
            "" for scale_t without a second rotation.
    """
    rng = np.random.default_rng(seed)
    names = ["x", "y", "z", "nx", "ny", "nz", *(f"f_dc_{i}" for i in range(3))]
    names += [f"f_rest_{i}" for i in range(3 * (coefficients - 1))] + ["opacity"]
    names += [f"scale_{i}" for i in range(3)] + [f"rot_{i}" for i in range(4)] + ["t"]
    names += {
        "rot_r": ["scale_t_0", *(f"rot_r_{i}" for i in range(4))],
        "rot_4": ["scale_3", *(f"rot_{i}" for i in range(4, 8))],
        "": ["scale_t"],
    }[form]
    values = rng.normal(0, 0.3, (count, len(names))).astype("<f4")
    values[:, names.index("scale_0") : names.index("scale_2") + 1] -= 2.5
    values[:, names.index("t")] = np.linspace(-1.0, 11.0, count)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n"
    header += "".join(f"property float {name}\n" for name in names) + "end_header\n"
    return header.encode() + values.tobytes()


def dynamic_arrays(frames: int = 4, count: int = 20, seed: int = 0) -> dict[str, np.ndarray]:
    """The arrays of Dynamic 3D Gaussians."""
    rng = np.random.default_rng(seed)
    return {
        "means3D": rng.normal(size=(frames, count, 3)).astype(np.float32),
        "unnorm_rotations": rng.normal(size=(frames, count, 4)).astype(np.float32),
        "rgb_colors": rng.uniform(size=(frames, count, 3)).astype(np.float32),
        "logit_opacities": rng.normal(size=(count, 1)).astype(np.float32),
        "log_scales": rng.normal(-3, 0.2, (count, 3)).astype(np.float32),
        "seg_colors": rng.uniform(size=(count, 3)).astype(np.float32),
    }


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as a file."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def write_sequence(folder: Path, frames: int = 3, kind: str = "ply", count: int = 40) -> Path:
    """A folder of numbered files, `frame_0` to `frame_{frames - 1}`, each of other Gaussians."""
    folder.mkdir()
    for frame in range(frames):
        content = splat_file(made_up(count, degree=1, seed=frame), kind)
        (folder / f"frame_{frame}.{kind}").write_bytes(content)
    return folder
