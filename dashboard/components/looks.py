"""The cards of Needs a look: seat, every reason, since when, the last five minutes, two answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components.tiles import state_colour
from dashboard.theme import PALETTES, Scheme
from dashboard.wording import STATES, clock
from engagement.emotion import EXPRESSIONS, VALENCE
from engagement.phrases import count, duration
from engagement.records import EpisodeMark, Rule, State

SPARK_SPAN: Final = timedelta(minutes=5)

_WIDTH, _HEIGHT, _STRIP = 112, 26, 5
_ACCENTS = {
    Rule.ABSENT: state_colour(State.NO_FACE),
    Rule.TURNED_AWAY: state_colour(State.TURNED_AWAY),
    Rule.LOW_MOOD: "var(--cp-note)",
    Rule.SUDDEN_CHANGE: "var(--cp-note)",
    Rule.CLASS_DIP: "var(--cp-low)",
}


BACK_AFTER: Final = timedelta(minutes=5)
"""A card that was answered "not now" comes back after so long."""


@dataclass(frozen=True, slots=True)
class Card:
    """One seat, or the class, with everything that asks for a look at it.

    Attributes:
        seat: its number, None for the class.
        episodes: the open ones as records of `queries.episodes`, those that ask before those that were seen, the
            newest first.
        asking: how many of them ask.
        back_at: when a card that steps back comes again, by the clock on the wall; None for one that asks or was seen.
        seen_at: when the last of its episodes was marked seen, by the same clock; None for one that asks or steps back.
    """

    seat: int | None
    episodes: tuple[dict[Any, Any], ...]
    asking: int
    back_at: datetime | None
    seen_at: datetime | None

    @property
    def ids(self) -> list[int]:
        """The episodes that its buttons answer for: those that ask, else all."""
        return [int(episode["id"]) for episode in self.episodes[: self.asking or None]]


def cards(episodes: pd.DataFrame, now: datetime) -> list[Card]:
    """One card per seat, those that ask first, each group with what is most recent on top.

    Args:
        episodes: open ones, as from `queries.episodes`; cameras that are off are information and get no card.
        now: aware, the clock on the wall.
    """
    of_rules = episodes[episodes["rule"] != Rule.CAMERA_OFF.value]
    newest_first = of_rules.sort_values("started_at", ascending=False, kind="stable").to_dict("records")
    by_seat: dict[int | None, list[dict[Any, Any]]] = {}
    for episode in newest_first:
        seat = None if pd.isna(episode["seat"]) else int(episode["seat"])
        by_seat.setdefault(seat, []).append(episode)
    found = [_card_of(seat, own, now) for seat, own in by_seat.items()]
    return sorted(found, key=lambda card: (card.asking == 0, -card.episodes[0]["started_at"].timestamp()))


def _card_of(seat: int | None, episodes: list[dict[Any, Any]], now: datetime) -> Card:
    asking = [episode for episode in episodes if _asks(episode, now)]
    rest = [episode for episode in episodes if not _asks(episode, now)]
    waiting = [_back_at(one) for one in rest if one["mark"] == EpisodeMark.NOT_NOW]
    seen = [one["marked_at"].to_pydatetime() for one in rest if one["mark"] == EpisodeMark.SEEN]
    return Card(
        seat=seat,
        episodes=(*asking, *rest),
        asking=len(asking),
        back_at=min(waiting) if waiting and not asking else None,
        seen_at=max(seen) if seen and not waiting and not asking else None,
    )


def _asks(episode: dict[Any, Any], now: datetime) -> bool:
    if pd.isna(episode["mark"]):
        return True
    return episode["mark"] == EpisodeMark.NOT_NOW and now >= _back_at(episode)


def _back_at(episode: dict[Any, Any]) -> datetime:
    back: datetime = episode["marked_at"].to_pydatetime() + BACK_AFTER
    return back


def look_card(
    card: Card,
    name: str,
    readings: pd.DataFrame | None,
    now: datetime,
    scheme: Scheme,
    zone: tzinfo | None,
) -> Component:
    """A card that asks: who, every reason since when, the last five minutes, and two answers.

    Args:
        card: with at least one episode that asks.
        name: of its seat.
        readings: of its seat over `SPARK_SPAN`, as from `queries.readings_since`; None for its words alone.
        now: time of the last interval, aware UTC, on the session's own clock.
        scheme: light or dark.
        zone: of the viewer.
    """
    top: list[Component] = [html.Span(name, className="cp-look-name")]
    if readings is not None and not readings.empty:
        top.append(html.Img(src=sparkline(readings, now, scheme), alt=describe(readings)))
    answers = html.Div(
        [
            _answer("Seen", EpisodeMark.SEEN, card, f"Seen: {name} leaves the list until something new"),
            _answer("Not now", EpisodeMark.NOT_NOW, card, f"Not now: {name} comes back in 5 minutes"),
            html.Span("back in 5 min", className="cp-look-hint"),
        ],
        className="cp-look-answers",
    )
    reasons = [
        _reason(episode, now, zone, asks=place < card.asking) for place, episode in enumerate(card.episodes)
    ]
    return html.Li(
        [html.Div(top, className="cp-look-top"), *reasons, answers],
        id=f"now-look-{card.seat or 0}",
        className="cp-look",
        style={"--accent": _ACCENTS[Rule(card.episodes[0]["rule"])]},
        **{"data-seat": str(card.seat or 0)},
    )


def _reason(episode: dict[Any, Any], now: datetime, zone: tzinfo | None, *, asks: bool) -> Component:
    since = episode["started_at"].to_pydatetime()
    told = f"since {clock(since, zone)} ({duration((now - since).total_seconds())})"
    if not asks:
        told += ", seen" if episode["mark"] == EpisodeMark.SEEN else ", not now"
    return html.Div(
        [html.Span(str(episode["reason"])), html.Span(told, className="cp-look-since")],
        className="cp-look-reason" if asks else "cp-look-reason cp-muted",
    )


def _answer(text: str, mark: EpisodeMark | None, card: Card, label: str) -> Component:
    answered = "" if mark is None else str(mark)
    return html.Button(
        text,
        id=f"now-answer-{answered}-{'-'.join(str(number) for number in card.ids)}",
        className="cp-text-button" if mark is None else "cp-answer",
        title=label,
        **{
            "aria-label": label,
            "data-mark": answered,
            "data-episodes": " ".join(str(number) for number in card.ids),
        },
    )


def set_aside(aside: Sequence[Card], names: Mapping[int, str], zone: tzinfo | None) -> Component:
    """The cards that were answered, one line each, with the way back."""
    rows = []
    for card in aside:
        name = who(card.seat, names)
        at = card.back_at or card.seen_at
        told = "" if at is None else f"{'back at' if card.back_at else 'seen'} {clock(at, zone)}"
        rows.append(
            html.Li(
                [
                    html.Span(name, className="cp-aside-name"),
                    html.Span(told, className="cp-muted"),
                    _answer("Undo", None, card, f"Undo: {name} is shown again"),
                ],
                id=f"now-aside-{card.seat or 0}",
                **{"data-seat": str(card.seat or 0)},
            )
        )
    return html.Ul(rows, className="cp-aside", **{"aria-label": "Set aside"})


def cameras_off(episodes: pd.DataFrame, names: Mapping[int, str], zone: tzinfo | None) -> Component | None:
    """The cameras that are off, folded: for information only; None where there are none."""
    off = episodes[episodes["rule"] == Rule.CAMERA_OFF.value].sort_values("started_at", ascending=False)
    if off.empty:
        return None
    rows = [
        html.Li(
            [
                html.Span(who(int(seat), names), className="cp-aside-name"),
                html.Span(f"since {clock(since.to_pydatetime(), zone)}", className="cp-muted"),
            ]
        )
        for seat, since in zip(off["seat"], off["started_at"], strict=True)
    ]
    return html.Details(
        [html.Summary(f"{count(len(rows), 'camera')} off for long"), html.Ul(rows, className="cp-aside")],
        id="now-cameras-off",
        className="cp-cameras-off",
    )


def who(seat: int | None, names: Mapping[int, str]) -> str:
    """The name of a seat, or that it is the class."""
    return "The class" if seat is None else names.get(seat, f"Seat {seat}")


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
