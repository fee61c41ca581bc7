"""The statistics as lines of text; the panel and the overlay show the same."""

from __future__ import annotations

from streamstgs.app.player.status import PlaybackState, PlaybackStatus
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
    drawn = rendering.width_px > 0
    opened = status is not None and status.state is not PlaybackState.OPENING
    count = rendering.static_count + rendering.dynamic_count
    rows = [
        (tr("Screen"), _if(drawn, tr("{rate:.0f} images/s", rate=rendering.display_fps))),
        (tr("Scene"), _if(drawn, _content_rate(rendering, status))),
        (tr("Image size"), _if(drawn, f"{rendering.width_px} × {rendering.height_px}")),
        (tr("Gaussians"), _if(drawn, f"{count:,}")),
        (tr("Renderer"), rendering.backend or _UNKNOWN),
    ]
    if status is not None:
        rows += [
            (tr("Quality"), _quality_text(quality, status)),
            (tr("Network"), _rate_text(status.throughput_bps)),
            (tr("Loaded ahead"), _if(opened, f"{status.ahead_s:.1f} s")),
            (tr("Late frames"), _if(opened, str(status.late_frames))),
            (tr("Missing parts"), _if(opened, str(status.corrupt_segments))),
        ]
    return rows


def advanced_rows(
    rendering: RenderStatistics, status: PlaybackStatus | None, quality: QualitySelection
) -> Rows:
    """(name, value) lines for people who know the codec and the renderer."""
    drawn = rendering.width_px > 0
    rows = [
        (tr("Decode"), _ms(status.decode_ms if status else 0.0)),
        (tr("Deform"), _ms(rendering.deform_ms)),
        (tr("Rasterise"), _ms(rendering.raster_ms)),
        (tr("Present"), _ms(rendering.present_ms)),
        (tr("Static"), _if(drawn, tr("{count:,} Gaussians", count=rendering.static_count))),
        (tr("Moving"), _if(drawn, tr("{count:,} Gaussians", count=rendering.dynamic_count))),
        (tr("Presenter"), rendering.presenter or _UNKNOWN),
        (tr("Renderer choice"), _choice_text(rendering)),
    ]
    if status is not None:
        loaded, all_layers = status.static_layers
        shown, coming = quality.shown, quality.coming
        rows += [
            (tr("Shown QP"), str(shown.qp) if shown is not None else _UNKNOWN),
            (tr("Fetched QP"), str(coming.qp) if coming is not None else _UNKNOWN),
            (
                tr("Static layers"),
                _if(all_layers > 0, tr("{loaded} of {all}", loaded=loaded, all=all_layers)),
            ),
            (tr("Last fetch"), status.fetch_reason or _UNKNOWN),
        ]
    return rows


def _if(known: bool, text: str) -> str:
    """A text once its value was measured; a dash before."""
    return text if known else _UNKNOWN


def _ms(time_ms: float) -> str:
    return _if(time_ms > 0.0, f"{time_ms:.1f} ms")


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
