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
from dashboard.components import empty, looks, seats, tiles
from dashboard.exports import note_rows
from dashboard.figures import SHARE_WINDOW, Timeline, blank, describe_timeline
from dashboard.glance import TREND_SPAN, glance, sentence
from dashboard.health import Known, Pulse, stale_after, take_pulse
from dashboard.names import seat_names
from dashboard.wording import CONDITIONS, MODE_MEANINGS, MODES, NOT_OBSERVED, Advice, clock, day
from engagement.errors import ClasspulseError
from engagement.records import Mode, NotObservedReason, Rule
from storage import queries
from storage.notes import add_note
from storage.pause import pause
from storage.queries import Condition

POLL: Final = "now-poll"
PULSE: Final = "now-pulse"
LIVE: Final = "now-live"
EMPTY: Final = "now-empty"
NAME: Final = "now-name"
MODE: Final = "now-mode"
RUNNING: Final = "now-running"
LAST: Final = "now-last"
PAUSE: Final = "now-pause"
PAUSE_ANSWER: Final = "now-pause-answer"
STALE: Final = "now-stale"
STALE_SINCE: Final = "now-stale-since"
NOTICE: Final = "now-notice"
GLANCE: Final = "now-glance"
SPOKEN: Final = "now-spoken"
VIEW: Final = "now-view"
CHART: Final = "now-chart"
CHART_TEXT: Final = "now-chart-text"
CURSOR: Final = "now-cursor"
LOOKS: Final = "now-looks"
SEATS: Final = "now-seats"
NOTE: Final = "now-note"
NOTE_SENT: Final = "now-note-sent"
NOTE_ADD: Final = "now-note-add"
NOTE_ANSWER: Final = "now-note-answer"
NOTED: Final = "now-noted"
NOTES: Final = "now-notes"

_VIEWS = [{"value": "mood", "label": "Mood"}, {"value": "shares", "label": "Expressions"}]
_CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True, "scrollZoom": False}
_TOLD_EVERY = timedelta(minutes=1)
"""The chart's text tells the whole lesson, which is too much to read again with each interval."""

_SHOWN_NOTES = 3
_LONGEST_TYPING = timedelta(minutes=3)


def layout(poll_seconds: float) -> Component:
    """The page before its first pulse."""
    return html.Div(
        [
            dcc.Interval(id=POLL, interval=round(poll_seconds * 1000)),
            dcc.Store(id=PULSE),
            dcc.Store(id=CURSOR),
            dcc.Store(id=NOTE_SENT),
            dcc.Store(id=NOTED, data=0),
            html.Div(id=EMPTY),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1(id=NAME),
                            html.Span(id=MODE, className="cp-badge"),
                            html.Span(id=RUNNING, className="cp-muted cp-small"),
                            html.Span(id=LAST, className="cp-muted cp-small cp-last"),
                            dmc.Button("Pause", id=PAUSE, variant="default", size="compact-sm"),
                            html.Span(id=PAUSE_ANSWER, className="cp-small", role="status"),
                        ],
                        className="cp-bar",
                    ),
                    html.Div(
                        [
                            html.Strong(id=STALE_SINCE),
                            html.Span(
                                " What you see below is old. The agent that reads the class may be starting again; "
                                "if this stays, look into its terminal. "
                            ),
                        ],
                        id=STALE,
                        className="cp-stale-note cp-hidden",
                        role="alert",
                    ),
                    html.Div(id=NOTICE),
                    html.Div(
                        [
                            html.Section(id=GLANCE, className="cp-glance", **{"aria-label": "At a glance"}),
                            _chart(),
                            _note_field(),
                            html.Section(id=SEATS, className="cp-paper cp-seats", **{"aria-label": "Seats"}),
                            html.Section(
                                id=LOOKS, className="cp-paper cp-looks", **{"aria-label": "Needs a look"}
                            ),
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


def _chart() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("The lesson so far"),
                    dmc.SegmentedControl(
                        id=VIEW,
                        data=_VIEWS,
                        value="mood",
                        size="xs",
                        attributes={"root": {"aria-label": "What the chart shows"}},
                    ),
                ],
                className="cp-heading",
            ),
            html.Div(
                dcc.Graph(
                    id=CHART, figure=blank(), config=_CONFIG, style={"height": "var(--cp-chart-height)"}
                ),
                className="cp-figure",
                role="img",
                **{"aria-labelledby": CHART_TEXT},
            ),
            html.P(id=CHART_TEXT, className="cp-unseen"),
        ],
        className="cp-paper cp-chart",
    )


