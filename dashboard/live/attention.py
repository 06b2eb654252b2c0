"""Needs a look, and the map of the seats: who asks for one and why, what the teacher answers, what is said else."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final, Literal

import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components import looks
from dashboard.components.drawing import Drawing
from dashboard.components.seats import seat_map
from dashboard.glance import ENOUGH
from dashboard.live.pulse import PULSE, Running, Told, running
from dashboard.live.unchanged import Drawn
from dashboard.names import seat_names
from dashboard.shapes import RowIdText, one_of, shaped
from dashboard.wording import MODES, clock
from engagement.errors import ClasspulseError
from engagement.phrases import count
from engagement.records import EpisodeMark, Mode
from storage import queries
from storage.marks import mark_episodes


class _Answer(TypedDict):
    mark: Annotated[str, one_of(EpisodeMark)] | Literal["", None]
    episodes: list[RowIdText]


Answer = Annotated[dict[str, Any], shaped(_Answer)]
"""What was answered to a card, from the browser."""

LOOKS_HEADING: Final = "now-looks-heading"
LOOKS_SAID: Final = "now-looks-said"
LOOKS: Final = "now-looks"
ASIDE: Final = "now-aside"
CAMERAS: Final = "now-cameras"
SEATS: Final = "now-seats"
LOOKS_ANSWER: Final = "now-looks-answer"
ANSWER: Final = "now-answer"
ANSWERED: Final = "now-answered"
ASKING: Final = "now-asking"
ALERTED: Final = "now-alerted"
SOUND: Final = "now-sound"
NOTIFY: Final = "now-notify"
ALERTS_ANSWER: Final = "now-alerts-answer"

READ_OVER: Final = timedelta(minutes=1)
"""How much was read of the class is taken over this long, so that it does not flicker."""

RULES_NEED: Final = timedelta(minutes=2)
"""Before so much of a session, no rule has seen enough to speak."""


_SPARK_EVERY: Final = 20
"""Seconds after which the small pictures of the cards are drawn anew."""


def seats_layout() -> Component:
    """The gallery as a map, before the first pulse; it stays away while it is empty."""
    return Drawing(SEATS, className="cp-paper cp-seats", role="region", **{"aria-label": "Seats"})


def layout() -> Component:
    """The column before the first pulse."""
    return html.Section(
        [
            dcc.Store(id=ANSWER),
            dcc.Store(id=ANSWERED, data=0),
            dcc.Store(id=ASKING),
            dcc.Store(id=ALERTED),
            html.Div(
                [
                    html.H2("Needs a look", id=LOOKS_HEADING),
                    html.Div(
                        [
                            _switch(SOUND, "Sound", "A quiet sound when somebody new needs a look"),
                            _switch(
                                NOTIFY,
                                "Notify",
                                "A notification of the browser when somebody new needs a look; it names nobody",
                            ),
                        ],
                        className="cp-switches",
                        role="group",
                        **{"aria-label": "When somebody new needs a look"},
                    ),
                ],
                className="cp-heading",
            ),
            html.P(id=ALERTS_ANSWER, className="cp-small cp-muted", role="status"),
            html.P(id=LOOKS_ANSWER, className="cp-small", role="status"),
            # for when the server is gone too: no calm is claimed of what is old
            html.P("Nothing is known at the moment.", className="cp-when-stale"),
            Drawing(LOOKS_SAID),
            Drawing(LOOKS),
            Drawing(ASIDE),
            Drawing(CAMERAS),
        ],
        className="cp-paper cp-looks",
        **{"aria-label": "Needs a look"},
    )


def _switch(name: str, text: str, title: str) -> Component:
    return html.Button(
        html.Span(text, className="cp-unseen"),
        id=name,
        className=f"cp-switch cp-switch-{text.lower()}",
        title=title,
        role="switch",
        **{"aria-checked": "false"},
    )


def register(app: Dash, engine: Engine) -> None:
    """Keep what is answered, and let the browser say what is new."""
    app.clientside_callback(
        ClientsideFunction("classpulse", "switches"),
        Output(SOUND, "aria-checked"),
        Output(NOTIFY, "aria-checked"),
        Output(ALERTS_ANSWER, "children"),
        Input(SOUND, "n_clicks"),
        Input(NOTIFY, "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("classpulse", "alert"), Output(ALERTED, "data"), Input(ASKING, "data")
    )

    @app.callback(
        Output(ANSWERED, "data"),
        Output(LOOKS_ANSWER, "children"),
        Input(ANSWER, "data"),
        State(PULSE, "data"),
        State(ANSWERED, "data"),
        prevent_initial_call=True,
    )
    def keep_answer(answer: Answer | None, told: Told | None, answered: int) -> Any:
        here = running(told)
        if answer is None:
            raise PreventUpdate
        mark = EpisodeMark(answer["mark"]) if answer["mark"] else None
        try:
            mark_episodes(
                engine, here.session, [int(one) for one in answer["episodes"]], mark, datetime.now(UTC)
            )
        except ClasspulseError as error:
            return answered, str(error)
        return answered + 1, ""


def parts(engine: Engine, here: Running, who: shell.Viewer) -> dict[str, Any]:
    """What the column and the map show of the running class, by name, each as `only_changed` takes it; "asking" is
    what the browser rings for."""
    episodes = queries.episodes(engine, here.session, open_only=True)
    cards = looks.cards(episodes, datetime.now(UTC))
    asking = [card for card in cards if card.asking]
    aside = [card for card in cards if not card.asking]
    at = here.taken_at or here.begun_at
    names = seat_names(queries.seats(engine, here.session))
    read = queries.seats_read(engine, here.session, at - READ_OVER)
    title, said = standing(here, len(asking), read, who.zone)
    return {
        "title": title,
        "said": [said, _of_mode(here.mode)],
        "list": _list(engine, here, asking, names, who) if asking else None,
        "aside": looks.set_aside(aside, names, who.zone) if aside else None,
        "cameras": looks.cameras_off(episodes, names, who.zone),
        "asking": {
            "session": here.session,
            "quiet": here.unknown is not None,
            "episodes": [int(one["id"]) for card in cards for one in card.episodes],
        },
        "seats": _seat_map(engine, here, names, asking, who.zone),
    }


def _seat_map(
    engine: Engine, here: Running, names: dict[int, str], asking: list[looks.Card], zone: tzinfo | None
) -> Drawn | list[Component] | None:
    if here.mode is not Mode.INDIVIDUAL:
        return None
    heading = html.Div(html.H2("Seats, as in the window"), className="cp-heading")
    if here.unknown is not None:
        return [heading, html.P(f"{known_until(here, zone)}.", className="cp-muted cp-small")]
    states = queries.seat_states(engine, here.session)
    if not states:
        return [heading, html.P("No seat is shown.", className="cp-muted cp-small")]
    flagged = {card.seat for card in asking}
    of = [(names.get(seat), state, seat in flagged) for seat, state in states]
    return Drawn(of, lambda: [heading, seat_map(states, names, flagged)])


def _of_mode(mode: Mode) -> Component | None:
    if mode is Mode.INDIVIDUAL:
        return None
    return html.P(f"In {MODES[mode]} mode nothing is kept per seat.", className="cp-muted cp-small")


def _list(
    engine: Engine, here: Running, asking: list[looks.Card], names: dict[int, str], who: shell.Viewer
) -> Drawn:
    """The cards, drawn anew where their words change, with the small pictures as they are then, or for those alone."""
    at = here.taken_at or here.begun_at
    numbers = [card.seat for card in asking if card.seat is not None]

    def cards(readings: pd.DataFrame | None) -> Component:
        return html.Ul(
            [
                looks.look_card(
                    card,
                    looks.who(card.seat, names),
                    None if readings is None else readings[readings["seat"] == (card.seat or 0)],
                    at,
                    who.scheme,
                    who.zone,
                )
                for card in asking
            ],
            className="cp-look-list",
        )

    def draw() -> Component:
        return cards(
            queries.readings_since(engine, here.session, since=at - looks.SPARK_SPAN, seat=numbers)
            if numbers
            else None
        )

    return Drawn([cards(None), at.timestamp() // _SPARK_EVERY if numbers else None], draw)


def standing(
    here: Running, asking: int, read: tuple[float, float] | None, zone: tzinfo | None
) -> tuple[str, Component | None]:
    """The heading of the list and what stands under it, no surer than what was read.

    Args:
        here: the running class.
        asking: cards that ask for a look.
        read: seats read and seats present lately, on average; None where nobody was shown.
        zone: of the viewer.
    """
    if here.unknown is not None:
        then = " What asked for a look then stands below." if asking else ""
        return "Needs a look", _said(known_until(here, zone), f"{here.unknown.title}.{then}", "cp-unknown")
    if asking:
        return f"{count(asking, 'needs', 'need')} a look", None
    return _nobody_asks(here, read)


def _nobody_asks(here: Running, read: tuple[float, float] | None) -> tuple[str, Component]:
    if here.mode is Mode.PARTICIPATION:
        return "Needs a look", _said("Not looked for", "Here only cameras, faces and heads are counted.")
    if read is None:
        return "Nothing is known", _said(
            "Nobody is shown", "No participant could be found in the last minute."
        )
    share = f"{read[0]:.0f} of {read[1]:.0f} seats"
    if here.taken_at is not None and here.taken_at - here.begun_at < RULES_NEED:
        return "Too early to tell", _said("Just begun", "The rules need about two minutes of each seat.")
    if read[0] < ENOUGH * read[1]:
        title, rest = "Too little to tell", "Of these nobody needs a look. Of the others nothing is known."
        return title, _said(f"Only {share} were read", rest)
    title, calm = "Nobody needs a look", "All calm"
    if here.mode is Mode.AGGREGATE:
        title, calm = "The class as a whole", "No marked change"
    return title, _said(calm, f"{share} were read in the last minute.", "cp-claim")


def known_until(here: Running, zone: tzinfo | None) -> str:
    """Since when nothing is known, in words."""
    return (
        "Nothing is known yet"
        if here.known_until is None
        else (f"Nothing is known since {clock(here.known_until, zone)}")
    )


def _said(title: str, text: str, kind: str = "") -> Component:
    return html.Div([html.Strong(title), text], className=f"cp-said {kind}".strip())
