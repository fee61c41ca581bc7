"""Writes scene.mpd of a live scene: a dynamic MPEG-DASH manifest (ISO/IEC 23009-1).

Players of plain DASH follow the feature video with it. Times count from the start of the event;
each start of the publisher begins a Period, so that content times and the clock agree.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from mpegdash.nodes import (
    MPEGDASH,
    AdaptationSet,
    Descriptor,
    Period,
    Representation,
    S,
    SegmentTemplate,
    SegmentTimeline,
)
from mpegdash.parser import MPEGDASHParser
from streamstgs.codec.package.dash import NUMBERED, PROFILE, start_ticks
from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.package.sound_track import CODECS, RATE_HZ, GopSound
from streamstgs.codec.publish.live_sound import FOLDER
from streamstgs.codec.video.tile_layout import TIMESCALE

CLOCK = "urn:mpeg:dash:utc:http-head:2014"  # the header Date of the server tells the time


def write_live_dash(manifest: Manifest, gops: range, newest: GopEntry) -> bytes:
    """Return the content of scene.mpd.

    Args:
        manifest: a live scene, or one that has ended.
        gops: those that are listed.
        newest: the last of them; the files of the others are numbered in the same way.
    """
    live = manifest.live
    document = MPEGDASH()
    document.xmlns, document.profiles = "urn:mpeg:dash:schema:mpd:2011", PROFILE
    period = Period()
    period.id, period.start = "0", "PT0S"
    first, origin = gops.start, 0
    span_s = _seconds(manifest, gops.start, gops.stop)
    document.min_buffer_time = _duration(_seconds(manifest, gops.stop - 1, gops.stop))
    if live is None:
        document.type = "static"
        document.media_presentation_duration = _duration(span_s)
        origin = _ticks(manifest, first)
    else:
        anchor, _ = manifest.times.locate(live.anchor_frame)
        first = max(first, min(anchor, gops.stop - 1))
        origin = start_ticks(live.anchor_frame, manifest.meta.fps)
        period.id = str(live.anchor_frame)
        period.start = _duration(live.anchor_s - live.start_s)
        document.type = "dynamic"
        document.availability_start_time = _moment(live.start_s)
        document.publish_time = _moment(live.edge_s)
        document.minimum_update_period = _duration(live.update_s)
        document.time_shift_buffer_depth = _duration(span_s)
        clock = Descriptor()
        clock.scheme_id_uri, clock.value = CLOCK, MANIFEST_NAME
        document.utc_timings = [clock]
    period.adaptation_sets = [_video_set(manifest, range(first, gops.stop), newest, origin)]
    if isinstance(manifest.sound, GopSound):
        chosen = _sound_set(manifest.sound, range(first, gops.stop), newest, origin)
        period.adaptation_sets.append(chosen)
    document.periods = [period]
    return MPEGDASHParser.toprettyxml(document).encode()


def _video_set(manifest: Manifest, gops: range, newest: GopEntry, origin: int) -> AdaptationSet:
    chosen = AdaptationSet()
    chosen.id, chosen.mime_type, chosen.content_type = 0, "video/mp4", "video"
    chosen.segment_alignment, chosen.start_with_sap = True, 1
    chosen.representations = []
    spans = [(_ticks(manifest, gop), _ticks(manifest, gop + 1)) for gop in gops]
    for k, entry in enumerate(manifest.representations):
        one = Representation()
        one.id, one.codecs, one.mime_type = f"features-qp{entry.qp}", entry.codecs, "video/mp4"
        tiles = manifest.tiles_of(k)
        one.width, one.height = tiles.video_width, tiles.video_height
        seconds = newest.frames / manifest.meta.fps
        one.bandwidth = max(1, round(8 * newest.segments[k].file.size_bytes / seconds))
        template = SegmentTemplate()
        template.media = _media(newest.segments[k].file.name)
        template.initialization, template.start_number = entry.init.name, gops.start
        template.timescale, template.presentation_time_offset = TIMESCALE, origin
        template.segment_timelines = [_timeline(spans)]
        one.segment_templates = [template]
        chosen.representations.append(one)
    return chosen


def _sound_set(sound: GopSound, gops: range, newest: GopEntry, origin: int) -> AdaptationSet:
    chosen = AdaptationSet()
    chosen.id, chosen.mime_type, chosen.content_type = 1, "audio/mp4", "audio"
    chosen.segment_alignment, chosen.start_with_sap = True, 1
    one = Representation()
    one.id, one.codecs, one.mime_type = "sound", CODECS, "audio/mp4"
    one.audio_sampling_rate = str(RATE_HZ)
    size_bytes = 0 if newest.sound is None else newest.sound.size_bytes
    seconds = (sound.start(gops.stop) - sound.start(gops.stop - 1)) / RATE_HZ
    one.bandwidth = max(1, round(8 * size_bytes / max(seconds, 1e-3)))
    template = SegmentTemplate()
    template.media = f"{FOLDER}/$Number%06d$.m4s"
    template.initialization, template.start_number = sound.init.name, gops.start
    template.timescale = RATE_HZ
    template.presentation_time_offset = origin * RATE_HZ // TIMESCALE
    ends = [sound.start(gop) + sound.delay for gop in range(gops.start, gops.stop + 1)]
    template.segment_timelines = [_timeline(list(pairwise(ends)))]
    one.segment_templates = [template]
    chosen.representations = [one]
    return chosen


def _media(name: str) -> str:
    """The template of file names that end with the number of a GOP."""
    match = NUMBERED.fullmatch(name)
    assert match is not None, name
    before, number, after = match.groups()
    return f"{before}$Number%0{len(number)}d${after}"


def _timeline(spans: list[tuple[int, int]]) -> SegmentTimeline:
    timeline = SegmentTimeline()
    timeline.Ss = []
    for begin, end in spans:
        entry = timeline.Ss[-1] if timeline.Ss else None
        if entry is not None and entry.d == end - begin:
            entry.r = (entry.r or 0) + 1
            continue
        entry = S()
        entry.t, entry.d = begin, end - begin
        timeline.Ss.append(entry)
    return timeline


def _ticks(manifest: Manifest, gop: int) -> int:
    return start_ticks(manifest.times.start(gop), manifest.meta.fps)


def _seconds(manifest: Manifest, first: int, end: int) -> float:
    return (_ticks(manifest, end) - _ticks(manifest, first)) / TIMESCALE


def _moment(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _duration(seconds: float) -> str:
    return f"PT{max(seconds, 0.0):.3f}S"