def _note_field() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    dmc.TextInput(
                        id=NOTE,
                        placeholder="Note what happens: it goes on the timeline",
                        rightSection=dmc.Kbd("n", size="xs"),
                        debounce=False,
                        value="",
                        **{"aria-label": "Note, key n"},
                    ),
                    dmc.Button("Add note", id=NOTE_ADD, variant="light"),
                ],
                className="cp-note-row",
            ),
            html.Div(id=NOTE_ANSWER, className="cp-small", role="status"),
            html.Ul(id=NOTES, className="cp-notes"),
        ],
        className="cp-paper cp-note",
        **{"aria-label": "Notes"},
    )


def register(app: Dash, engine: Engine, start_command: str) -> None:
    """The callbacks: each is a query and what it looks like."""
    _register_pulse(app, engine, start_command)
    _register_glance(app, engine)
    _register_chart(app, engine)
    _register_seats(app, engine)
    _register_notes(app, engine)


def _register_pulse(app: Dash, engine: Engine, start_command: str) -> None:
    app.clientside_callback(
        ClientsideFunction("classpulse", "tick"),
        Output(RUNNING, "children"),
        Output(LAST, "children"),
        Output(LIVE, "className"),
        Output(STALE, "className"),
        Output(STALE_SINCE, "children"),
        Input(POLL, "n_intervals"),
        Input(PULSE, "data"),
    )

    @app.callback(Output(PULSE, "data"), Input(POLL, "n_intervals"), State(PULSE, "data"))
    def beat(_count: int | None, before: dict[str, Any] | None) -> Any:
        now = pulse_data(take_pulse(engine, known(before)))
        return no_update if now == before else now

    @app.callback(
        Output(LIVE, "style"),
        Output(EMPTY, "children"),
        Output(NAME, "children"),
        Output(MODE, "children"),
        Output(MODE, "title"),
        Output(VIEW, "style"),
        Output(PAUSE, "children"),
        Input(PULSE, "data"),
        Input(shell.VIEWER, "data"),
    )
    def show(pulse: dict[str, Any] | None, viewer: Any) -> Any:
        if pulse is None:
            raise PreventUpdate
        if pulse["session"] is None:
            last = last_session(queries.sessions(engine), shell.viewer_of(viewer))
            return {"display": "none"}, empty.no_session(start_command, last), "", "", "", {}, "Pause"
        mode = Mode(pulse["mode"])
        switch = {"display": "none"} if mode is Mode.PARTICIPATION else {}
        verb = "Go on" if pulse["paused"] else "Pause"
        return {}, None, pulse["name"], MODES[mode], MODE_MEANINGS[mode], switch, verb

    @app.callback(
        Output(PAUSE_ANSWER, "children"),
        Input(PAUSE, "n_clicks"),
        State(PULSE, "data"),
        prevent_initial_call=True,
    )
    def pause_or_go_on(_clicks: int, pulse: dict[str, Any] | None) -> Any:
        session, _, _ = running(pulse)
        try:
            pause(engine, session, paused=not (pulse or {}).get("paused"))
        except ClasspulseError as error:
            return str(error)
        return ""


def _register_glance(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(GLANCE, "children"),
        Output(NOTICE, "children"),
        Output(SPOKEN, "children"),
        Input(PULSE, "data"),
    )
    def look(pulse: dict[str, Any] | None) -> Any:
        session, mode, last_id = running(pulse)
        taken = _time(pulse["taken"]) if pulse else None
        if taken is None:
            return [], trouble_of(pulse) or empty.notice(starting(pulse)), ""
        back_to = taken - TREND_SPAN - timedelta(minutes=1)
        recent = queries.intervals_since(engine, session, last_id, back_to=back_to)
        state = glance(recent)
        return (
            tiles.glance_tiles(state, with_mood=mode is not Mode.PARTICIPATION),
            trouble_of(pulse) or notice_of(state.not_observed),
            sentence(state),
        )


