"""The table of an ablation, for people; `ablation.json` beside it holds all figures."""

from __future__ import annotations

from typing import Any

TABLE_QP = 20  # the paper's own table is made at QP 20


def markdown(document: dict[str, Any]) -> str:
    """The document of `ablation.json` as a page."""
    qp = table_qp(document)
    hardware = document["hardware"]
    gops = ", ".join(map(str, document["gops"]))
    return "\n".join(
        [
            f"# Ablation: {document['data']}, GOP {gops}",
            "",
            f"Fine stage with {document['shorten']:g} of its iterations. Figures at QP {qp}, from "
            f"decoded bytes; every {document['frame_step']}. frame compared, at "
            f"{document['picture_px']} px. What is sent once is "
            "spread over the whole capture.",
            "",
            *_table(document["rows"], qp),
            "",
            "PSNR held-out / kB per frame at each quality:",
            "",
            *_quality_table(document["rows"]),
            "",
            f"Hardware: {', '.join(hardware['devices'])}; Python {hardware['python']}, torch "
            f"{hardware['torch']}. Command: `{document['command']}`",
            "",
        ]
    )


def table_qp(document: dict[str, Any]) -> int:
    """The QP nearest to the paper's."""
    qps = [quality["qp"] for quality in document["rows"][0]["qualities"]]
    return min(qps, key=lambda qp: abs(qp - TABLE_QP))


def _table(rows: list[dict[str, Any]], qp: int) -> list[str]:
    head = (
        "| row | held-out PSNR | SSIM | training PSNR | kB/frame | static | keyframe | features "
        "| field | Gaussians | s coarse + GOP | GiB | seed |"
    )
    return [head, "|---" * 13 + "|", *(_line(row, qp) for row in rows)]


def _line(row: dict[str, Any], qp: int) -> str:
    quality = next(r for r in row["qualities"] if r["qp"] == qp)
    parts = {name: value / 1000 for name, value in quality["bytes_per_frame"].items()}
    test, train = quality["test"] or {}, quality["train"] or {}
    peak = row["peak_memory_gib"]
    moving = sum(row["gaussians"]) // len(row["gaussians"])
    cells = [
        row["title"],
        _number(test.get("psnr"), 2),
        _number(test.get("ssim"), 4),
        _number(train.get("psnr"), 2),
        _number(parts["total"], 2),
        *(_number(parts[name], 2) for name in ("static", "keyframes", "features", "fields")),
        f"{row['static_gaussians']} + {moving}",
        f"{row['static_seconds']:.0f} + {row['gop_seconds']:.0f}",
        _number(peak, 1),
        str(row["seed"]),
    ]
    return f"| {' | '.join(cells)} |"


def _quality_table(rows: list[dict[str, Any]]) -> list[str]:
    qps = [quality["qp"] for quality in rows[0]["qualities"]]
    lines = []
    for row in rows:
        cells = [
            f"{_number((r['test'] or {}).get('psnr'), 2)} / "
            f"{_number(r['bytes_per_frame']['total'] / 1000, 2)}"
            for r in row["qualities"]
        ]
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return [
        f"| row | {' | '.join(f'QP {qp}' for qp in qps)} |",
        "|---" * (len(qps) + 1) + "|",
        *lines,
    ]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
