"""What was read on one picture: marks on it, a card for each face, and what a class would have stored of it."""

from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from dashboard.controls import PictureReading
from dashboard.glance import mood_in_words
from dashboard.wording import EXPRESSIONS, NOT_OBSERVED, STATE_SYMBOLS, STATES, WITHHELD, percent
from engagement.emotion import EXPRESSIONS as ORDER
from engagement.phrases import count, signed
from engagement.policy import Policy
from engagement.records import Box, HeadPose, IntervalRecord, Mode, State, TileReading

_STRAIGHT: Final = 5.0
"""Degrees within which a head is said to look straight ahead."""


def marks(read: PictureReading) -> list[Component]:
    """The tiles and faces, to lie over the picture; one that opted out is covered."""
    return [
        mark
        for number, one in enumerate(read.readings, start=1)
        for mark in _marks(one, number, read.width, read.height)
    ]


def _marks(one: TileReading, number: int, width: int, height: int) -> list[Component]:
    top = _top(one)
    words = [html.B(str(number)), html.Span(STATES[one.state] if top is None else top)]
    out = " cp-try-out" if one.state is State.OPTED_OUT else ""
    found: list[Component] = [
        html.Div(html.Span(words), className=f"cp-view-tile{out}", style=_placed(one.tile.box, width, height))
    ]
    if one.face is not None:
        found.append(html.Div(className="cp-view-face", style=_placed(one.face.box, width, height)))
    return found


def _placed(box: Box, width: int, height: int) -> dict[str, str]:
    inside = box.clipped(width, height)
    shares = (inside.left / width, inside.top / height, inside.width / width, inside.height / height)
    return dict(zip(("left", "top", "width", "height"), (f"{100 * one:.2f}%" for one in shares), strict=True))


def headline(read: PictureReading) -> str:
    """Such as "16 tiles, 15 faces, 12 read"."""
    record = read.record
    told = [
        count(record.tiles, "tile") if record.grid and record.tiles else "No gallery",
        count(record.faces, "face") if record.faces else "no face",
    ]
    if record.faces and read.mode is not Mode.PARTICIPATION:
        told.append(f"{record.faces_read} read")
    return ", ".join(told)


def result(read: PictureReading) -> Component:
    """The headline, a card for each tile, and what would be stored."""
    ms = read.timings_ms["total"]
    return html.Div(
        [
            html.Section(
                [
                    html.Div(
                        [
                            html.H2("Face by face"),
                            html.Span(
                                f"{read.width} x {read.height}, {ms:.0f} ms", className="cp-small cp-muted"
                            ),
                        ],
                        className="cp-heading",
                    ),
                    _of_each(read),
                ],
                className="cp-paper",
                **{"aria-label": "What was read"},
            ),
            html.Section(
                [html.Div(html.H2("What a class would store of it"), className="cp-heading"), stored(read)],
                className="cp-paper",
                **{"aria-label": "What a class would store of it"},
            ),
        ],
        className="cp-try-result",
    )


def _of_each(read: PictureReading) -> Component:
    if read.withheld:
        return html.P(WITHHELD)
    if not read.readings:
        return html.P(
            "No tile and no face was found. A face needs some 20 pixels of height, and light.",
            className="cp-muted",
        )
    each = [_card(one, number) for number, one in enumerate(read.readings, start=1)]
    return html.Ul(each, className="cp-try-cards", tabIndex="0", **{"aria-label": "Tiles and faces"})


def _card(one: TileReading, number: int) -> Component:
    name = one.label.name or ("Face" if one.tile.label_box is None else "Tile")
    return html.Li(
        [
            html.Div(
                [
                    html.Span(str(number), className="cp-try-number"),
                    html.B(name),
                    html.Span(
                        [
                            html.Span(STATE_SYMBOLS[one.state], **{"aria-hidden": "true"}),
                            f" {STATES[one.state]}",
                        ],
                        className="cp-muted",
                    ),
                ],
                className="cp-try-who",
            ),
            _bars(one),
            _quality(one),
        ],
        className="cp-try-card",
    )


