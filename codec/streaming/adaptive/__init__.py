"""The adaptive policy: what to fetch next. Pure; knows no clock, no network, no files.

manifest -> Ladder;  transfers -> ThroughputMeter;  both -> decide, reconsider -> Decision

Each rule is one class in a module of its own and declares its parameters with unit and meaning;
`policy` asks them in order. docs/streaming.md explains them.
"""

from streamstgs.codec.streaming.adaptive.abandon_rule import AbandonRule
from streamstgs.codec.streaming.adaptive.budget_rule import BudgetRule, arrival_s
from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    BufferedSegment,
    Decision,
    FetchLayer,
    FetchSegment,
    InFlight,
    LayerInFlight,
    NextStep,
    Revision,
    SegmentInFlight,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.ladder import GopLadder, Ladder, ladder_of
from streamstgs.codec.streaming.adaptive.layer_rule import LayerRule
from streamstgs.codec.streaming.adaptive.policy import AdaptiveSettings, decide, reconsider
from streamstgs.codec.streaming.adaptive.throughput import (
    Throughput,
    ThroughputMeter,
    ThroughputSettings,
)
from streamstgs.codec.streaming.adaptive.upgrade_rule import UpgradeRule

__all__ = [
    "AbandonRule",
    "Abort",
    "AdaptiveSettings",
    "BudgetRule",
    "BufferedSegment",
    "Decision",
    "FetchLayer",
    "FetchSegment",
    "GopLadder",
    "InFlight",
    "Ladder",
    "LayerInFlight",
    "LayerRule",
    "NextStep",
    "Revision",
    "SegmentInFlight",
    "Situation",
    "Throughput",
    "ThroughputMeter",
    "ThroughputSettings",
    "UpgradeRule",
    "Wait",
    "arrival_s",
    "decide",
    "ladder_of",
    "reconsider",
]
