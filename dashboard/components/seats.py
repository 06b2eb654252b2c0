"""The gallery as a map of seats, in the order of the window. No faces."""

import math
from collections.abc import Collection, Sequence
from functools import lru_cache

from dash import html
from dash.development.base_component import Component

from dashboard.components.tiles import state_colour
from dashboard.wording import STATE_SYMBOLS, STATES
from engagement.records import State

_AWAY = frozenset({State.NO_FACE, State.CAMERA_OFF, State.OPTED_OUT})


def seat_map(
    states: Sequence[tuple[int, str]], names: dict[int, str], flagged: Collection[int | None]
) -> Component:
    """One cell per seat with its name and its state in words, by colour and by symbol.

    Args:
        states: of the last interval, as from `queries.seat_states`.
        names: display name per seat number.
        flagged: seats that need a look; they get a frame and say so.
    """
    return html.Ul(
        [
            _cell(names.get(seat, f"Seat {seat}"), State(state), flagged=seat in flagged)
            for seat, state in states
        ],
        className="cp-map",
        style={"--columns": str(columns(len(states))), "listStyle": "none", "padding": 0, "marginBottom": 0},
    )


def columns(seats: int) -> int:
    """Columns of a gallery of this many tiles, as Zoom lays them out: about as many rows as columns."""
    return max(1, math.ceil(math.sqrt(seats)))


# most seats are as they were at the last interval
@lru_cache(maxsize=1024)
def _cell(name: str, state: State, *, flagged: bool) -> Component:
    classes = ["cp-seat"]
    if state in _AWAY:
        classes.append("cp-seat-away")
    if flagged:
        classes.append("cp-seat-flagged")
    title: list[Component | str] = [name]
    if flagged:
        title += [
            html.Span("⚑", className="cp-flag", title="needs a look", **{"aria-label": ", needs a look"})
        ]
    return html.Li(
        [
            html.Div(title, className="cp-seat-name", title=name),
            html.Div(STATES[state], className="cp-seat-state", **{"data-symbol": STATE_SYMBOLS[state]}),
        ],
        className=" ".join(classes),
        style={"--accent": state_colour(state)},
    )
