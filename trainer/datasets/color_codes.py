"""Numbers by which videos and images name their colours (ITU-T H.273), and which are like sRGB."""

from __future__ import annotations

UNSPECIFIED = 2
TRANSFERS_LIKE_SRGB = {1, UNSPECIFIED, 4, 6, 13, 14, 15}
TRANSFER_NAMES = {
    5: "gamma 2.8", 8: "linear light", 9: "a logarithm", 10: "a logarithm",
    16: "PQ (SMPTE ST 2084)", 17: "SMPTE ST 428", 18: "HLG (ARIB STD-B67)",
}  # fmt: skip
PRIMARIES_LIKE_SRGB = {1, UNSPECIFIED, 5, 6, 7}
PRIMARIES_NAMES = {4: "BT.470 M", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}


def other_colors(transfer: int, primaries: int) -> str | None:
    """What is to be said of colours that sRGB cannot stand for; None for colours like sRGB.

    Args:
        transfer, primaries: numbers of H.273; unspecified ones count as those of sRGB.
    """
    if transfer not in TRANSFERS_LIKE_SRGB:
        name = TRANSFER_NAMES.get(transfer, f"number {transfer} of H.273")
        return f"has the transfer function {name}; convert it to BT.709 or sRGB"
    if primaries not in PRIMARIES_LIKE_SRGB:
        name = PRIMARIES_NAMES.get(primaries, f"number {primaries} of H.273")
        return f"has the colour primaries {name}; convert it to BT.709 or sRGB"
    return None
