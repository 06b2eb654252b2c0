"""The three tiles that tell the class in one look."""

from dash import html
from dash.development.base_component import Component

from dashboard.glance import Glance
from dashboard.wording import STATES, Advice, percent
from engagement.records import State


def tile(label: str, big: str, track: Component, detail: str, *, wide: bool = False) -> Component:
    """One tile: what it is, one figure or word, a bar, one line beside it."""
    return html.Div(
        [
            html.Div(label, className="cp-tile-label"),
            html.Div(big, className="cp-tile-big"),
            track,
            html.Div(detail or "\N{NO-BREAK SPACE}", className="cp-tile-sub", title=detail),
        ],
        className="cp-paper cp-tile cp-tile-wide" if wide else "cp-paper cp-tile",
    )


def glance_tiles(state: Glance, *, with_mood: bool) -> list[Component]:
    """Mood (where it may be read), coverage, facing."""
    tiles = [
        tile("Seats read", state.coverage, states_track(state.states), others(state), wide=True),
        tile(
            "Facing the screen",
            state.facing_text,
            share_track(state.facing),
            "of the faces that were found" if state.facing is not None else "no face was found",
        ),
    ]
    if with_mood:
        label = "Mood" if state.of_class else "Mood of those who were read"
        tiles.insert(0, tile(label, state.mood, gauge(state), state.detail))
    return tiles


def nothing_known(since: str, why: Advice, *, wanted: bool) -> Component:
    """What stands in the place of the tiles where nothing is known of the class.

    Args:
        since: that nothing is known, and since when.
        why: the reason and what to do.
        wanted: whether it is as it should be; else it looks like an alarm.
    """
    return html.Div(
        [html.Strong(since), html.B(why.title), html.Span(why.text)],
        className="cp-notice cp-wanted" if wanted else "cp-notice",
        role="status",
    )


def gauge(state: Glance) -> Component:
    """Where the valence stands between -1 and 1, with its band."""
    marks = [html.Span(className="cp-middle")]
    if state.valence is not None and state.low is not None and state.high is not None:
        marks += [
            html.Span(
                className="cp-band",
                style={"left": _place(state.low), "width": f"{(state.high - state.low) * 50:.1f}%"},
            ),
            html.Span(className="cp-dot", style={"left": _place(state.valence)}),
        ]
    return html.Div(marks, className="cp-gauge", **{"aria-hidden": "true"})


def states_track(states: dict[State, int]) -> Component:
    """The states of the seats as one bar."""
    return html.Div(
        [
            html.Span(style={"flex": str(number), "background": state_colour(state)}, title=STATES[state])
            for state, number in states.items()
        ],
        className="cp-track",
        **{"aria-hidden": "true"},
    )


def share_track(share: float | None) -> Component:
    """A share as a bar."""
    filled = html.Span(
        style={"width": f"{(share or 0) * 100:.0f}%", "background": "var(--cp-mood)"}, title=percent(share)
    )
    return html.Div(filled, className="cp-track", **{"aria-hidden": "true"})


def others(state: Glance) -> str:
    """Who was not read and why, such as "1 turned away · 2 camera off"."""
    if state.not_observed is not None:
        return "nothing was observed"
    rest = [f"{number} {STATES[one]}" for one, number in state.states.items() if one is not State.SEEN]
    return " · ".join(rest) or ("everybody was read" if state.states else "nobody is there")


def state_colour(state: State) -> str:
    """The colour of a state as a CSS variable."""
    return f"var(--cp-state-{state.replace('_', '-')})"


def _place(value: float) -> str:
    return f"{(value + 1) * 50:.1f}%"
