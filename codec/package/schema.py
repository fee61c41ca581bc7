"""The members of scene.json with their types and limits, as msgspec checks them.

Members without a default must be there; others are ignored. Relations between
members are checked in `codec.package.manifest_json`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field
from streamstgs.codec import limits
from streamstgs.codec.video.codecs import Codec

PATH_LENGTH = 200
# Relative, no empty, hidden or parent parts, nothing that a URL or a file system would interpret.
SAFE_PATH = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*\Z"

Number = Annotated[float, Meta(ge=-1e9, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(ge=1e-9, le=1e9)]
Angle = Annotated[float, Meta(ge=1e-3, le=3.14)]
Decibels = Annotated[float, Meta(ge=0, le=100)]
Triple = tuple[Number, Number, Number]
UnitNumber = Annotated[float, Meta(ge=-1, le=1)]
UnitVector = tuple[UnitNumber, UnitNumber, UnitNumber]
Text = Annotated[str, Meta(max_length=limits.TEXT_LENGTH)]
Channels = Annotated[tuple[Number, ...], Meta(max_length=limits.FEATURES)]
Side = Annotated[int, Meta(ge=1, le=limits.GRID_SIDE)]
VideoSide = Annotated[int, Meta(ge=1, le=limits.VIDEO_SIDE_PX)]
Features = Annotated[int, Meta(ge=1, le=limits.FEATURES)]
Total = Annotated[int, Meta(ge=0, le=limits.ARCHIVE_BYTES)]
Clock = Annotated[float, Meta(ge=0, le=1e11)]  # seconds since 1970
Frequencies = Annotated[int, Meta(ge=0, le=limits.FIELD_FREQUENCIES)]


class File(Struct):
    """A file of the scene."""

    name: Annotated[str, Meta(max_length=PATH_LENGTH, pattern=SAFE_PATH)]
    size_bytes: Annotated[int, Meta(ge=1, le=limits.SEGMENT_BYTES)]
    crc32: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    sha256: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{43}\Z")] | None = None
    at: Annotated[int, Meta(ge=0, le=limits.ARCHIVE_BYTES)] | None = None


class Poster(Struct):
    """The picture of the opening view."""

    file: File
    width: Annotated[int, Meta(ge=1, le=limits.POSTER_SIDE_PX)]
    height: Annotated[int, Meta(ge=1, le=limits.POSTER_SIDE_PX)]
    fov_y_rad: Angle


class Preset(Struct):
    """A named camera."""

    name: Text
    position: Triple
    target: Triple
    fov_y_rad: Angle


class FilmedView(Struct):
    """What a camera of the capture saw."""

    position: Triple
    forward: UnitVector
    up: UnitVector
    fov_x_rad: Angle
    fov_y_rad: Angle


class SceneMeta(Struct):
    """The description of the scene."""

    title: Text
    fps: Annotated[float, Meta(ge=0.01, le=1000.0)]
    up: Triple
    center: Triple
    radius: Annotated[float, Meta(ge=0, le=1e9)]
    background: tuple[Share, Share, Share]
    width: VideoSide
    height: VideoSide
    near: Positive
    licence: Text
    attribution: Text
    presets: Annotated[tuple[Preset, ...], Meta(max_length=limits.PRESETS)]
    filmed: Annotated[tuple[FilmedView, ...], Meta(max_length=limits.FILMED_VIEWS)] = ()
    isolated: bool | None = None
    has_background: bool = True


class Tiles(Struct):
    """The tiling of the feature video."""

    height: Side
    width: Side
    features: Features
    columns: Features


class Representation(Struct):
    """One quality of the feature video."""

    qp: Annotated[int, Meta(ge=0, le=63)]
    codec: Codec
    codecs: Annotated[str, Meta(max_length=100)]
    init: File
    height: Side | UnsetType = UNSET
    static: Annotated[int, Meta(ge=0, le=limits.LAYERS)] | UnsetType = UNSET


class Curve(Struct):
    """The curve of far distances."""

    center: Channels
    unit: Positive


class Quantiser(Struct):
    """How one attribute becomes codes."""

    bits: Annotated[int, Meta(ge=1, le=16)]
    offset: Channels
    step: Annotated[
        tuple[Annotated[float, Meta(ge=0, le=1e9)], ...], Meta(max_length=limits.FEATURES)
    ]
    curve: Curve | UnsetType = UNSET


class Attributes(Struct):
    """The attributes of a layer."""

    means: Quantiser
    quats: Quantiser
    log_scales: Quantiser
    opacity_logits: Quantiser
    colors: Quantiser
    velocities: Quantiser | UnsetType = UNSET
    centers: Quantiser | UnsetType = UNSET
    log_extents: Quantiser | UnsetType = UNSET


class Layer(Struct):
    """The Gaussians of one file."""

    file: File
    count: Annotated[int, Meta(ge=1, le=limits.GAUSSIANS_PER_LAYER)]
    height: Side
    width: Side
    attributes: Attributes
    quality_db: Decibels | UnsetType = UNSET


class FieldShape(Struct):
    """The shape of a deformation field."""

    features: Features
    window: Annotated[int, Meta(ge=1, le=limits.WINDOW)]
    width: Annotated[int, Meta(ge=1, le=limits.FIELD_WIDTH)]
    time_frequencies: Frequencies
    position_frequencies: Frequencies
    extent: Positive


class Segment(Struct):
    """The feature video of one GOP at one quality."""

    file: File
    psnr_db: Decibels
    quality_db: Decibels | UnsetType = UNSET
    layers: Annotated[int, Meta(ge=0, le=limits.LAYERS)] | UnsetType = UNSET


class SoundFile(Struct):
    """A file of the sound track."""

    name: Annotated[str, Meta(max_length=PATH_LENGTH, pattern=SAFE_PATH)]
    size_bytes: Annotated[int, Meta(ge=1, le=limits.SOUND_SEGMENT_BYTES)]
    crc32: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    sha256: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{43}\Z")] | None = None


class Gop(Struct):
    """One group of pictures."""

    start_frame: Annotated[int, Meta(ge=0, le=limits.PAGED_GOPS * limits.FRAMES_PER_GOP)]
    frames: Annotated[int, Meta(ge=1, le=limits.FRAMES_PER_GOP)]
    layers: Annotated[tuple[Layer, ...], Meta(max_length=limits.LAYERS)]
    features: Quantiser
    field: File
    field_config: FieldShape
    segments: Annotated[tuple[Segment, ...], Meta(max_length=limits.QUALITIES)]
    shown: Annotated[int, Meta(ge=0, le=limits.GAUSSIANS_PER_LAYER)] | UnsetType = UNSET
    sound: SoundFile | UnsetType = UNSET


class Totals(Struct):
    """Sums over all GOPs of a scene with pages."""

    fields: Total
    keyframes: Annotated[tuple[Total, ...], Meta(max_length=limits.QUALITIES)]
    features: Annotated[tuple[Total, ...], Meta(max_length=limits.QUALITIES)]
    quality_db: Annotated[tuple[Decibels | None, ...], Meta(max_length=limits.QUALITIES)]


class Pages(Struct):
    """Where the GOPs are that scene.json does not list."""

    count: Annotated[int, Meta(ge=1, le=limits.PAGED_GOPS)]
    first: Annotated[int, Meta(ge=0, le=limits.PAGED_GOPS)]
    times: Annotated[
        tuple[
            tuple[
                Annotated[int, Meta(ge=1, le=limits.FRAMES_PER_GOP)],
                Annotated[int, Meta(ge=1, le=limits.PAGED_GOPS)],
            ],
            ...,
        ],
        Meta(min_length=1, max_length=limits.TIME_RUNS),
    ]
    totals: Totals
    available: Annotated[int, Meta(ge=0, le=limits.PAGED_GOPS)] = 0
    index: File | None = None


class Live(Struct):
    """A scene that grows."""

    start_s: Clock
    anchor_frame: Annotated[int, Meta(ge=0, le=limits.PAGED_GOPS * limits.FRAMES_PER_GOP)]
    anchor_s: Clock
    edge_s: Clock
    update_s: Annotated[float, Meta(ge=0.01, le=3600)]


class Page(Struct):
    """A page: GOPs that follow each other and share their static layers."""

    gops: Annotated[tuple[Gop, ...], Meta(min_length=1, max_length=limits.GOPS_PER_PAGE)]
    static: Annotated[tuple[Layer, ...], Meta(max_length=limits.LAYERS)] | UnsetType = UNSET
    no_static_db: Decibels | UnsetType = UNSET


class SoundSegment(Struct):
    """Some seconds of sound."""

    file: SoundFile
    samples: Annotated[int, Meta(ge=1, le=limits.SOUND_SEGMENT_SAMPLES)]


class Sound(Struct):
    """The sound of the scene; without `segments` each GOP has its own."""

    codecs: Literal["opus"]
    channels: Annotated[int, Meta(ge=1, le=2)]
    delay: Annotated[int, Meta(ge=0, le=limits.SOUND_DELAY)]
    init: SoundFile
    segments: (
        Annotated[tuple[SoundSegment, ...], Meta(min_length=1, max_length=limits.SOUND_SEGMENTS)]
        | UnsetType
    ) = UNSET


class AnyHeader(Struct):
    """The member that tells a manifest from other documents."""

    format: Any = None


class Header(Struct):
    """The member that tells whether this program can read the rest."""

    version: Annotated[int, Meta(ge=0, le=1 << 31)]


class Document(Struct):
    """All of scene.json; `pages` and `live` only count from version 4 on."""

    meta: SceneMeta
    tiles: Tiles = field(name="features")
    representations: Annotated[
        tuple[Representation, ...], Meta(min_length=1, max_length=limits.QUALITIES)
    ] = field(name="rungs")
    static: Annotated[tuple[Layer, ...], Meta(max_length=limits.LAYERS)]
    gops: Annotated[tuple[Gop, ...], Meta(min_length=1, max_length=limits.GOPS)]
    no_static_db: Decibels | UnsetType = UNSET
    poster: Raw = Raw(b"")
    pages: Pages | None = None
    live: Live | None = None
    sound: Raw = Raw(b"")
