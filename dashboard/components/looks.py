"""The cards of Needs a look: seat, sentence, since when, the last five minutes."""

from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components.tiles import state_colour
from dashboard.theme import PALETTES, Scheme
from dashboard.wording import RULES, STATES, clock, count, duration
from engagement.emotion import EXPRESSIONS, VALENCE
from engagement.records import Rule, State

SPARK_SPAN: Final = timedelta(minutes=5)

_WIDTH, _HEIGHT, _STRIP = 112, 26, 5
_ACCENTS = {
    Rule.ABSENT: state_colour(State.NO_FACE),
    Rule.TURNED_AWAY: state_colour(State.TURNED_AWAY),
    Rule.LOW_MOOD: "var(--cp-note)",
    Rule.SUDDEN_CHANGE: "var(--cp-note)",
    Rule.CLASS_DIP: "var(--cp-low)",
}


def look_cards(
    episodes: pd.DataFrame,
    names: dict[int, str],
    readings: pd.DataFrame,
    now: datetime,
    scheme: Scheme,
    zone: tzinfo | None,
) -> list[Component]:
    """Cards of the open episodes, the newest first; cameras that are off share one quiet card at the end.

    Args:
        episodes: open ones, as from `queries.episodes`.
        names: display name per seat number.
        readings: of at least the seats concerned over `SPARK_SPAN`, as from `queries.readings_since`.
        now: time of the last interval, aware UTC.
        scheme: light or dark.
        zone: of the viewer.
    """
    newest_first = episodes.sort_values("started_at", ascending=False, kind="stable")
    asking = newest_first[newest_first["rule"] != Rule.CAMERA_OFF.value]
    cards = []
    for episode in asking.to_dict("records"):
        seat = None if pd.isna(episode["seat"]) else int(episode["seat"])
        own = readings[readings["seat"] == seat] if seat is not None else readings.iloc[:0]
        cards.append(_card(episode, _who(seat, names), own, now, scheme, zone))
    off = newest_first[newest_first["rule"] == Rule.CAMERA_OFF.value]
    if not off.empty:
        cards.append(
            _cameras_off(
                [
                    (_who(seat, names), since)
                    for seat, since in zip(off["seat"], off["started_at"], strict=True)
                ],
                zone,
            )
        )
    return cards


def heading(episodes: pd.DataFrame) -> str:
    """How many ask for a look, such as "2 need a look"; information does not count."""
    asking = int((episodes["rule"] != Rule.CAMERA_OFF.value).sum())
    if asking == 0:
        return "Nobody needs a look"
    return f"{count(asking, 'needs', 'need')} a look"


def calm() -> Component:
    """What stands where there is nothing to show."""
    return html.Div([html.Strong("All calm"), "No seat meets an attention rule."], className="cp-calm")


def _card(
    episode: dict[Any, Any],
    name: str,
    readings: pd.DataFrame,
    now: datetime,
    scheme: Scheme,
    zone: tzinfo | None,
) -> Component:
    rule = Rule(episode["rule"])
    since = episode["started_at"].to_pydatetime()
    foot: list[Component | str] = [
        html.Span(f"since {clock(since, zone)} ({duration((now - since).total_seconds())})"),
    ]
    if not readings.empty:
        foot.append(html.Img(src=sparkline(readings, now, scheme), alt=describe(readings)))
    return html.Li(
        [
            html.Div(
                [html.Span(name, className="cp-look-name"), html.Span(RULES[rule], className="cp-badge")],
                className="cp-look-top",
            ),
            html.Div(str(episode["reason"]), className="cp-look-reason"),
            html.Div(foot, className="cp-look-foot"),
        ],
        className="cp-look",
        style={"--accent": _ACCENTS[rule]},
    )


def _cameras_off(seats: list[tuple[str, pd.Timestamp]], zone: tzinfo | None) -> Component:
    return html.Li(
        [
            html.Div(
                [
                    html.Span(name, className="cp-look-name"),
                    html.Span(f"since {clock(since, zone)}", className="cp-muted cp-small"),
                ],
                className="cp-look-top",
            )
            for name, since in seats
        ]
        + [html.Div(f"{count(len(seats), 'camera')} off, for your information", className="cp-look-foot")],
        className="cp-look cp-look-quiet",
    )


def _who(seat: int | None, names: dict[int, str]) -> str:
    if seat is None or pd.isna(seat):
        return "The class"
    return names.get(int(seat), f"Seat {seat}")


def sparkline(readings: pd.DataFrame, now: datetime, scheme: Scheme) -> str:
    """The last five minutes of one seat as an SVG data address: the valence as a line where it was read, the states
    as a strip below. Made of numbers only."""
    palette = PALETTES[scheme]
    recent = readings[readings["started_at"] > pd.Timestamp(now - SPARK_SPAN)]
    age = (pd.Timestamp(now) - recent["started_at"]).dt.total_seconds()
    x = (1 - age / SPARK_SPAN.total_seconds()) * _WIDTH
    step = _WIDTH / max(2, len(recent)) + 0.6
    strip = "".join(
        f'<rect x="{left - step:.1f}" y="{_HEIGHT - _STRIP}" width="{step:.1f}" height="{_STRIP}" '
        f'fill="{palette.states[State(state)]}"/>'
        for left, state in zip(x, recent["state"], strict=True)
    )
    valence = (
        seat_valence(recent).ewm(span=8, ignore_na=True).mean().where(recent["state"] == State.SEEN.value)
    )
    middle, room = (_HEIGHT - _STRIP - 2) / 2, (_HEIGHT - _STRIP - 6) / 2
    path, drawing = [], False
    for left, value in zip(x, valence, strict=True):
        if np.isnan(value):
            drawing = False
            continue
        height = middle - max(-1.0, min(1.0, float(value) / 0.8)) * room
        path.append(f"{'L' if drawing else 'M'}{left:.1f} {height:.1f}")
        drawing = True
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<path d="M0 {middle}H{_WIDTH}" stroke="{palette.grid}" stroke-width="1"/>{strip}'
        f'<path d="{"".join(path)}" fill="none" stroke="{palette.mood}" stroke-width="1.6" '
        'stroke-linejoin="round"/></svg>'
    )
    return "data:image/svg+xml," + quote(svg)


def seat_valence(readings: pd.DataFrame) -> "pd.Series[float]":
    """Valence per reading, -1..1, NaN where no expression was read."""
    probabilities = readings[list(EXPRESSIONS)].astype(float)
    return pd.Series(probabilities.to_numpy() @ VALENCE.astype(float), index=readings.index)


def describe(readings: pd.DataFrame) -> str:
    """The sparkline in words."""
    shares = readings["state"].value_counts(normalize=True)
    words = ", ".join(f"{STATES[State(str(state))]} {share:.0%}" for state, share in shares.items())
    return f"Last 5 minutes: {words}".replace("%", " %")
