"""The version of the program; pyproject.toml is the only place where it is written."""

from __future__ import annotations

DISTRIBUTION = "streamstgs"


def installed_version(distribution: str = DISTRIBUTION) -> str | None:
    """The version of an installed distribution; None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # the window does without

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
