"""The class that is read, in the bar of every page: its name, its state, its last data, and the way to end it."""

from datetime import datetime
from typing import Annotated, Any, Final, NotRequired

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard.components import polls
from dashboard.controls import Controls, Phase, RunStatus
from dashboard.health import stale_after
from dashboard.shapes import RowId, shaped
from engagement.errors import ClasspulseError
from storage import queries
from storage.queries import Condition, SessionRow
from storage.recorder import Recorder
from storage.stop import request_stop

POLL: Final = "running-poll"
BEAT: Final = "running-beat-poll"
STATE: Final = "running-state"
CHIP: Final = "running-chip"
NAME: Final = "running-name"
AGE: Final = "running-age"
REPORT: Final = "running-report"
STOP: Final = "running-stop"
ASK: Final = "running-ask"
ASK_TEXT: Final = "running-ask-text"
STOP_YES: Final = "running-stop-yes"
STOP_NO: Final = "running-stop-no"
STOPPED: Final = "running-stopped"
STOP_ANSWER: Final = "running-stop-answer"

PAUSED: Final = "paused"
"""What `state_of` says of a session that is paused, beside the values of `Phase` and `Condition`."""

_POLL_SECONDS: Final = 2.0
IDLE: Final[dict[str, Any]] = {"phase": Phase.IDLE.value, "session": None, "ended": None}


class _Kept(TypedDict):
    phase: str
    session: RowId | None
    ended: RowId | None
    name: NotRequired[str]
    stage: NotRequired[str | None]
    reason: NotRequired[str | None]


Kept = Annotated[dict[str, Any], shaped(_Kept)]
"""How it stands with the class, as from `state_of`, from the browser."""


def layout() -> Component:
    """The chip before its first state, with the question that stands before a stop."""
    return html.Div(
        [
            dcc.Interval(id=POLL, interval=round(_POLL_SECONDS * 1000)),
            *polls.stores(BEAT),
            dcc.Store(id=STATE),
            dcc.Store(id=STOPPED),
            html.Div(
                [
                    html.Span(className="cp-run-dot", **{"aria-hidden": "true"}),
                    html.Span(id=NAME, className="cp-run-name"),
                    html.Span(id=AGE, className="cp-run-age"),
                    dcc.Link("Its report", id=REPORT, href="/sessions", className="cp-hidden"),
                ],
                id=CHIP,
                className="cp-run cp-hidden",
            ),
            dmc.Button("Stop", id=STOP, variant="default", size="compact-sm", className="cp-hidden"),
            dmc.Modal(
                [
                    html.P(id=ASK_TEXT, className="cp-run-question"),
                    html.Div(
                        [
                            dmc.Button("Stop", id=STOP_YES, **{"data-autofocus": True}),
                            dmc.Button("Go on reading", id=STOP_NO, variant="default"),
                        ],
                        className="cp-run-answers",
                    ),
                    html.Div(id=STOP_ANSWER, className="cp-small", role="alert"),
                ],
                id=ASK,
                title="Stop reading this class?",
                centered=True,
                closeButtonProps={"aria-label": "Close"},
            ),
        ],
        className="cp-running",
    )


def register(app: Dash, engine: Engine, controls: Controls | None, url: str) -> None:
    """Keep the chip true, also when the server is gone, and stop what the teacher wants stopped.

    Args:
        app: the app.
        engine: on the migrated database.
        controls: None where the pages only show.
        url: id of the location.
    """
    app.clientside_callback(
        ClientsideFunction("classpulse_start", "chip"),
        Output(NAME, "children"),
        Output(AGE, "children"),
        Output(CHIP, "className"),
        Output(REPORT, "href"),
        Output(REPORT, "className"),
        Output(STOP, "className"),
        Input(POLL, "n_intervals"),
        Input(STATE, "data"),
        Input(url, "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("classpulse_start", "ask"),
        Output(ASK, "opened"),
        Output(ASK_TEXT, "children"),
        Input(STOP, "n_clicks"),
        Input(STOP_NO, "n_clicks"),
        Input(STOPPED, "data"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(STATE, "data"),
        polls.question(app, BEAT, POLL),
        Input(STOPPED, "data"),
        State(STATE, "data"),
        running=polls.at_work(BEAT),
    )
    def beat(_count: int | None, _stopped: Any, before: Kept | None) -> Any:
        now = state_of(engine, controls, before)
        return no_update if now == before else now

    @app.callback(
        Output(STOPPED, "data"),
        Output(STOP_ANSWER, "children"),
        Input(STOP_YES, "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )
    def stop(clicks: int, before: Kept | None) -> Any:
        try:
            stop_class(engine, controls)
        except ClasspulseError as error:
            return no_update, str(error)
        return {"clicks": clicks, "session": (before or IDLE)["session"]}, ""


def ask_before_stop(app: Dash, button: str) -> None:
    """Let another button put the question that stands before a stop."""
    app.clientside_callback(
        ClientsideFunction("classpulse_start", "ask"),
        Output(ASK, "opened", allow_duplicate=True),
        Output(ASK_TEXT, "children", allow_duplicate=True),
        Input(button, "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )


def stop_class(engine: Engine, controls: Controls | None) -> None:
    """End the class that is read: by whoever serves these pages, or by the agent that reads it.

    Raises:
        StorageError: the agent could not be asked.
    """
    if controls is not None and controls.stop():
        return
    session = queries.live_session(engine)
    if session is not None:
        request_stop(engine, session.id)
        # an agent that died obeys no more
        Recorder(engine).close_abandoned()


def state_of(
    engine: Engine, controls: Controls | None, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The class that is read, or ended last while this page was open, as the browser keeps it.

    Times are in milliseconds since 1970 (UTC), by the clock on the wall. `phase` is a `Phase`, or `paused`,
    `restarting` or `stopped` (given up).
    """
    status = RunStatus(Phase.IDLE) if controls is None else controls.status()
    session = queries.live_session(engine)
    if session is None:
        ended = None if before is None else before["session"] or before["ended"]
        if status.phase in {Phase.STARTING, Phase.RUNNING}:
            ended = None
        return {
            **IDLE,
            # between its last interval and the end of its agent a class is not running any more
            "phase": str(Phase.STOPPING if status.phase is Phase.RUNNING else status.phase),
            "name": status.name or (before or {}).get("name", ""),
            "stage": status.stage,
            "reason": status.reason,
            "ended": ended,
        }
    beat = queries.heartbeat(engine, session.id)
    condition = None if beat is None else beat.condition
    return {
        "phase": _phase(session, status, condition),
        "name": session.name,
        "session": session.id,
        "ended": None,
        "stage": status.stage,
        "reason": None if beat is None else beat.reason,
        "opened": _milliseconds(session.opened_at),
        "last": None if beat is None or beat.committed_at is None else _milliseconds(beat.committed_at),
        "stale_after": stale_after(session.interval),
    }


def _phase(session: SessionRow, status: RunStatus, condition: Condition | None) -> str:
    if status.phase is Phase.STOPPING:
        return str(status.phase)
    if condition is not None:
        return str(condition)
    if session.paused_at is not None:
        return PAUSED
    return str(Phase.RUNNING)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
