"""Writes scene.mpd: the files that scene.json names, as a static MPEG-DASH manifest.

Any DASH player or ffmpeg can open the feature video. Canonical layers and field weights are
AdaptationSets with mimeTypes of their own, which such players skip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from mpegdash.nodes import (
    MPEGDASH,
    URL,
    AdaptationSet,
    Descriptor,
    Period,
    Representation,
    S,
    SegmentList,
    SegmentTemplate,
    SegmentTimeline,
    SegmentURL,
)
from mpegdash.parser import MPEGDASHParser
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.package.sound_track import CODECS, RATE_HZ, GopSound, SoundTrack
from streamstgs.codec.video.tile_layout import TIMESCALE

IMAGES_MIME = "application/vnd.streamstgs.planes"
FIELD_MIME = "application/vnd.streamstgs.field"
PROFILE = "urn:mpeg:dash:profile:full:2011"
NUMBERED = re.compile(r"(.*?)(\d+)(\.[^./]*)")  # a file name that ends with a number
PART_SCHEME = "urn:streamstgs:part"  # names the part of the scene that a set holds


Span = tuple[int, int]  # begin and end in `TIMESCALE`


def start_ticks(frame: int, fps: float) -> int:
    """Return the content time of a frame, in ticks of `TIMESCALE`."""
    return round(frame * TIMESCALE / fps)


def gop_spans(manifest: Manifest) -> list[Span]:
    """Return the begin and end of each GOP."""
    frames = [gop.start_frame for gop in manifest.gops] + [manifest.frame_count]
    return list(pairwise(start_ticks(frame, manifest.meta.fps) for frame in frames))


def write_dash(manifest: Manifest) -> bytes:
    """Return the content of scene.mpd."""
    spans = gop_spans(manifest)
    period = Period()
    period.id, period.start = "scene", "PT0S"
    period.adaptation_sets = [
        _video_set(manifest, spans),
        *_static_sets(manifest, spans),
        *_keyframe_sets(manifest, spans),
        _data_set("fields", FIELD_MIME, [gop.field for gop in manifest.gops], spans),
    ]
    if manifest.sound is not None:
        period.adaptation_sets.append(_sound_set(manifest.sound, manifest.gops))
    for number, chosen in enumerate(period.adaptation_sets):
        chosen.id = number
    document = MPEGDASH()
    document.xmlns = "urn:mpeg:dash:schema:mpd:2011"
    document.type, document.profiles = "static", PROFILE
    document.min_buffer_time = _duration(max(end - begin for begin, end in spans))
    document.media_presentation_duration = _duration(spans[-1][1])
    document.periods = [period]
    return MPEGDASHParser.toprettyxml(document).encode()


def _video_set(manifest: Manifest, spans: list[Span]) -> AdaptationSet:
    chosen = _adaptation_set("features", "video/mp4")
    chosen.content_type, chosen.segment_alignment, chosen.start_with_sap = "video", True, 1
    chosen.representations = []
    for k, entry in enumerate(manifest.representations):
        files = [gop.segments[k].file for gop in manifest.gops]
        one = _representation(f"features-qp{entry.qp}", files, spans, entry.init)
        one.codecs, one.mime_type = entry.codecs, "video/mp4"
        tiles = manifest.tiles_of(k)
        one.width, one.height = tiles.video_width, tiles.video_height
        chosen.representations.append(one)
    return chosen


def _sound_set(sound: SoundTrack | GopSound, gops: Sequence[GopEntry]) -> AdaptationSet:
    """Return the set of the sound, which any player can play."""
    chosen = _adaptation_set("sound", "audio/mp4")
    chosen.content_type, chosen.segment_alignment, chosen.start_with_sap = "audio", True, 1
    found: Sequence[FileEntry | None] = [gop.sound for gop in gops]
    if isinstance(sound, SoundTrack):
        found = [segment.file for segment in sound.segments]
    spans, files = [], []
    for k, file in enumerate(found):
        if file is not None:
            spans.append((sound.start(k) + sound.delay, sound.start(k + 1) + sound.delay))
            files.append(file)
    one = _representation("sound", files, spans, sound.init, RATE_HZ)
    one.codecs, one.mime_type, one.audio_sampling_rate = CODECS, "audio/mp4", str(RATE_HZ)
    chosen.representations = [one]
    return chosen


def _static_sets(manifest: Manifest, spans: list[Span]) -> list[AdaptationSet]:
    """Return one set per layer: layers add up and do not replace each other."""
    whole = [(spans[0][0], spans[-1][1])]
    return [
        _data_set(f"static-{k}", IMAGES_MIME, [layer.file], whole)
        for k, layer in enumerate(manifest.static)
    ]


def _keyframe_sets(manifest: Manifest, spans: list[Span]) -> list[AdaptationSet]:
    most_layers = max(len(gop.layers) for gop in manifest.gops)
    sets = []
    for k in range(most_layers):
        there = [(g.layers[k].file, s) for g, s in zip(manifest.gops, spans, strict=True)
                 if k < len(g.layers)]  # fmt: skip
        files, times = [file for file, _ in there], [span for _, span in there]
        sets.append(_data_set(f"keyframes-{k}", IMAGES_MIME, files, times))
    return sets


def _data_set(
    name: str, mime_type: str, files: list[FileEntry], spans: list[Span]
) -> AdaptationSet:
    chosen = _adaptation_set(name, mime_type)
    chosen.representations = [_representation(name, files, spans)]
    chosen.representations[0].mime_type = mime_type
    return chosen


def _adaptation_set(part: str, mime_type: str) -> AdaptationSet:
    chosen = AdaptationSet()
    chosen.mime_type = mime_type
    descriptor = Descriptor()
    descriptor.scheme_id_uri, descriptor.value = PART_SCHEME, part
    chosen.supplemental_properties = [descriptor]
    return chosen


def _representation(
    name: str,
    files: list[FileEntry],
    spans: list[Span],
    init: FileEntry | None = None,
    timescale: int = TIMESCALE,
) -> Representation:
    """Return a representation of one file per span, with the bandwidth of the largest one."""
    one = Representation()
    one.id = name
    one.bandwidth = max(
        -(-file.size_bytes * 8 * timescale // max(end - begin, 1))
        for file, (begin, end) in zip(files, spans, strict=True)
    )
    segments = _template(files, init) or _list(files, init)
    if isinstance(segments, SegmentTemplate):
        one.segment_templates = [segments]
    else:
        one.segment_lists = [segments]
    segments.timescale = timescale
    segments.segment_timelines = [_timeline(spans)]
    return one


def _template(files: list[FileEntry], init: FileEntry | None) -> SegmentTemplate | None:
    """Return a template if the files are numbered without a gap, else None.

    More players know templates than lists, and FFmpeg loses segments of lists that are shorter than
    a second.
    """
    match = NUMBERED.fullmatch(files[0].name)
    if match is None or len(files) < 2:
        return None
    before, number, after = match.groups()
    first, digits = int(number), len(number)
    names = [f"{before}{first + k:0{digits}}{after}" for k in range(len(files))]
    if names != [file.name for file in files]:
        return None
    template = SegmentTemplate()
    template.media = f"{before}$Number%0{digits}d${after}"
    template.start_number = first
    template.initialization = init.name if init is not None else None
    return template


def _list(files: list[FileEntry], init: FileEntry | None) -> SegmentList:
    segments = SegmentList()
    segments.segment_urls = [_segment_url(file) for file in files]
    if init is not None:
        segments.initializations = [_initialization(init)]
    return segments


def _timeline(spans: list[Span]) -> SegmentTimeline:
    timeline = SegmentTimeline()
    timeline.Ss = []
    for begin, end in spans:
        last = timeline.Ss[-1] if timeline.Ss else None
        repeats = 0 if last is None else 1 + (last.r or 0)
        follows = last is not None and last.t + last.d * repeats == begin
        if last is not None and follows and last.d == end - begin:
            last.r = repeats  # as long as the one before
            continue
        entry = S()
        entry.t, entry.d = begin, end - begin
        timeline.Ss.append(entry)
    return timeline


def _initialization(file: FileEntry) -> URL:
    url = URL()
    url.source_url = file.name
    return url


def _segment_url(file: FileEntry) -> SegmentURL:
    url = SegmentURL()
    url.media = file.name
    return url


def _duration(ticks: int) -> str:
    return f"PT{ticks / TIMESCALE:.6f}S"
