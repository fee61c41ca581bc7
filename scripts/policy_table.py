"""Writes the table of the adaptive policy's parameters into docs/streaming.md.

    python -m scripts.policy_table

The parameters are declared where they are used; a test fails if the table is not current.
"""

from __future__ import annotations

from pathlib import Path

from streamstgs.codec.streaming.adaptive import (
    AbandonRule,
    AdaptiveSettings,
    BudgetRule,
    LayerRule,
    ThroughputSettings,
    UpgradeRule,
)
from streamstgs.codec.streaming.adaptive.rule import Parameter, parameters
from streamstgs.codec.streaming.throughput_memory import MemorySettings

PAGE = Path(__file__).parents[1] / "docs" / "streaming.md"
BEGIN, END = "<!-- begin: parameters -->", "<!-- end: parameters -->"
RULES: tuple[type, ...] = (
    AdaptiveSettings,
    ThroughputSettings,
    MemorySettings,
    BudgetRule,
    LayerRule,
    AbandonRule,
    UpgradeRule,
)


def all_parameters() -> list[Parameter]:
    """Every number of the policy."""
    return [each for rule in RULES for each in parameters(rule)]


def table() -> str:
    """The parameters as Markdown."""
    lines = ["| rule | parameter | default | unit | meaning |", "|---|---|---|---|---|"]
    for each in all_parameters():
        unit = each.unit or "\N{EN DASH}"
        cells = f"`{each.rule}`", f"`{each.name}`", f"{each.default:g}", unit, each.meaning
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with the current table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
