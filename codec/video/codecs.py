"""The codecs of the feature video."""

from typing import Literal

Codec = Literal["hevc", "h264"]
SAMPLE_ENTRIES = {"hevc": "hvc1", "h264": "avc1"}  # of ISO/IEC 14496-15
