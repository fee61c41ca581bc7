"""Adaptive bitrate: what to fetch next. Pure; knows no clock, no network, no files.

manifest -> Ladder;  transfers -> ThroughputMeter;  both -> decide -> Decision
"""

from codec.streaming.adaptive.budget import BudgetSettings
from codec.streaming.adaptive.choice import AdaptiveSettings, arrival_s, decide, reconsider
from codec.streaming.adaptive.decision import Decision, InFlight, Situation, Step
from codec.streaming.adaptive.ladder import GopLadder, Ladder, ladder_of
from codec.streaming.adaptive.static_layers import StaticSettings
from codec.streaming.adaptive.throughput import Throughput, ThroughputMeter, ThroughputSettings

__all__ = [
    "AdaptiveSettings",
    "BudgetSettings",
    "Decision",
    "GopLadder",
    "InFlight",
    "Ladder",
    "Situation",
    "StaticSettings",
    "Step",
    "Throughput",
    "ThroughputMeter",
    "ThroughputSettings",
    "arrival_s",
    "decide",
    "ladder_of",
    "reconsider",
]
