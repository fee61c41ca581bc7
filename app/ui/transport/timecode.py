"""Formats and parses times."""

from __future__ import annotations


def format_time(time_s: float) -> str:
    """3.12 -> "00:03.12"; hours are shown from one hour on."""
    hundredths = max(round(time_s * 100), 0)
    seconds, hundredths = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    short = f"{minutes:02d}:{seconds:02d}.{hundredths:02d}"
    return f"{hours}:{short}" if hours else short


def parse_time(text: str, fps: float) -> float:
    """The seconds of "1:02.5", "62.5" or a frame number as "87f" or "#87".

    Raises:
        ValueError: The text is none of these.
    """
    text = text.strip().lower()
    try:
        if text.startswith("#") or text.endswith("f"):
            return int(text.strip("#f")) / fps
        parts = [float(part.replace(",", ".")) for part in text.split(":")]
    except ValueError as error:
        raise ValueError(f"not a time: {text}") from error
    if len(parts) > 3 or any(not 0 <= part < 1e6 for part in parts):
        raise ValueError(f"not a time: {text}")
    total_s = 0.0
    for part in parts:
        total_s = total_s * 60 + part
    return total_s
