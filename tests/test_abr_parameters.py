"""The parameters of the adaptive policy, and their table in the documentation."""

from __future__ import annotations

from scripts.policy_table import PAGE, all_parameters, with_table


def test_table_of_parameters_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run `python -m scripts.policy_table`"


def test_policy_has_few_parameters_and_explains_them() -> None:
    known = all_parameters()
    assert len(known) <= 18
    assert all(each.meaning for each in known)
