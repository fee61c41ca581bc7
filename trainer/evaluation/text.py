"""The figures of an evaluation in a few lines for a person."""

from __future__ import annotations

from typing import Any

SPLITS = {"test": "held-out", "train": "training"}


def for_people(figures: dict[str, Any]) -> dict[str, Any]:
    """Name -> what is said of it; everything else is in the JSON."""
    said: dict[str, Any] = {
        f"QP {quality['qp']}": _summary(quality) for quality in figures["qualities"]
    }
    for split, cameras in figures["cameras"].items():
        said[f"{SPLITS.get(split, split)} cameras"] = cameras
    if "picture_px" in figures:  # not in figures of before
        said["pictures"] = _sizes(figures)
    if static_only := figures.get("static_only_gops"):
        numbers = ", ".join(map(str, static_only))
        said["warning"] = f"GOP {numbers}: only the static layer is visible; train it again"
    said |= {f"per {what}": _of_best(figures, f"per_{what}") for what in ("camera", "gop")}
    for split, found in figures.get("comparison", {}).items():
        if split != "with":
            said[f"{SPLITS[split]} against {figures['comparison']['with']}"] = _compared(found)
    said["drawn by"] = figures["backend_reason"]
    said["LPIPS"] = figures["lpips_reason"]
    written = {"sheet": (figures["sheet"] or {}).get("path"), "plot": figures["plot"]}
    return said | {name: path for name, path in written.items() if path}


def _sizes(figures: dict[str, Any]) -> str:
    """How large the pictures are that the figures speak of."""
    compared, recorded = (", ".join(figures[k]) for k in ("picture_px", "recorded_px"))
    return f"{compared} px" + ("" if compared == recorded else f", recorded at {recorded} px")


def _summary(quality: dict[str, Any]) -> str:
    parts = [f"{quality['bytes_per_frame']['total'] / 1000:.1f} kB per frame"]
    for split, name in SPLITS.items():
        if quality.get(split):
            parts.append(f"{name} {_quality(quality[split])}")
    if quality["boundary_flicker"]:
        parts.append(f"boundary flicker {quality['boundary_flicker']['ratio']:.2f}")
    return "; ".join(parts)


def _quality(found: dict[str, Any]) -> str:
    said = f"{found['psnr']:.2f} dB, SSIM {found['ssim']:.3f}"
    if found.get("moving_psnr") is not None:  # not in figures of before, or nothing moves
        worst = found["moving_psnr_worst"]
        said = (
            f"moving {found['moving_psnr']:.2f} dB (worst {worst['value']:.2f} in frame "
            f"{worst['frame']} of camera {worst['camera']}), whole {said}"
        )
    distance = found.get("lpips")  # none in figures of before, or where it was not measured
    return said if distance is None else f"{said}, LPIPS {distance:.3f}"


def _of_best(figures: dict[str, Any], name: str) -> dict[str, Any]:
    best = figures["qualities"][0]
    return {s: best[s][name] for s in SPLITS if best.get(s)}


def _compared(found: dict[str, Any]) -> str:
    least = [p for p in found["bytes_percent_at_no_lower_psnr"] if p is not None]
    shares = ", ".join(f"{p:.0f} %" for p in least)
    dominance = f"at no lower PSNR than its qualities: {shares} of the bytes"
    if not least:
        dominance = "none of its qualities is reached in PSNR"
    if found["bd_rate_percent"] is None:
        return f"no BD-rate, {found['reason']}; {dominance}"
    low, high = found["overlap_db"]
    return f"BD-rate {found['bd_rate_percent']:+.1f} % over {low:.2f}..{high:.2f} dB; {dominance}"
