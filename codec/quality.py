"""One quality of a scene's feature video, and how to find it in a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering

from streamstgs.codec.errors import UnknownQuality


@total_ordering
@dataclass(frozen=True)
class Quality:
    """One quality that a scene can be fetched at. Better qualities compare greater.

    Args:
        index: place in the scene's ladder, from 0 (the worst) to the best.
        qp: constant quantiser of the feature video; a lower QP gives a better picture.
        bitrate_bps: mean bits per second of content; all files that a viewer fetches are counted.
        psnr_db: mean PSNR of rendered frames against the trained scene, at most 100 dB; None in
            packages that do not tell it.
    """

    index: int
    qp: int
    bitrate_bps: float
    psnr_db: float | None = None

    def __lt__(self, other: Quality) -> bool:
        return self.index < other.index


def quality_with_qp(qualities: Sequence[Quality], qp: int) -> Quality:
    """The quality of a QP.

    Raises:
        UnknownQuality: none of these qualities has this QP; the message lists the QPs they have.
    """
    for quality in qualities:
        if quality.qp == qp:
            return quality
    known = ", ".join(str(qp) for qp in sorted(quality.qp for quality in qualities))
    raise UnknownQuality(f"The scene has no quality of QP {qp}; it has {known}.")
