"""Students (`/students`): the list of a class, who agreed, whose label is whose."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from time import time_ns
from typing import Any, Final
from urllib.parse import parse_qs

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import Response
from sqlalchemy import Engine

from dashboard import shell
from dashboard.components import students as parts
from dashboard.pages.sessions import GRID_THEME
from dashboard.roll import CONSENTS, consent_time, loose_labels, short_day, student_rows, summary
from dashboard.wording import count
from engagement.errors import ClasspulseError, RosterError
from engagement.records import Consent, OfferAnswer
from engagement.roster import Roster, read_roster
from storage import students, trend_queries
from storage.class_seats import read_class_seats
from storage.errors import UnknownStudentError
from storage.retention import erase_student
from storage.seat_offers import open_offers
from storage.students import NewStudent
from storage.traces import export_student, traces

CLASS: Final = "students-class"
NEW_CLASS: Final = "students-new-class"
NEW_CLASS_BOX: Final = "students-new-class-box"
NEW_CLASS_NAME: Final = "students-new-class-name"
NEW_CLASS_MAKE: Final = "students-new-class-make"
SAID: Final = "students-said"
CHANGED: Final = "students-changed"
EMPTY: Final = "students-empty"
FILLED: Final = "students-filled"
SUMMARY: Final = "students-summary"
GRID: Final = "students-grid"
GRID_EMPTY: Final = "students-grid-empty"
ADD_NAME: Final = "students-add-name"
ADD: Final = "students-add"
UPLOAD: Final = "students-upload"
FILE: Final = "students-file"
IMPORT_BOX: Final = "students-import-box"
IMPORT_TOLD: Final = "students-import-told"
IMPORT_SOURCE: Final = "students-import-source"
IMPORT_DAY: Final = "students-import-day"
IMPORT_FIELDS: Final = "students-import-fields"
IMPORT_FOOT: Final = "students-import-foot"
IMPORT_TAKE: Final = "students-import-take"
LABELS: Final = "students-labels"
OFFERS: Final = "students-offers"
CHOSEN: Final = "students-chosen"
NONE_CHOSEN: Final = "students-none-chosen"
PANEL: Final = "students-panel"
NAME: Final = "students-name"
CONSENT: Final = "students-consent"
DAY: Final = "students-day"
SOURCE: Final = "students-source"
SAVE: Final = "students-save"
EXPORT: Final = "students-export"
ERASE: Final = "students-erase"
ERASE_BOX: Final = "students-erase-box"
ERASE_TOLD: Final = "students-erase-told"
ERASE_YES: Final = "students-erase-yes"
ERASE_NO: Final = "students-erase-no"
ONLY_AGREED: Final = "students-only-agreed"
OWN_LABEL: Final = "students-own-label"
OWN_SAVE: Final = "students-own-save"

_COLUMNS: Final[list[dict[str, Any]]] = [
    {"field": "name", "headerName": "Name", "minWidth": 170, "flex": 2},
    {"field": "consent", "headerName": "Consent", "minWidth": 135},
    {"field": "since", "headerName": "Since", "minWidth": 110},
    {"field": "source", "headerName": "Where it stands", "minWidth": 130, "flex": 1.3},
    {"field": "last", "headerName": "Last seen", "minWidth": 145},
    {"field": "sessions", "headerName": "Sessions", "type": "rightAligned", "minWidth": 100},
]

_HEAD, _ROW, _MOST_ROWS = 52, 42, 12
"""Pixels of the grid's head and of a row; more rows scroll, so that what waits for an answer below stays in sight."""

_ANSWERS: Final = [{"value": str(one), "label": word} for one, word in CONSENTS.items()]


