"""Now (`/`): the class as it is, in one look, and the last minutes as lines."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine

from dashboard import shell
from dashboard.components import empty, polls, tiles
from dashboard.components.drawing import Drawing
from dashboard.components.running import ask_before_stop
from dashboard.glance import COLUMNS as GLANCE_COLUMNS
from dashboard.glance import TREND_SPAN, glance, sentence
from dashboard.health import take_pulse
from dashboard.live import attention, chart, notes
from dashboard.live.pulse import PULSE, SESSION, STANDING, Running, Stands, Told, pulse_data, running
from dashboard.live.unchanged import only_changed
from dashboard.wording import MODE_MEANINGS, MODES, clock, day
from engagement.errors import ClasspulseError
from engagement.records import Mode
from storage import queries
from storage.pause import pause

POLL: Final = "now-poll"
BEAT: Final = "now-beat-poll"
LOOK: Final = "now-look"
LIVE: Final = "now-live"
EMPTY: Final = "now-empty"
NAME: Final = "now-name"
MODE: Final = "now-mode"
RUNNING: Final = "now-running"
LAST: Final = "now-last"
PAUSE: Final = "now-pause"
PAUSE_ANSWER: Final = "now-pause-answer"
STOP: Final = "now-stop"
STALE: Final = "now-stale"
STALE_SINCE: Final = "now-stale-since"
STALE_ADVICE: Final = "now-stale-advice"
GLANCE: Final = "now-glance"
DRAWN: Final = "now-drawn"
SPOKEN: Final = "now-spoken"


def opened(engine: Engine, poll_seconds: float, start_command: str) -> Component:
    """The page with its first pulse in it, so that it stands there at once and asks later.

    Where the database does not answer it has none; what the page asks then says so.
    """
    try:
        told = pulse_data(take_pulse(engine), datetime.now(UTC))
        nothing = None if told["session"] else _nothing_runs(engine, start_command, shell.viewer_of(None))
    except ClasspulseError:
        return layout(poll_seconds)
    return layout(poll_seconds, told, nothing)


def layout(poll_seconds: float, told: Told | None = None, nothing: Component | None = None) -> Component:
    """The page.

    Args:
        poll_seconds: how often it asks for something new.
        told: its first pulse, None before one.
        nothing: what to say where no class runs.
    """
    return html.Div(
        [
            dcc.Interval(id=POLL, interval=round(poll_seconds * 1000)),
            *polls.stores(BEAT, LOOK, chart.DRAW),
            dcc.Store(id=PULSE, data=told),
            dcc.Store(id=SESSION),
            dcc.Store(id=STANDING),
            dcc.Store(id=DRAWN),
            html.Div(nothing, id=EMPTY),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1(id=NAME),
                            html.Span(id=MODE, className="cp-badge"),
                            html.Span(id=RUNNING, className="cp-muted cp-small"),
                            html.Span(id=PAUSE_ANSWER, className="cp-small", role="status"),
                            html.Span(id=LAST, className="cp-muted cp-small cp-last"),
                            html.Div(
                                [
                                    dmc.Button("Pause", id=PAUSE, variant="default", size="compact-sm"),
                                    dmc.Button("Stop", id=STOP, variant="default", size="compact-sm"),
                                ],
                                className="cp-bar-buttons",
                            ),
                        ],
                        className="cp-bar",
                    ),
                    html.Div(
                        [
                            _glance(),
                            chart.layout(drawn=told is not None and told["session"] is not None),
                            notes.layout(),
                            attention.seats_layout(),
                            attention.layout(),
                        ],
                        className="cp-now",
                    ),
                    html.Div(id=SPOKEN, className="cp-unseen"),
                ],
                id=LIVE,
                className="cp-live",
                style={"display": "none"},
            ),
        ]
    )


def _glance() -> Component:
    """The tiles, and in their place the alarm where no data come any more."""
    return html.Section(
        [
            Drawing(GLANCE, className="cp-tiles"),
            html.Div(
                [
                    html.Strong(id=STALE_SINCE),
                    html.Span(id=STALE_ADVICE),
                ],
                id=STALE,
                className="cp-stale-note cp-hidden",
                role="alert",
            ),
        ],
        className="cp-glance",
        **{"aria-label": "At a glance"},
    )


def register(app: Dash, engine: Engine, start_command: str) -> None:
    """The callbacks: each is a query and what it looks like."""
    _register_pulse(app, engine, start_command)
    ask_before_stop(app, STOP)
    _register_class(app, engine)
    attention.register(app, engine)
    chart.register(app, engine)
    notes.register(app, engine)


def _register_pulse(app: Dash, engine: Engine, start_command: str) -> None:
    app.clientside_callback(
        ClientsideFunction("classpulse", "tick"),
        Output(RUNNING, "children"),
        Output(LAST, "children"),
        Output(LIVE, "className"),
        Output(STALE, "className"),
        Output(STALE_SINCE, "children"),
        Output(STALE_ADVICE, "children"),
        Output(SESSION, "data"),
        Output(STANDING, "data"),
        Input(POLL, "n_intervals"),
        Input(PULSE, "data"),
    )

    # the first pulse comes with the page
    @app.callback(
        Output(PULSE, "data"),
        # what depends on it has answered by then
        polls.question(app, BEAT, POLL, after=(LOOK, chart.DRAW)),
        State(PULSE, "data"),
        running=polls.at_work(BEAT),
        prevent_initial_call=True,
    )
    def beat(_count: int | None, before: dict[str, Any] | None) -> Any:
        told = pulse_data(take_pulse(engine), datetime.now(UTC))
        return no_update if told == before else told

    @app.callback(
        Output(LIVE, "style"),
        Output(EMPTY, "children"),
        Output(NAME, "children"),
        Output(MODE, "children"),
        Output(MODE, "title"),
        Output(chart.VIEW, "style"),
        Output(PAUSE, "children"),
        Input(STANDING, "data"),
        Input(shell.VIEWER, "data"),
    )
    def show(stands: Stands | None, viewer: Any) -> Any:
        if stands is None:
            raise PreventUpdate
        if stands.get("session") is None:
            nothing = _nothing_runs(engine, start_command, shell.viewer_of(viewer))
            return {"display": "none"}, nothing, "", "", "", {}, "Pause"
        mode = Mode(stands["mode"])
        switch = {"display": "none"} if mode is Mode.PARTICIPATION else {}
        verb = "Go on" if stands["paused"] else "Pause"
        return {}, None, stands["name"], MODES[mode], MODE_MEANINGS[mode], switch, verb

    @app.callback(
        Output(PAUSE_ANSWER, "children"),
        Input(PAUSE, "n_clicks"),
        State(PULSE, "data"),
        prevent_initial_call=True,
    )
    def pause_or_go_on(_clicks: int, told: Told | None) -> Any:
        here = running(told)
        try:
            pause(engine, here.session, paused=not (told or {}).get("paused"))
        except ClasspulseError as error:
            return str(error)
        return ""


def _register_class(app: Dash, engine: Engine) -> None:
    # one question for all of it: the browser walks through the page for each that is asked, and for each answer
    @app.callback(
        Output(GLANCE, "parts"),
        Output(SPOKEN, "children"),
        Output(attention.LOOKS_HEADING, "children"),
        Output(attention.LOOKS_SAID, "parts"),
        Output(attention.LOOKS, "parts"),
        Output(attention.ASIDE, "parts"),
        Output(attention.CAMERAS, "parts"),
        Output(attention.ASKING, "data"),
        Output(attention.SEATS, "parts"),
        Output(DRAWN, "data"),
        Input(PULSE, "data"),
        Input(shell.VIEWER, "data"),
        Input(attention.ANSWERED, "data"),
        State(DRAWN, "data"),
        running=polls.at_work(LOOK),
    )
    def look(told: Told | None, viewer: Any, _answered: int, drawn: dict[str, str] | None) -> Any:
        here = running(told)
        who = shell.viewer_of(viewer)
        tiles_shown, spoken = _told_at_a_glance(engine, here, who)
        shown = {"tiles": tiles_shown, "spoken": spoken, **attention.parts(engine, here, who)}
        changed, signatures = only_changed(shown, drawn)
        return *changed, signatures


def _told_at_a_glance(engine: Engine, here: Running, who: shell.Viewer) -> tuple[Any, str]:
    """The tiles, or what stands in their place, and the same as a sentence; nothing before the first interval."""
    if here.unknown is not None:
        since = attention.known_until(here, who.zone)
        notice = tiles.nothing_known(since, here.unknown, wanted=here.wanted)
        return notice, f"{since}. {here.unknown.title}."
    if here.taken_at is None:
        return None, ""
    back_to = here.taken_at - TREND_SPAN - timedelta(minutes=1)
    state = glance(
        queries.intervals_since(engine, here.session, here.last_id, back_to=back_to, only=GLANCE_COLUMNS)
    )
    return tiles.glance_tiles(state, with_mood=here.mode is not Mode.PARTICIPATION), sentence(state)


def _nothing_runs(engine: Engine, start_command: str, viewer: shell.Viewer) -> Component:
    return empty.no_session(start_command, last_session(queries.sessions(engine), viewer))


def last_session(sessions: pd.DataFrame, viewer: shell.Viewer) -> Component | None:
    """A line about the newest session, None if there is none."""
    if sessions.empty:
        return None
    row = sessions.iloc[0]
    start = row["started_at"].to_pydatetime()
    return html.P(
        [
            f"The last one was {row['name']}, {day(start, viewer.zone)} at {clock(start, viewer.zone)}. ",
            dcc.Link("Read its report", href=f"/sessions/{int(row['id'])}", className="cp-link"),
        ]
    )
