"""Calibrate a seat, on the page Try it: a neutral minute and a few posed expressions, worked out and kept."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time_ns
from typing import Annotated, Any, Final

import dash_mantine_components as dmc
import numpy as np
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from numpy.typing import NDArray
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components import polls, presses
from dashboard.shapes import Moment, RowId, RowIdText, one_of, shaped
from dashboard.visitors import check_may_manage
from dashboard.wording import EXPRESSIONS, day
from engagement.calibration import FEWEST_LOOKS, Fit, apply_bias, fit, typical
from engagement.emotion import EXPRESSIONS as ORDER
from engagement.emotion import Expression
from engagement.errors import ClasspulseError, InvalidRecordError
from engagement.phrases import count
from engagement.records import Mode
from storage import calibrations, queries
from storage.calibrations import StudentSeat
from storage.queries import SessionRow
from storage.students import Student, read_student

POLL: Final = "calibrate-poll"
SHOW: Final = "calibrate-show-poll"
STATE: Final = "calibrate-state"
ENDED: Final = "calibrate-ended"
CHANGED: Final = "calibrate-changed"
EMPTY: Final = "calibrate-empty"
ROOM: Final = "calibrate-room"
SEAT: Final = "calibrate-seat"
EXPRESSION: Final = "calibrate-expression"
BEGIN: Final = "calibrate-begin"
CANCEL: Final = "calibrate-cancel"
RUNNING: Final = "calibrate-running"
COLLECTED: Final = "calibrate-collected"
WORK: Final = "calibrate-work"
RESULT: Final = "calibrate-result"
KEEP: Final = "calibrate-keep"
SAID: Final = "calibrate-said"
KEPT: Final = "calibrate-kept"
REMOVE: Final = "calibrate-remove"
REMOVED: Final = "calibrate-removed"

SECONDS: Final[Mapping[str, int]] = {name: 60 if name == "neutral" else 10 for name in ORDER}
"""How long each is shown."""

_PATIENCE: Final = 3
"""So many times as long is waited for looks at which the face could be read."""

_SLOWEST: Final = 10.0
"""Seconds between looks above which a posed expression is never looked at often enough."""

ExpressionName = Annotated[str, one_of(ORDER.index)]


class _Window(TypedDict):
    expression: ExpressionName
    since: Moment
    until: Moment


class _Begun(TypedDict):
    expression: ExpressionName
    since: Moment


class _Kept(TypedDict):
    session: RowId
    seat: RowId
    calibrated: Moment | None
    windows: list[_Window]
    begun: _Begun | None


Kept = Annotated[dict[str, Any], shaped(_Kept)]
"""What was shown on a seat so far, and what is being shown, from the browser; `calibrated` tells which bias was on the
seat meanwhile: looks of before another one do not go with those of after."""


class _OfStudent(TypedDict):
    student: RowId | RowIdText


OfStudent = Annotated[presses.Press, shaped(_OfStudent)]
"""A press beside a student."""


@dataclass(frozen=True, slots=True)
class Room:
    """A class of which a seat can be calibrated.

    Attributes:
        session: that is being read.
        seats: that are surely a student's.
    """

    session: SessionRow
    seats: list[StudentSeat]

    def seat(self, number: object) -> StudentSeat | None:
        """The seat of a number."""
        return next((one for one in self.seats if str(one.number) == str(number)), None)

    def name_of(self, kept: Mapping[str, Any] | None) -> str:
        """Of the student of whom looks were kept."""
        seat = None if kept is None else self.seat(kept["seat"])
        return "" if seat is None else seat.name

    def still(self, kept: Mapping[str, Any] | None) -> StudentSeat | None:
        """The seat of which looks were kept; None where they are of another class, or of another bias."""
        seat = None if kept is None or kept["session"] != self.session.id else self.seat(kept["seat"])
        return None if kept is None or seat is None or _calibrated(seat) != kept["calibrated"] else seat


def layout() -> Component:
    """The section before it knows which class is read."""
    return html.Section(
        [
            html.Div(html.H2("Calibrate a seat"), className="cp-heading"),
            html.P(
                "A camera, a light or a face at rest may have one seat read as something that it does not show. A "
                "neutral minute, and a few posed expressions of some seconds, tell how this face is read; what makes "
                "up for it is kept with the student.",
                className="cp-muted cp-small",
            ),
            dcc.Interval(id=POLL, interval=1000),
            *polls.stores(SHOW),
            dcc.Store(id=STATE),
            dcc.Store(id=ENDED),
            dcc.Store(id=CHANGED),
            dcc.Store(id=REMOVED),
            html.Div(id=EMPTY),
            html.Div(
                [
                    html.Div(
                        [
                            dmc.Select(
                                id=SEAT,
                                label="Seat",
                                placeholder="Choose a student",
                                data=[],
                                searchable=True,
                                allowDeselect=False,
                            ),
                            dmc.Select(
                                id=EXPRESSION,
                                label="Expression that is shown",
                                data=[
                                    {"value": name, "label": f"{word}, {SECONDS[name]} s"}
                                    for name, word in EXPRESSIONS.items()
                                ],
                                value="neutral",
                                allowDeselect=False,
                            ),
                            dmc.Button("Begin", id=BEGIN),
                            dmc.Button("Cancel", id=CANCEL, variant="default", className="cp-hidden"),
                        ],
                        className="cp-try-recording",
                    ),
                    html.Div(id=RUNNING),
                    html.Ul(id=COLLECTED, className="cp-try-collected"),
                    dmc.Button("Work it out", id=WORK, variant="default", disabled=True),
                    html.Div(id=RESULT),
                    dmc.Button("Keep it", id=KEEP, className="cp-hidden"),
                ],
                id=ROOM,
                className="cp-hidden",
            ),
            html.P(id=SAID, className="cp-small", role="status"),
            html.Div(id=KEPT),
        ],
        className="cp-paper cp-try-section",
        **{"aria-label": "Calibrate a seat"},
    )


def register(app: Dash, engine: Engine, figures: Mapping[str, Any] | None) -> None:
    """Collect looks, work the bias out, keep it and remove it.

    Args:
        app: the app.
        engine: on the migrated database.
        figures: what was measured of the classifier (see `dashboard.accuracy`), None where nothing was.
    """
    usual = None if figures is None else typical(figures["confusion"])
    _register_shown(app, engine, usual is not None)
    _register_begin(app, engine)
    if usual is not None:
        _register_fit(app, engine, usual)

    @app.callback(
        Output(SAID, "children", allow_duplicate=True),
        Output(CHANGED, "data", allow_duplicate=True),
        presses.told(app, REMOVED, Input({"type": REMOVE, "student": ALL}, "n_clicks")),
        prevent_initial_call=True,
    )
    def remove(press: OfStudent | None) -> Any:
        if press is None:
            raise PreventUpdate

        check_may_manage()

        def take_away() -> str:
            student = read_student(engine, int(press["student"]))
            calibrations.remove_bias(engine, student.id)
            return f"{student.name} is read as everybody else again."

        return _done(take_away)


def _register_shown(app: Dash, engine: Engine, measured: bool) -> None:
    @app.callback(
        Output(EMPTY, "children"),
        Output(ROOM, "className"),
        Output(SEAT, "data"),
        Output(RUNNING, "children"),
        Output(COLLECTED, "children"),
        Output(BEGIN, "disabled"),
        Output(CANCEL, "className"),
        Output(WORK, "disabled"),
        Output(ENDED, "data"),
        polls.question(app, SHOW, POLL),
        State(STATE, "data"),
        State(SEAT, "data"),
        running=polls.at_work(SHOW),
        prevent_initial_call=True,
    )
    def show(_count: int | None, kept: Kept | None, offered: list[dict[str, str]] | None) -> Any:
        room = why = None
        if not measured:
            why = "How the classifier reads most faces is not known here: its figures are missing."
        else:
            room, why = room_of(engine)
        if room is None:
            return (
                html.P(why),
                "cp-hidden",
                no_update,
                None,
                [],
                True,
                "cp-hidden",
                True,
                no_update,
            )
        choices = [{"value": str(one.number), "label": one.name} for one in room.seats]
        known = None if room.still(kept) is None else kept
        now, said = known, ""
        begun = None if known is None else known["begun"]
        if known is not None and begun is not None:
            now, said = ended(engine, room, known)
            begun = now["begun"]
        collected = {} if now is None else looks(engine, room, now)
        return (
            None,
            "",
            no_update if choices == offered else choices,
            None if begun is None or now is None else _progress(engine, room, now),
            [
                html.Li(f"{room.name_of(now)}, {EXPRESSIONS[name]}: {count(len(rows), 'look')}")
                for name, rows in collected.items()
            ],
            begun is not None,
            "" if begun is not None else "cp-hidden",
            begun is not None or not any(len(rows) >= FEWEST_LOOKS[name] for name, rows in collected.items()),
            no_update if now == kept else {"before": kept, "state": now, "said": said},
        )

    # an answer that was under way when Begin or Cancel was pressed changes nothing
    app.clientside_callback(
        ClientsideFunction("classpulseStudio", "ended"),
        Output(STATE, "data", allow_duplicate=True),
        Output(SAID, "children", allow_duplicate=True),
        Input(ENDED, "data"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(Output(KEPT, "children"), Input(CHANGED, "data"), Input(shell.VIEWER, "data"))
    def list_kept(_changed: Any, viewer: Any) -> Any:
        check_may_manage()
        zone = shell.viewer_of(viewer).zone
        students = calibrations.calibrated_students(engine)
        return kept_list([(one, day(one.calibrated_at, zone)) for one in students if one.calibrated_at])


def _register_begin(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(STATE, "data", allow_duplicate=True),
        Output(SAID, "children", allow_duplicate=True),
        Output(RESULT, "children", allow_duplicate=True),
        Output(KEEP, "className", allow_duplicate=True),
        Input(BEGIN, "n_clicks"),
        State(SEAT, "value"),
        State(EXPRESSION, "value"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )
    def begin(_clicks: int, seat: RowIdText | None, expression: ExpressionName, kept: Kept | None) -> Any:
        room, why = room_of(engine)
        chosen = None if room is None else room.seat(seat)
        if room is None or chosen is None:
            return no_update, why or "Choose a seat first.", None, "cp-hidden"
        windows = kept["windows"] if kept is not None and room.still(kept) == chosen else []
        begun = {"expression": expression, "since": _milliseconds(datetime.now(UTC))}
        state = {
            "session": room.session.id,
            "seat": chosen.number,
            "calibrated": _calibrated(chosen),
            "windows": windows,
            "begun": begun,
        }
        return state, f"{chosen.name} shows {EXPRESSIONS[_named(expression)].lower()} now.", None, "cp-hidden"

    @app.callback(
        Output(STATE, "data", allow_duplicate=True),
        Output(SAID, "children", allow_duplicate=True),
        Input(CANCEL, "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )
    def cancel(_clicks: int, kept: Kept | None) -> Any:
        return (
            no_update if kept is None else {**kept, "begun": None}
        ), "Cancelled: those looks do not count."


def _register_fit(app: Dash, engine: Engine, usual: NDArray[np.float64]) -> None:
    def fitted(kept: dict[str, Any] | None) -> tuple[Fit, StudentSeat]:
        room, why = room_of(engine)
        seat = None if room is None else room.still(kept)
        if room is None or kept is None or seat is None:
            raise InvalidRecordError(why or "That seat is not there any more: choose one, and begin.")
        return fit(looks(engine, room, kept), usual), seat

    @app.callback(
        Output(RESULT, "children"),
        Output(KEEP, "className"),
        Output(SAID, "children", allow_duplicate=True),
        Input(WORK, "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )
    def work_out(_clicks: int, kept: Kept | None) -> Any:
        check_may_manage()
        try:
            found, seat = fitted(kept)
        except ClasspulseError as error:
            return None, "cp-hidden", str(error)
        return outcome(found, seat.name), "" if found.helps else "cp-hidden", ""

    @app.callback(
        Output(RESULT, "children", allow_duplicate=True),
        Output(KEEP, "className", allow_duplicate=True),
        Output(STATE, "data", allow_duplicate=True),
        Output(SAID, "children", allow_duplicate=True),
        Output(CHANGED, "data", allow_duplicate=True),
        Input(KEEP, "n_clicks"),
        State(STATE, "data"),
        prevent_initial_call=True,
    )
    def keep(_clicks: int, kept: Kept | None) -> Any:
        check_may_manage()

        def put_down() -> str:
            found, seat = fitted(kept)
            if not found.helps:
                raise InvalidRecordError("It would not help this seat, so it is not kept.")
            calibrations.keep_bias(engine, seat.student_id, found.bias, datetime.now(UTC))
            return f"Kept: {seat.name} is read with it from the next look on."

        said, changed = _done(put_down)
        return None, "cp-hidden", no_update if changed is no_update else None, said, changed


def room_of(engine: Engine) -> tuple[Room | None, str]:
    """The class of which a seat can be calibrated now; None with the reason, and what to do."""
    check_may_manage()
    session = queries.live_session(engine, host=socket.gethostname())
    if session is None:
        why = (
            "Start a class first, in individual mode, and have the student in it: their seat is chosen here."
        )
        return None, why
    why = _why_not(session)
    seats = [] if why else calibrations.student_seats(engine, session.id)
    if not (seats or why):
        why = (
            f"No seat of {session.name} is surely a student's of its class list yet. Import the list, or match labels, "
            "on the page Students: what is kept belongs to a student, and goes with them."
        )
    return (None, why) if why else (Room(session, seats), "")


def _why_not(session: SessionRow) -> str:
    """Why no seat of a class can be calibrated, whoever is in it; "" where some can."""
    if session.mode is not Mode.INDIVIDUAL:
        return f"{session.name} is read in {session.mode} mode, in which nothing is known of one seat."
    if session.paused_at is not None:
        return f"{session.name} is paused: nothing is looked at until it goes on."
    if not session.live:
        return (
            f"{session.name} is a recording, in which nobody can be asked for an expression: start a class."
        )
    if session.interval > _SLOWEST:
        return (
            f"{session.name} is looked at every {session.interval:g} s, too seldom for a posed expression: start it "
            "with a look every 2 s."
        )
    return ""


def looks(engine: Engine, room: Room, kept: Mapping[str, Any]) -> dict[Expression, NDArray[np.float32]]:
    """What was read on the seat while each expression was shown, as the network said it: float32 (n, 7)."""
    found: dict[Expression, list[NDArray[np.float32]]] = {}
    for window in kept["windows"]:
        rows = _read(engine, room, kept, window["since"], window["until"])
        found.setdefault(_named(window["expression"]), []).append(rows)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _read(
    engine: Engine, room: Room, kept: Mapping[str, Any], since: float, until: float
) -> NDArray[np.float32]:
    """The looks of a stretch without the bias that was on the seat then."""
    seat = room.seat(kept["seat"])
    rows = calibrations.looks_of(engine, room.session.id, kept["seat"], _time(since), _time(until))
    if seat is None or seat.bias is None:
        return rows
    return apply_bias(rows, -calibrations.as_array(seat.bias))


def _calibrated(seat: StudentSeat) -> int | None:
    return None if seat.calibrated_at is None else _milliseconds(seat.calibrated_at)


def ended(engine: Engine, room: Room, kept: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What is being shown, or that it is over: long enough and with enough looks, or without hope of them; and what is
    to be said of it."""
    begun, now = kept["begun"], _milliseconds(datetime.now(UTC))
    name = _named(begun["expression"])
    seconds = (now - begun["since"]) / 1000
    read = 0
    for times in range(1, _PATIENCE + 1):
        if seconds < times * SECONDS[name]:
            return kept, ""
        # not until now: a tab that is hidden asks seldom, and what is shown since is something else
        until = begun["since"] + 1000 * times * SECONDS[name]
        read = len(_read(engine, room, kept, begun["since"], until))
        if read >= FEWEST_LOOKS[name]:
            window = {**begun, "until": until}
            return {
                **kept,
                "windows": [*kept["windows"], window],
                "begun": None,
            }, f"{EXPRESSIONS[name]}: done."
    few = f"{EXPRESSIONS[name]}: the face could be read in {count(read, 'look')} only."
    return {**kept, "begun": None}, f"{few} Come nearer, or into more light."