def _register_chart(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(CHART, "figure"),
        Output(CURSOR, "data"),
        Output(CHART_TEXT, "children"),
        Input(PULSE, "data"),
        Input(shell.VIEWER, "data"),
        Input(VIEW, "value"),
        Input(NOTED, "data"),
        State(CURSOR, "data"),
    )
    def draw(
        pulse: dict[str, Any] | None, viewer: Any, view: str, _noted: int, cursor: dict[str, Any] | None
    ) -> Any:
        session, mode, _ = running(pulse)
        who = shell.viewer_of(viewer)
        chosen = "presence" if mode is Mode.PARTICIPATION else view
        timeline = Timeline(chosen, who.scheme, who.zone)
        drawn = {"session": session, "view": chosen, "viewer": viewer}
        now = session_time(pulse or {}, datetime.now(UTC))
        notes, lows = queries.notes(engine, session), dips(queries.episodes(engine, session), now)
        if cursor is None or cursor["drawn"] != drawn:
            rows = queries.intervals_since(engine, session)
            text = describe_timeline(rows, who.zone)
            if rows.empty:
                return blank(), None, text
            last, at = last_of(rows)
            figure = timeline.figure(rows, notes, lows, key=f"{session} {chosen}")
            return figure, {"drawn": drawn, "last": last, "at": at, "told": at}, text
        back_to = datetime.fromtimestamp(cursor["at"] / 1000, UTC) - SHARE_WINDOW
        rows = queries.intervals_since(engine, session, cursor["last"], back_to=back_to)
        new = int((rows["id"] > cursor["last"]).sum())
        patch = timeline.extension(rows, new, notes, lows)
        if not new:
            return patch, no_update, no_update
        last, at = last_of(rows)
        if at - cursor["told"] < _TOLD_EVERY.total_seconds() * 1000:
            return patch, {**cursor, "last": last, "at": at}, no_update
        text = describe_timeline(queries.intervals_since(engine, session), who.zone)
        return patch, {"drawn": drawn, "last": last, "at": at, "told": at}, text


def _register_seats(app: Dash, engine: Engine) -> None:
    @app.callback(Output(LOOKS, "children"), Input(PULSE, "data"), Input(shell.VIEWER, "data"))
    def list_looks(pulse: dict[str, Any] | None, viewer: Any) -> Any:
        session, mode, _ = running(pulse)
        who = shell.viewer_of(viewer)
        if pulse is None or pulse["last"] is None:
            return html.P("Nothing was read yet.", className="cp-muted cp-small")
        found = queries.episodes(engine, session, open_only=True)
        now = _time(pulse["taken"]) or datetime.now(UTC)
        body: Component = looks.calm()
        if not found.empty:
            readings = queries.readings_since(engine, session, since=now - looks.SPARK_SPAN)
            names = seat_names(queries.seats(engine, session))
            body = html.Ul(looks.look_cards(found, names, readings, now, who.scheme, who.zone))
        parts: list[Component] = [html.Div(html.H2(looks.heading(found)), className="cp-heading"), body]
        if mode is not Mode.INDIVIDUAL:
            parts.append(
                html.P(f"In {MODES[mode]} mode nothing is kept per seat.", className="cp-muted cp-small")
            )
        return parts

    @app.callback(Output(SEATS, "children"), Output(SEATS, "style"), Input(PULSE, "data"))
    def map_seats(pulse: dict[str, Any] | None) -> Any:
        session, mode, _ = running(pulse)
        if mode is not Mode.INDIVIDUAL:
            return None, {"display": "none"}
        readings = queries.latest_readings(engine, session)
        open_now = queries.episodes(engine, session, open_only=True)
        flagged = set(open_now.loc[open_now["rule"] != Rule.CAMERA_OFF.value, "seat"].dropna().astype(int))
        heading = html.Div(html.H2("Seats, as in the window"), className="cp-heading")
        if readings.empty:
            return [
                heading,
                html.P("No seat was read in the last interval.", className="cp-muted cp-small"),
            ], {}
        return [heading, seats.seat_map(readings, seat_names(queries.seats(engine, session)), flagged)], {}


