"""The statistics as lines of text; the panel and the overlay show the same."""

from __future__ import annotations

from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.player.viewer.statistics import RenderStatistics
from streamstgs.app.translation import tr
from streamstgs.app.ui.panel.quality_names import bitrate_text, quality_name

Rows = list[tuple[str, str]]
_UNKNOWN = "\N{EN DASH}"


def basic_rows(
    rendering: RenderStatistics, status: PlaybackStatus | None, quality: QualitySelection
) -> Rows:
    """(name, value) lines for everybody, in reading order."""
    rows = [
        (tr("Screen"), tr("{rate:.0f} images/s", rate=rendering.display_fps)),
        (tr("Scene"), _content_rate(rendering, status)),
        (tr("Image size"), f"{rendering.width_px} × {rendering.height_px}"),
        (tr("Gaussians"), f"{rendering.static_count + rendering.dynamic_count:,}"),
        (tr("Renderer"), rendering.backend or _UNKNOWN),
    ]
    if status is not None:
        rows += [
            (tr("Quality"), _quality_text(quality, status)),
            (tr("Network"), _rate_text(status.throughput_bps)),
            (tr("Loaded ahead"), f"{status.ahead_s:.1f} s"),
            (tr("Late frames"), str(status.late_frames)),
            (tr("Missing parts"), str(status.corrupt_segments)),
        ]
    return rows


def advanced_rows(
    rendering: RenderStatistics, status: PlaybackStatus | None, quality: QualitySelection
) -> Rows:
    """(name, value) lines for people who know the codec and the renderer."""
    rows = [
        (tr("Decode"), f"{status.decode_ms if status else 0:.1f} ms"),
        (tr("Deform"), f"{rendering.deform_ms:.1f} ms"),
        (tr("Rasterise"), f"{rendering.raster_ms:.1f} ms"),
        (tr("Present"), f"{rendering.present_ms:.1f} ms"),
        (tr("Static"), tr("{count:,} Gaussians", count=rendering.static_count)),
        (tr("Moving"), tr("{count:,} Gaussians", count=rendering.dynamic_count)),
        (tr("Presenter"), rendering.presenter or _UNKNOWN),
        (tr("Renderer choice"), _choice_text(rendering)),
    ]
    if status is not None:
        loaded, all_layers = status.static_layers
        shown, coming = quality.shown, quality.coming
        rows += [
            (tr("Shown QP"), str(shown.qp) if shown is not None else _UNKNOWN),
            (tr("Fetched QP"), str(coming.qp) if coming is not None else _UNKNOWN),
            (tr("Static layers"), tr("{loaded} of {all}", loaded=loaded, all=all_layers)),
            (tr("Last fetch"), status.fetch_reason or _UNKNOWN),
        ]
    return rows


def _content_rate(rendering: RenderStatistics, status: PlaybackStatus | None) -> str:
    if status is None:
        return tr("{rate:.0f} frames/s", rate=rendering.content_fps)
    return tr("{rate:.0f} of {all:g} frames/s", rate=rendering.content_fps, all=status.fps)


def _choice_text(rendering: RenderStatistics) -> str:
    return rendering.backend_reason.removeprefix(f"{rendering.backend}: ") or _UNKNOWN


def _quality_text(quality: QualitySelection, status: PlaybackStatus) -> str:
    if quality.shown is None:
        return _rate_text(status.bitrate_bps)
    name = quality_name(quality.shown, len(quality.available))
    return f"{name}, {bitrate_text(status.bitrate_bps)}"


def _rate_text(bits_per_second: float) -> str:
    return bitrate_text(bits_per_second) if bits_per_second > 0 else _UNKNOWN
