"""A finite state machine driven by a table of transitions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)
Transitions = Mapping[State, Mapping[Event, State]]


class StateMachine(Generic[State, Event]):
    """Holds a state and changes it as the table says. Not locked: belongs to its owner.

    Args:
        initial: The first state.
        transitions: State -> event -> next state. An event that a state does not list is refused:
            it changes nothing.
    """

    def __init__(self, initial: State, transitions: Transitions[State, Event]) -> None:
        self._state = initial
        self._transitions = transitions

    @property
    def state(self) -> State:
        return self._state

    def handle(self, event: Event) -> bool:
        """Change the state; returns whether the event was accepted."""
        following = self._transitions.get(self._state, {}).get(event)
        if following is None:
            return False
        self._state = following
        return True