def layout() -> Component:
    """The page before a class is chosen."""
    return html.Div(
        [
            dcc.Store(id=CHANGED),
            dcc.Store(id=FILE),
            dcc.Store(id=CHOSEN),
            html.Div(
                [
                    html.H1("Students"),
                    html.Div(
                        [
                            dmc.Select(
                                id=CLASS,
                                className="cp-hidden",
                                data=[],
                                value=None,
                                allowDeselect=False,
                                searchable=True,
                                placeholder="Class",
                                nothingFoundMessage="No such class",
                                **{"aria-label": "Class"},
                            ),
                            dmc.Button("New class", id=NEW_CLASS, variant="default"),
                        ],
                        className="cp-students-class",
                    ),
                ],
                className="cp-title",
            ),
            html.Div(id=SAID, className="cp-students-said", role="status"),
            html.Div(id=EMPTY),
            html.Div(
                [
                    html.Div([_list(), _labels(), _offers()]),
                    html.Div([_panel(), _class_settings(), _about()]),
                ],
                id=FILLED,
                className="cp-students cp-hidden",
            ),
            _new_class_dialog(),
            _import_dialog(),
            _erase_dialog(),
        ]
    )


def register(app: Dash, engine: Engine) -> None:
    """Fill the page, and do what is asked on it."""
    _show(app, engine)
    _edit_list(app, engine)
    _edit_student(app, engine)
    _answer(app, engine)

    @app.server.get("/students/<int:student_id>/student.json")
    def download_student(student_id: int) -> Response:
        try:
            body = export_student(engine, student_id)
        except UnknownStudentError as error:
            return Response(str(error), 404, mimetype="text/plain")
        name = f"classpulse-student-{student_id}.json"
        return Response(
            body,
            mimetype="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def choice(names: list[str], search: str | None, chosen: str | None, made: object) -> str | None:
    """The class to show: the one just made, the one chosen, that of the address, else the one of the newest session.

    Args:
        names: of the classes, the newest session's first.
        search: of the address, such as "?class=Algebra".
        chosen: before.
        made: what the last action on the page was about.
    """
    asked = parse_qs((search or "").lstrip("?")).get("class", [None])[-1]
    new = made.get("class") if isinstance(made, dict) else None
    return next((name for name in (new, chosen, asked, *names) if name in names), None)


def _show(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(CLASS, "className"),
        Output(CLASS, "data"),
        Output(CLASS, "value"),
        Input(shell.URL, "search"),
        Input(CHANGED, "data"),
        State(CLASS, "value"),
    )
    def offer(search: str | None, changed: Any, chosen: str | None) -> Any:
        names = students.class_names(engine)
        newest_first = [row.name for row in trend_queries.classes(engine)]
        ranked = [*newest_first, *(name for name in names if name not in newest_first)]
        return (
            "" if names else "cp-hidden",
            names,
            choice(ranked, search, chosen, changed if ctx.triggered_id == CHANGED else None),
        )

    @app.callback(
        Output(EMPTY, "children"),
        Output(FILLED, "className"),
        Output(SUMMARY, "children"),
        Output(GRID, "rowData"),
        Output(GRID, "className"),
        Output(GRID, "style"),
        Output(GRID_EMPTY, "children"),
        Output(LABELS, "children"),
        Output(OFFERS, "children"),
        Output(ONLY_AGREED, "checked"),
        Output(OWN_LABEL, "value"),
        Input(CLASS, "value"),
        Input(CHANGED, "data"),
        Input(shell.VIEWER, "data"),
    )
    def show(name: str | None, _changed: Any, viewer: Any) -> Any:
        if name is None:
            nothing: tuple[Any, ...] = ("", [], "cp-hidden", {}, [], [], [], False, "")
            return parts.no_class(), "cp-students cp-hidden", *nothing
        zone = shell.viewer_of(viewer).zone
        roll, seats = students.read_class_list(engine, name), read_class_seats(engine, name)
        listed = roll.students if roll else ()
        matched = parts.matched_list(roll.labels if roll else {}, listed)
        return (
            None,
            "cp-students",
            summary(listed),
            student_rows(listed, seats, zone),
            "cp-grid" if listed else "cp-hidden",
            {"height": f"{_HEAD + _ROW * min(len(listed), _MOST_ROWS)}px", "width": "100%"},
            None if listed else parts.no_student(name),
            [parts.label_list(loose_labels(seats, roll), listed, zone), matched],
            parts.offer_list(open_offers(engine, name), zone),
            bool(roll and roll.only_agreed),
            (roll.own_label if roll else None) or "",
        )


def _edit_list(app: Dash, engine: Engine) -> None:
    @app.callback(Output(NEW_CLASS_BOX, "opened"), Input(NEW_CLASS, "n_clicks"), prevent_initial_call=True)
    def ask_for_class(clicks: int | None) -> bool:
        return bool(clicks)

    @app.callback(
        *_outcome(),
        Output(NEW_CLASS_BOX, "opened", allow_duplicate=True),
        Output(NEW_CLASS_NAME, "value"),
        Input(NEW_CLASS_MAKE, "n_clicks"),
        Input(NEW_CLASS_NAME, "n_submit"),
        State(NEW_CLASS_NAME, "value"),
        prevent_initial_call=True,
    )
    def make_class(clicks: int | None, submits: int | None, name: str | None) -> Any:
        _require(clicks, submits)

        def make() -> tuple[str, str]:
            made = students.ensure_class_list(engine, name or "")
            return f"{made} has a list now.", made

        return *_done(make), False, ""

    @app.callback(
        *_outcome(),
        Output(ADD_NAME, "value"),
        Input(ADD, "n_clicks"),
        Input(ADD_NAME, "n_submit"),
        State(ADD_NAME, "value"),
        State(CLASS, "value"),
        prevent_initial_call=True,
    )
    def add(clicks: int | None, submits: int | None, name: str | None, class_name: str | None) -> Any:
        _require(clicks, submits)

        def make() -> str:
            number = students.add_student(engine, class_name or "", name or "")
            return f"{students.read_student(engine, number).name} is on the list."

        return *_done(make), ""

    app.clientside_callback(
        ClientsideFunction("classpulseStudents", "file"),
        Output(FILE, "data"),
        Input(UPLOAD, "contents"),
        State(UPLOAD, "filename"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(IMPORT_BOX, "opened"),
        Output(IMPORT_BOX, "title"),
        Output(IMPORT_TOLD, "children"),
        Output(IMPORT_FIELDS, "className"),
        Output(IMPORT_SOURCE, "value"),
        Output(IMPORT_DAY, "value"),
        Output(IMPORT_TAKE, "children"),
        Output(IMPORT_FOOT, "className"),
        Output(UPLOAD, "contents"),
        Input(FILE, "data"),
        State(CLASS, "value"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def preview(file: Any, class_name: str | None, viewer: Any) -> Any:
        name = str(file.get("name", "")) if isinstance(file, dict) else ""
        today = short_day(datetime.now(UTC), shell.viewer_of(viewer).zone)
        try:
            roster = _roster(file)
        except RosterError as error:
            told = parts.failure(str(error))
            return (
                True,
                f"{name} is no class list",
                told,
                "cp-hidden",
                "",
                today,
                "Take in",
                "cp-hidden",
                None,
            )
        roll = students.read_class_list(engine, class_name or "")
        return (
            True,
            f"{name} into {class_name}",
            parts.preview(roster, roll.students if roll else ()),
            "cp-students-fields" if roster.with_consent else "cp-hidden",
            name,
            today,
            f"Take in {count(len(roster.rows), 'student')}",
            "" if roster.rows else "cp-hidden",
            None,
        )

    @app.callback(
        *_outcome(),
        Output(IMPORT_BOX, "opened", allow_duplicate=True),
        Input(IMPORT_TAKE, "n_clicks"),
        State(FILE, "data"),
        State(CLASS, "value"),
        State(IMPORT_SOURCE, "value"),
        State(IMPORT_DAY, "value"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def take_in(
        clicks: int | None,
        file: Any,
        class_name: str | None,
        source: str | None,
        day: str | None,
        viewer: Any,
    ) -> Any:
        _require(clicks)
        now = datetime.now(UTC)

        def take() -> str:
            done = students.import_students(
                engine,
                class_name or "",
                [NewStudent(row.name, row.consent) for row in _roster(file).rows],
                source=source or "",
                at=consent_time(day, shell.viewer_of(viewer).zone, now) or now,
            )
            return (
                f"Taken in: {done.added} new, {done.changed} with another answer, {done.unchanged} as before. "
                "Nobody was removed."
            )

        return *_done(take), False


def _edit_student(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(CHOSEN, "data"),
        Output(NONE_CHOSEN, "className"),
        Output(PANEL, "className"),
        Output(NAME, "value"),
        Output(CONSENT, "value"),
        Output(DAY, "value"),
        Output(SOURCE, "value"),
        Output(EXPORT, "href"),
        Input(GRID, "selectedRows"),
        Input(CHANGED, "data"),
        Input(CLASS, "value"),
        State(shell.VIEWER, "data"),
    )
    def choose(rows: list[dict[str, Any]] | None, _changed: Any, class_name: str | None, viewer: Any) -> Any:
        try:
            one = students.read_student(engine, int(rows[0]["id"])) if rows else None
        except UnknownStudentError:
            one = None
        if one is None or one.class_name != class_name:
            return None, "cp-muted", "cp-hidden", "", str(Consent.UNKNOWN), "", "", ""
        zone = shell.viewer_of(viewer).zone
        day = "" if one.consent_at is None else short_day(one.consent_at, zone)
        return (
            one.id,
            "cp-hidden",
            "cp-students-form",
            one.name,
            str(one.consent),
            day,
            one.consent_source or "",
            f"/students/{one.id}/student.json",
        )

    @app.callback(
        *_outcome(),
        Input(SAVE, "n_clicks"),
        State(CHOSEN, "data"),
        State(NAME, "value"),
        State(CONSENT, "value"),
        State(DAY, "value"),
        State(SOURCE, "value"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def save(
        clicks: int | None, chosen: int, name: str, consent: str, day: str | None, source: str, viewer: Any
    ) -> Any:
        _require(clicks)
        zone, now = shell.viewer_of(viewer).zone, datetime.now(UTC)

        def keep() -> str:
            before = students.read_student(engine, int(chosen))
            answer = Consent(consent)
            if name != before.name:
                students.rename_student(engine, before.id, name or "")
            shown = "" if before.consent_at is None else short_day(before.consent_at, zone)
            if answer is Consent.UNKNOWN:
                at = None
            elif (day or "") != shown:
                at = consent_time(day, zone, now)
            else:
                # an answer that changes is one of today, unless a day is given
                at = before.consent_at if answer is before.consent else now
            students.set_consent(engine, before.id, answer, None if at is None and not source else source, at)
            kept = students.read_student(engine, before.id)
            return f"Kept: {kept.name}, {CONSENTS[kept.consent]}."

        return _done(keep)

    @app.callback(
        Output(ERASE_BOX, "opened"),
        Output(ERASE_BOX, "title"),
        Output(ERASE_TOLD, "children"),
        Input(ERASE, "n_clicks"),
        State(CHOSEN, "data"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def ask_to_erase(clicks: int | None, chosen: int | None, viewer: Any) -> Any:
        _require(clicks and chosen)
        told = traces(engine, int(chosen or 0))
        return True, f"Erase {told.student.name}?", parts.farewell(told, shell.viewer_of(viewer).zone)

    @app.callback(
        *_outcome(),
        Output(ERASE_BOX, "opened", allow_duplicate=True),
        Input(ERASE_YES, "n_clicks"),
        Input(ERASE_NO, "n_clicks"),
        State(CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def erase(yes: int | None, no: int | None, chosen: int | None) -> Any:
        _require(yes, no)
        if ctx.triggered_id == ERASE_NO:
            return None, None, False

        def gone() -> str:
            name = students.read_student(engine, int(chosen or 0)).name
            erase_student(engine, int(chosen or 0))
            return f"{name} was erased."

        return *_done(gone), False


def _answer(app: Dash, engine: Engine) -> None:
    @app.callback(
        *_outcome(), Input(ONLY_AGREED, "checked"), State(CLASS, "value"), prevent_initial_call=True
    )
    def only_agreed(checked: bool, class_name: str | None) -> Any:
        roll = students.read_class_list(engine, class_name or "")
        if class_name is None or checked == bool(roll and roll.only_agreed):
            raise PreventUpdate  # the page only shows what is kept

        def keep() -> str:
            students.update_class_list(engine, class_name, only_agreed=checked)
            who = "only those who agreed" if checked else "everybody but those who refused"
            return f"In {class_name}, {who} will be read, from the next interval on."

        return _done(keep)

    @app.callback(
        *_outcome(),
        Input(OWN_SAVE, "n_clicks"),
        Input(OWN_LABEL, "n_submit"),
        State(OWN_LABEL, "value"),
        State(CLASS, "value"),
        prevent_initial_call=True,
    )
    def own_label(clicks: int | None, submits: int | None, label: str | None, class_name: str | None) -> Any:
        _require(clicks, submits)

        def keep() -> str:
            students.update_class_list(engine, class_name or "", own_label=label or "")
            return "Your own tile is left out." if label else "No tile is known as your own."

        return _done(keep)

    @app.callback(
        *_outcome(),
        Input({"type": parts.MATCH, "label": ALL}, "value"),
        State(CLASS, "value"),
        prevent_initial_call=True,
    )
    def match(_values: list[str | None], class_name: str | None) -> Any:
        value = ctx.triggered[0]["value"] if ctx.triggered else None
        _require(value and isinstance(ctx.triggered_id, dict))
        label = str(ctx.triggered_id["label"])

        def keep() -> str:
            if value == parts.OWN:
                students.update_class_list(engine, class_name or "", own_label=label)
                return f"“{label}” is your own tile and is left out."
            if value == parts.NOBODY:
                students.match_label(engine, class_name or "", label, None)
                return f"“{label}” is nobody of the list."
            students.match_label(engine, class_name or "", label, int(str(value)))
            return f"“{label}” is {students.read_student(engine, int(str(value))).name}."

        return _done(keep)

    @app.callback(
        *_outcome(),
        Input({"type": parts.UNMATCH, "label": ALL}, "n_clicks"),
        State(CLASS, "value"),
        prevent_initial_call=True,
    )
    def unmatch(_clicks: list[int | None], class_name: str | None) -> Any:
        _require(ctx.triggered and ctx.triggered[0]["value"] and isinstance(ctx.triggered_id, dict))
        label = str(ctx.triggered_id["label"])

        def keep() -> str:
            students.unmatch_label(engine, class_name or "", label)
            return f"“{label}” is matched by its likeness again."

        return _done(keep)

    @app.callback(
        *_outcome(),
        Input({"type": parts.SAME, "session": ALL, "seat": ALL, "same": ALL}, "n_clicks"),
        Input({"type": parts.TWO, "session": ALL, "seat": ALL, "same": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def answer(_same: list[int | None], _two: list[int | None]) -> Any:
        _require(ctx.triggered and ctx.triggered[0]["value"] and isinstance(ctx.triggered_id, dict))
        one = dict(ctx.triggered_id)

        def keep() -> str:
            same = one["type"] == parts.SAME
            students.answer_offer(
                engine,
                int(one["session"]),
                int(one["seat"]),
                int(one["same"]),
                OfferAnswer.SAME if same else OfferAnswer.DIFFERENT,
            )
            return "They are one seat now." if same else "They stay two people."

        return _done(keep)


def _outcome() -> tuple[Output, Output]:
    """Where an action says what it did, and lets the page be filled anew."""
    return Output(SAID, "children", allow_duplicate=True), Output(CHANGED, "data", allow_duplicate=True)


def _done(action: Callable[[], str | tuple[str, str]]) -> tuple[Component, dict[str, Any]]:
    """Do it, and say so or what went wrong; the values of `_outcome`."""
    class_name = None
    try:
        told = action()
    except ClasspulseError as error:
        said = parts.failure(str(error))
    else:
        text, class_name = told if isinstance(told, tuple) else (told, None)
        said = html.Div(text, className="cp-students-done")
    return said, {"at": time_ns(), "class": class_name}


def _require(*clicks: object) -> None:
    """Stop a callback that fires because its buttons have just been drawn."""
    if not any(clicks):
        raise PreventUpdate


def _roster(file: Any) -> Roster:
    """The class list in what the browser sent.

    Raises:
        RosterError: it is none.
    """
    told: dict[str, Any] = file if isinstance(file, dict) else {}
    if "megabytes" in told:
        raise RosterError(
            f"The file has {float(told['megabytes']):.1f} MB, far more than a class list: choose the CSV file of one "
            "class."
        )
    _, _, encoded = str(told.get("contents", "")).partition(",")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise RosterError("The browser sent no file that can be read: choose it once more.") from None
    return read_roster(data)


def _list() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2(id=SUMMARY),
                    html.Div(
                        [
                            html.Div(
                                [
                                    _field(
                                        ADD_NAME,
                                        placeholder="New student",
                                        size="sm",
                                        **{"aria-label": "Name of the new student"},
                                    ),
                                    dmc.Button("Add", id=ADD, variant="default", size="sm"),
                                ],
                                className="cp-students-add",
                            ),
                            dcc.Upload(
                                dmc.Button("Import CSV", size="sm"),
                                id=UPLOAD,
                                accept=".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values",
                                multiple=False,
                            ),
                        ],
                        className="cp-students-tools",
                    ),
                ],
                className="cp-heading",
            ),
            html.Div(id=GRID_EMPTY),
            dag.AgGrid(
                id=GRID,
                columnDefs=_COLUMNS,
                rowData=[],
                getRowId="params.data.id",
                defaultColDef={"sortable": True, "resizable": True, "flex": 1},
                dashGridOptions={
                    "theme": {"function": GRID_THEME},
                    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
                    "animateRows": False,
                },
                style={"height": None, "width": "100%"},
                className="cp-hidden",
            ),
        ],
        className="cp-paper cp-students-list",
        **{"aria-label": "Class list"},
    )


def _labels() -> Component:
    return html.Section(
        [
            html.H2("Labels that match nobody, or several"),
            html.P(
                "Names on tiles of the last sessions that are not surely somebody's. Say whose they are once: it "
                "counts for past sessions too.",
                className="cp-muted cp-small",
            ),
            html.Div(id=LABELS),
        ],
        className="cp-paper",
    )


def _offers() -> Component:
    return html.Section(
        [
            html.H2("The same person?"),
            html.P(
                "Somebody came back under another name, or two of one name changed places. Nothing is joined "
                "unless you say so, and what is joined cannot be parted.",
                className="cp-muted cp-small",
            ),
            html.Div(id=OFFERS),
        ],
        className="cp-paper",
    )


def _panel() -> Component:
    return html.Section(
        [
            html.H2("Student"),
            html.P(
                "Choose somebody in the list to rename, to note consent, to export or to erase.",
                id=NONE_CHOSEN,
                className="cp-muted",
            ),
            html.Div(
                [
                    _field(NAME, label="Name"),
                    dmc.InputWrapper(
                        dmc.SegmentedControl(
                            id=CONSENT,
                            data=_ANSWERS,
                            value=str(Consent.UNKNOWN),
                            fullWidth=True,
                            size="sm",
                            **{"aria-label": "Consent"},
                        ),
                        label="Consent",
                    ),
                    _field(DAY, label="Given on", inputProps={"type": "date"}),
                    _field(
                        SOURCE,
                        label="Where it stands",
                        placeholder="such as: letter of the parents",
                    ),
                    html.Div(
                        [
                            dmc.Button("Save", id=SAVE, size="sm"),
                            html.A("Export", id=EXPORT, href="", className="cp-button", download=""),
                            dmc.Button(
                                "Erase", id=ERASE, variant="default", size="sm", className="cp-students-erase"
                            ),
                        ],
                        className="cp-students-foot",
                    ),
                ],
                id=PANEL,
                className="cp-hidden",
            ),
        ],
        className="cp-paper cp-students-panel",
        **{"aria-label": "Student"},
    )


def _class_settings() -> Component:
    return html.Section(
        [
            html.H2("Who is read"),
            html.Div(
                [
                    dmc.Switch(
                        id=ONLY_AGREED,
                        label="Only those who agreed",
                        description="Everybody else, and every label that matches nobody, is left out like one who "
                        "refused.",
                        checked=False,
                    ),
                    html.Div(
                        [
                            _field(
                                OWN_LABEL,
                                label="Label of your own tile",
                                description="Left out of everything. Not needed where Zoom marks it “(me)”.",
                            ),
                        ]
                    ),
                    html.Div(dmc.Button("Save label", id=OWN_SAVE, variant="default", size="sm")),
                ],
                className="cp-students-form",
            ),
        ],
        className="cp-paper",
    )


def _about() -> Component:
    return html.Section(
        [
            html.H2("What a list does"),
            html.Ul(
                [
                    html.Li(
                        "Lists are per class, which is all sessions of one name. Nobody is looked for in another class."
                    ),
                    html.Li(
                        "Only sessions in individual mode keep anything per seat. In aggregate and participation mode "
                        "there is nothing of a student to show, export or erase."
                    ),
                    html.Li(
                        "Who refused is masked before faces are looked for: their name is read, nothing else."
                    ),
                    html.Li(
                        "Students are known by the name on their tile, never by their face. A label that is not surely "
                        "one student's is left to you."
                    ),
                ],
                className="cp-prose cp-small",
            ),
        ],
        className="cp-paper",
    )


def _field(name: str, **properties: Any) -> Component:
    """A text field whose value is told with Enter and when it is left: else it comes after what a button asks."""
    return dmc.TextInput(id=name, value="", debounce=True, **properties)


def _new_class_dialog() -> Component:
    return dmc.Modal(
        html.Div(
            [
                _field(
                    NEW_CLASS_NAME,
                    label="Name of the class",
                    description="Sessions that are started under this name belong to it.",
                ),
                html.Div(dmc.Button("Make the class", id=NEW_CLASS_MAKE)),
            ],
            className="cp-students-dialog",
        ),
        id=NEW_CLASS_BOX,
        title="New class",
        centered=True,
        keepMounted=True,
        closeButtonProps={"aria-label": "Close"},
    )


def _import_dialog() -> Component:
    return dmc.Modal(
        html.Div(
            [
                html.Div(id=IMPORT_TOLD),
                html.Div(
                    [
                        _field(IMPORT_SOURCE, label="Where the consent stands"),
                        _field(IMPORT_DAY, label="Given on", inputProps={"type": "date"}),
                    ],
                    id=IMPORT_FIELDS,
                    className="cp-hidden",
                ),
                html.Div(dmc.Button("Take in", id=IMPORT_TAKE), id=IMPORT_FOOT, className="cp-hidden"),
            ],
            className="cp-students-dialog",
        ),
        id=IMPORT_BOX,
        title="",
        size="lg",
        centered=True,
        keepMounted=True,
        closeButtonProps={"aria-label": "Close"},
    )


def _erase_dialog() -> Component:
    return dmc.Modal(
        html.Div(
            [
                html.Div(id=ERASE_TOLD),
                html.Div(
                    [
                        dmc.Button("Keep", id=ERASE_NO, variant="default"),
                        dmc.Button("Erase for good", id=ERASE_YES, color="red.9"),
                    ],
                    className="cp-students-foot",
                ),
            ],
            className="cp-students-dialog",
        ),
        id=ERASE_BOX,
        title="",
        size="lg",
        centered=True,
        keepMounted=True,
        closeButtonProps={"aria-label": "Close"},
    )