def _register_notes(app: Dash, engine: Engine) -> None:
    app.clientside_callback(
        ClientsideFunction("classpulse", "note"),
        Output(NOTE_SENT, "data"),
        Input(NOTE, "n_submit"),
        Input(NOTE_ADD, "n_clicks"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(NOTE, "value"),
        Output(NOTE_ANSWER, "children"),
        Output(NOTED, "data"),
        Input(NOTE_SENT, "data"),
        State(PULSE, "data"),
        State(NOTED, "data"),
        prevent_initial_call=True,
    )
    def keep_note(sent: dict[str, Any] | None, pulse: dict[str, Any] | None, noted: int) -> Any:
        session, _, _ = running(pulse)
        if sent is None:
            raise PreventUpdate
        now = datetime.now(UTC)
        # where the typing began, unless the field was left alone since
        begun = max(_time(sent["begun"]) or now, now - _LONGEST_TYPING)
        try:
            add_note(engine, session, session_time(pulse or {}, min(begun, now)), str(sent["text"]))
        except ClasspulseError as error:
            return no_update, str(error), no_update
        return "", "", noted + 1

    @app.callback(
        Output(NOTES, "children"), Input(NOTED, "data"), Input(PULSE, "data"), Input(shell.VIEWER, "data")
    )
    def list_notes(_noted: int, pulse: dict[str, Any] | None, viewer: Any) -> Any:
        session, _, _ = running(pulse)
        zone = shell.viewer_of(viewer).zone
        latest = queries.notes(engine, session).iloc[::-1].head(_SHOWN_NOTES)
        return [html.Li([html.Time(at), html.Span(text)]) for at, text in note_rows(latest, zone)]


def pulse_data(pulse: Pulse | None) -> dict[str, Any]:
    """A pulse as the browser keeps it; times in milliseconds since 1970 (UTC)."""
    if pulse is None:
        return {"session": None}
    session = pulse.session
    return {
        "session": session.id,
        "name": session.name,
        "mode": str(session.mode),
        "interval": session.interval,
        "started": _milliseconds(pulse.wall_start),
        "stage": pulse.stage,
        "beat": None if pulse.beat_at is None else _milliseconds(pulse.beat_at),
        "last_id": pulse.last_id,
        "last": None if pulse.committed_at is None else _milliseconds(pulse.committed_at),
        "taken": None if pulse.taken_at is None else _milliseconds(pulse.taken_at),
        "stale_after": stale_after(session.interval),
        "paused": session.paused_at is not None,
        "condition": pulse.condition,
        "reason": pulse.reason,
        "condition_at": None if pulse.condition_at is None else _milliseconds(pulse.condition_at),
    }


def known(data: dict[str, Any] | None) -> Known | None:
    """What the browser knows of the last pulse."""
    if not data or data.get("session") is None:
        return None
    return Known(int(data["session"]), int(data["last_id"]), _time(data["last"]), _time(data["taken"]))


def running(pulse: dict[str, Any] | None) -> tuple[int, Mode, int]:
    """Session, mode and last interval of a running class.

    Raises:
        PreventUpdate: no class is running; the page shows so elsewhere.
    """
    if not pulse or pulse.get("session") is None:
        raise PreventUpdate
    return int(pulse["session"]), Mode(pulse["mode"]), int(pulse["last_id"])


def last_of(intervals: pd.DataFrame) -> tuple[int, int]:
    """Id and time (milliseconds since 1970, UTC) of the last of some intervals."""
    row = intervals.iloc[-1]
    return int(row["id"]), _milliseconds(row["started_at"].to_pydatetime())


def session_time(pulse: dict[str, Any], wall: datetime) -> datetime:
    """A moment of the clock on the wall on the session's own clock (which is that of the recording where one is
    watched)."""
    committed_at, taken_at = _time(pulse.get("last")), _time(pulse.get("taken"))
    if committed_at is None or taken_at is None:
        return wall
    return wall - (committed_at - taken_at)


def dips(episodes: pd.DataFrame, now: datetime) -> list[tuple[datetime, datetime]]:
    """Start and end of the stretches in which the class as a whole fell; an open one lasts until `now`."""
    of_class = episodes[episodes["rule"] == Rule.CLASS_DIP.value]
    return [
        (start.to_pydatetime(), end.to_pydatetime())
        for start, end in zip(
            of_class["started_at"], of_class["ended_at"].fillna(pd.Timestamp(now)), strict=True
        )
    ]


def notice_of(reason: str | None) -> Component | None:
    """What to do where the last interval could not be observed."""
    return None if reason is None else empty.notice(NOT_OBSERVED[NotObservedReason(reason)])


def trouble_of(pulse: dict[str, Any] | None) -> Component | None:
    """That the class is paused, or why the next interval is being waited for; None while it gets on."""
    known = pulse or {}
    condition = known.get("condition")
    if condition is not None:
        advice = CONDITIONS[Condition(condition)]
        return empty.notice(Advice(advice.title, f"{known.get('reason') or ''} {advice.text}".strip()))
    return notice_of(NotObservedReason.PAUSED) if known.get("paused") else None


def starting(pulse: dict[str, Any] | None) -> Advice:
    """Before the first interval."""
    stage = (pulse or {}).get("stage")
    return Advice(
        "The class is being opened",
        f"The agent is at: {stage}." if stage else "The first faces come in a moment.",
    )


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


def _time(milliseconds: float | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