def _progress(engine: Engine, room: Room, kept: Mapping[str, Any]) -> Component:
    begun, now = kept["begun"], _milliseconds(datetime.now(UTC))
    name = _named(begun["expression"])
    seconds = max(0.0, (now - begun["since"]) / 1000)
    read = len(_read(engine, room, kept, begun["since"], now))
    shown = f"{EXPRESSIONS[name]}: {min(seconds, SECONDS[name]):.0f} of {SECONDS[name]}"
    return html.Div(
        [
            dmc.ProgressRoot(
                dmc.ProgressSection(
                    value=100 * min(1.0, seconds / SECONDS[name]),
                    **{"aria-label": f"{shown} seconds"},
                ),
                size="lg",
            ),
            html.P(f"{shown} s, read in {count(read, 'look')}", className="cp-small"),
        ]
    )


def outcome(found: Fit, name: str) -> Component:
    """What the bias does, judged on looks that it was not fitted to."""
    if not found.held:
        return html.P("There are too few looks at which the face could be read.")
    rows = [
        html.Li(
            f"{EXPRESSIONS[one.expression]} was read as such in {one.before} of {count(one.looks, 'look')}; with the "
            f"calibration in {one.after}."
        )
        for one in found.held
    ]
    verdict = (
        f"It helps: {name} is read better with it."
        if found.helps
        else f"It would not help: {name} is read as well without it, so there is nothing to keep."
    )
    return html.Div(
        [
            html.Ul(rows, className="cp-try-collected"),
            html.P(html.B(verdict)),
            html.P(
                "Each half of the looks is judged by a calibration that was fitted to the other. What was not shown "
                "was not tried.",
                className="cp-muted cp-small",
            ),
        ]
    )


def kept_list(students: list[tuple[Student, str]]) -> Component | None:
    """Whose seats were calibrated and when, each with a button that removes it; None where nobody's was."""
    if not students:
        return None
    return html.Div(
        [
            html.H3("Calibrated", className="cp-try-kept"),
            html.Ul(
                [
                    html.Li(
                        [
                            html.Span([html.B(one.name), f", {one.class_name}, {when}"]),
                            dmc.Button(
                                "Remove",
                                id={"type": REMOVE, "student": one.id},
                                variant="default",
                                size="compact-sm",
                                **{"aria-label": f"Remove the calibration of {one.name}"},
                            ),
                        ]
                    )
                    for one, when in students
                ],
                className="cp-try-calibrated",
            ),
        ]
    )


def _done(action: Callable[[], str]) -> tuple[str, Any]:
    """Do it, and say so or what went wrong; with what has the list drawn anew."""
    try:
        return action(), time_ns()
    except ClasspulseError as error:
        return str(error), no_update


def _named(expression: str) -> Expression:
    return ORDER[ORDER.index(expression)]


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _time(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