def _bars(one: TileReading) -> Component | None:
    """A bar for each expression, longest to the right; the likeliest stands out."""
    if one.probabilities is None:
        return None
    shares = {name: float(p) for name, p in zip(ORDER, one.probabilities, strict=True)}
    likeliest = max(shares, key=lambda name: shares[name])
    rows: list[Any] = []
    for name, word in EXPRESSIONS.items():
        share = shares[name]
        mark = " cp-try-likeliest" if name == likeliest else ""
        rows += [
            html.Dt(word, className=f"cp-try-word{mark}"),
            html.Dd(
                [
                    html.Span(
                        html.Span(className=f"cp-try-fill{mark}", style={"width": f"{100 * share:.1f}%"}),
                        className="cp-try-bar",
                        **{"aria-hidden": "true"},
                    ),
                    html.Span(percent(share), className="cp-try-share"),
                ]
            ),
        ]
    return html.Dl(rows, className="cp-try-bars")


def _quality(one: TileReading) -> Component | None:
    """How well it could be read, and where the head is turned; told of each only where each is told of."""
    if one.face is None or (one.probabilities is None and one.pose is None):
        return None
    told = [f"Quality {percent(one.quality)}", f"{one.face.box.height} px high"]
    if one.pose is not None:
        told.append(_turned(one.pose))
    return html.P(", ".join(told), className="cp-small cp-muted cp-try-quality")


def _turned(pose: HeadPose) -> str:
    """Where a head is turned, as seen on the picture."""
    ways = [
        f"{abs(degrees):.0f}° {positive if degrees > 0 else negative}"
        for degrees, positive, negative in ((pose.yaw, "right", "left"), (pose.pitch, "up", "down"))
        if abs(degrees) >= _STRAIGHT
    ]
    return f"head {' and '.join(ways)}" if ways else "head straight"


def _top(one: TileReading) -> str | None:
    return None if one.probabilities is None else EXPRESSIONS[ORDER[int(one.probabilities.argmax())]]


def stored(read: PictureReading) -> Component:
    """The rows that the database would get, in words, and that the picture is none of them."""
    record = read.record
    rows = [
        ("One row for the interval", _interval(record, read.mode)),
        ("Rows per seat", _rows(record, read.mode)),
    ]
    log = (
        ""
        if read.mode is Mode.PARTICIPATION
        else " The audit log keeps that some were read, and in which mode."
    )
    kept = "None, ever. This one was read in memory, and nothing of it was stored." + log
    listed = [*rows, ("Pictures", [kept])]
    return html.Dl(
        [
            part
            for title, texts in listed
            for part in (html.Dt(title), html.Dd([html.P(text) for text in texts]))
        ],
        className="cp-try-stored",
    )


def _interval(record: IntervalRecord, mode: Mode) -> list[str]:
    if record.not_observed is not None:
        return [f"That nothing was observed: {NOT_OBSERVED[record.not_observed].title.lower()}."]
    states = ", ".join(f"{number} {STATES[state]}" for state, number in record.states.items() if number)
    what = count(record.tiles, "tile")
    if not record.grid:
        what = f"No gallery, so each face counts as a tile: {what}"
    told = [f"{what}, of them {states}."]
    if record.facing is not None:
        told.append(f"Facing the screen: {percent(record.facing)}.")
    return [*told, _expressions(record, mode), *_mood(record, mode)]


def _expressions(record: IntervalRecord, mode: Mode) -> str:
    if mode is Mode.PARTICIPATION:
        return "No expression: in participation mode none is read."
    if record.expressions is None:
        fewest = Policy(mode).minimum_group
        return (
            f"No expression: they are counted of at least {fewest} faces, {record.faces_read} could be read."
        )
    counts = ", ".join(
        f"{word} {record.expressions[name]}" for name, word in EXPRESSIONS.items() if record.expressions[name]
    )
    return f"Expressions of {count(record.faces_read, 'face')}: {counts or 'none'}."


def _mood(record: IntervalRecord, mode: Mode) -> list[str]:
    mood = record.mood
    if mood is None:
        return []
    if mood.faces < Policy(mode).minimum_group:
        return [f"Mood of the class: of {count(mood.faces, 'face')}, too few to be told."]
    words = mood_in_words(mood.valence, mood.low, mood.high)
    return [
        f"Mood of the class: {words.lower()}, {signed(mood.valence)} ({signed(mood.low)} to {signed(mood.high)})."
    ]


def _rows(record: IntervalRecord, mode: Mode) -> list[str]:
    if mode is not Mode.INDIVIDUAL:
        return [f"None: in {mode} mode nothing is kept of one seat."]
    if not record.readings:
        return ["None."]
    named = sum(seat.name is not None for seat in record.seats)
    return [
        f"{count(len(record.readings), 'row')}, {named or 'none'} with a name: state, seven probabilities where they "
        "were read, where the head is turned, quality."
    ]
