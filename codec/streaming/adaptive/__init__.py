"""Adaptive bitrate: what to fetch next. Pure; knows no clock, no network, no files.

manifest -> Ladder;  transfers -> ThroughputMeter;  both -> decide, reconsider -> Decision
"""

from streamstgs.codec.streaming.adaptive.budget import BudgetSettings
from streamstgs.codec.streaming.adaptive.choice import AdaptiveSettings, arrival_s, decide
from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    Decision,
    FetchLayer,
    FetchSegment,
    Held,
    InFlight,
    NextStep,
    Revision,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.in_flight import give_up_features, reconsider
from streamstgs.codec.streaming.adaptive.ladder import GopLadder, Ladder, ladder_of
from streamstgs.codec.streaming.adaptive.static_layers import LayerScheduleSettings
from streamstgs.codec.streaming.adaptive.throughput import (
    Throughput,
    ThroughputMeter,
    ThroughputSettings,
)
from streamstgs.codec.streaming.adaptive.upgrades import UpgradeSettings

__all__ = [
    "Abort",
    "AdaptiveSettings",
    "BudgetSettings",
    "Decision",
    "FetchLayer",
    "FetchSegment",
    "GopLadder",
    "Held",
    "InFlight",
    "Ladder",
    "LayerScheduleSettings",
    "NextStep",
    "Revision",
    "Situation",
    "Throughput",
    "ThroughputMeter",
    "ThroughputSettings",
    "UpgradeSettings",
    "Wait",
    "arrival_s",
    "decide",
    "give_up_features",
    "ladder_of",
    "reconsider",
]
