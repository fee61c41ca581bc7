"""Names of qualities for people: Low, Medium, High, Best."""

from __future__ import annotations

from streamstgs.app.translation import mark, tr
from streamstgs.codec.quality import Quality

_NAMES: dict[int, tuple[str, ...]] = {
    1: (mark("Standard"),),
    2: (mark("Low"), mark("High")),
    3: (mark("Low"), mark("Medium"), mark("High")),
    4: (mark("Low"), mark("Medium"), mark("High"), mark("Best")),
    5: (mark("Lowest"), mark("Low"), mark("Medium"), mark("High"), mark("Best")),
    6: (mark("Lowest"), mark("Low"), mark("Medium"), mark("High"), mark("Higher"), mark("Best")),
    7: (
        mark("Lowest"),
        mark("Lower"),
        mark("Low"),
        mark("Medium"),
        mark("High"),
        mark("Higher"),
        mark("Best"),
    ),
}

_ALIKE_DB, _SOFTER_DB, _MUCH_SOFTER_DB = 0.5, 2.0, 5.0  # losses that people begin to see
_LOSSLESS_DB = 99.0  # values from here on are limits, not measurements


def quality_names(count: int) -> tuple[str, ...]:
    """Names for so many qualities, the worst first."""
    if count <= 0 or count in _NAMES:
        return tuple(tr(name) for name in _NAMES.get(count, ()))
    levels = (tr("Level {number}", number=level) for level in range(2, count))
    return (tr("Lowest"), *levels, tr("Best"))


def quality_name(quality: Quality, count: int) -> str:
    """The name of one of `count` qualities."""
    return quality_names(count)[quality.index]


def bitrate_text(bits_per_second: float) -> str:
    """A bitrate with two or three digits: 640 kbit/s, 3.2 Mbit/s."""
    if bits_per_second < 999_500:
        return f"{bits_per_second / 1000:.0f} kbit/s"
    mega = bits_per_second / 1e6
    return f"{mega:.1f} Mbit/s" if mega < 100 else f"{mega:.0f} Mbit/s"


def short_bitrate_text(bits_per_second: float) -> str:
    """A bitrate that fits below a stop of the slider, in Mbit/s: 0.64, 3.2, 120."""
    mega = bits_per_second / 1e6
    return f"{mega:.2f}" if mega < 0.995 else f"{mega:.1f}" if mega < 99.5 else f"{mega:.0f}"


def quality_words(quality: Quality, best: Quality) -> str:
    """How a quality looks beside the best one, and what it costs; empty where that is unknown."""
    if quality.psnr_db is None or best.psnr_db is None or quality.index == best.index:
        return ""
    loss_db = best.psnr_db - quality.psnr_db
    share = quality.bitrate_bps / max(best.bitrate_bps, 1.0)
    if loss_db < _ALIKE_DB:
        return tr("Looks like the best quality, with {share:.0%} of its data.", share=share)
    if loss_db < _SOFTER_DB:
        return tr("A little softer than the best quality, {share:.0%} of its data.", share=share)
    if loss_db < _MUCH_SOFTER_DB:
        return tr("Visibly softer than the best quality, {share:.0%} of its data.", share=share)
    return tr("Much softer than the best quality, {share:.0%} of its data.", share=share)


def quality_tooltip(quality: Quality, count: int) -> str:
    """Name, bitrate and the encoder's numbers of a quality."""
    text = f"{quality_name(quality, count)}: {bitrate_text(quality.bitrate_bps)}"
    text += "\n" + tr("Quantiser (QP) {qp}", qp=quality.qp)
    if quality.psnr_db is not None and quality.psnr_db < _LOSSLESS_DB:
        text += ", " + tr("PSNR {db:.1f} dB", db=quality.psnr_db)
    return text
