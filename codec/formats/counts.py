"""The numbers of Gaussians that files declare. Importing this module does not load torch."""

from __future__ import annotations

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.limits import GAUSSIANS_PER_FILE


def check_count(count: int, name: str) -> None:
    """Raise CorruptSegment for more Gaussians than a file may have."""
    if not 0 <= count <= GAUSSIANS_PER_FILE:
        raise CorruptSegment(
            f"{name} declares {count} Gaussians; at most {GAUSSIANS_PER_FILE} can be read."
        )
