"""Students (`/students`): the list of a class, who agreed, whose label is whose."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from time import time_ns
from typing import Annotated, Any
from urllib.parse import parse_qs

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components import presses
from dashboard.components import students as parts
from dashboard.pages import students_form as form
from dashboard.roll import CONSENTS, consent_time, loose_labels, short_day, student_rows, summary
from dashboard.shapes import RowId, RowIdText, one_of, shaped
from engagement.errors import ClasspulseError, RosterError
from engagement.phrases import count
from engagement.records import Consent, OfferAnswer
from engagement.roster import Roster, read_roster
from storage import students, trend_queries
from storage.class_seats import read_class_seats
from storage.errors import UnknownStudentError
from storage.retention import erase_student
from storage.seat_offers import open_offers
from storage.students import NewStudent
from storage.traces import export_student, traces

_NUMBER = TypeAdapter(RowId)

_HEAD, _ROW, _MOST_ROWS = 52, 42, 12
"""Pixels of the grid's head and of a row; more rows scroll, so that what waits for an answer below stays in sight."""


class _OfLabel(TypedDict):
    label: str
    value: Any


class _OfOffer(TypedDict):
    type: str
    session: RowId | RowIdText
    seat: RowId | RowIdText
    same: RowId | RowIdText


_Shown = TypedDict("_Shown", {"class": str, "agreed": bool, "own": str})

Shown = Annotated[dict[str, Any], shaped(_Shown)]
"""What the switch and the field of the list's rules were last filled with, and of which class."""


class _Wish(TypedDict):
    agreed: bool


Wish = Annotated[dict[str, Any], shaped(_Wish)]
"""Whether only those who agreed are to be read."""

OfLabel = Annotated[presses.Press, shaped(_OfLabel)]
"""A press beside a label."""

OfOffer = Annotated[presses.Press, shaped(_OfOffer)]
"""The answer to whether two seats are one."""

layout = form.layout


def register(app: Dash, engine: Engine) -> None:
    """Fill the page, and do what is asked on it."""
    _show(app, engine)
    _edit_list(app, engine)
    _edit_student(app, engine)
    _answer(app, engine)

    @app.server.get("/students/<int(max=2147483647):student_id>/student.json")
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
        Output(form.CLASS, "className"),
        Output(form.CLASS, "data"),
        Output(form.CLASS, "value"),
        Input(shell.URL, "search"),
        Input(form.CHANGED, "data"),
        State(form.CLASS, "value"),
    )
    def offer(search: str | None, changed: Any, chosen: str | None) -> Any:
        names = students.class_names(engine)
        newest_first = [row.name for row in trend_queries.classes(engine)]
        ranked = [*newest_first, *(name for name in names if name not in newest_first)]
        return (
            "" if names else "cp-hidden",
            names,
            choice(ranked, search, chosen, changed if ctx.triggered_id == form.CHANGED else None),
        )

    @app.callback(
        Output(form.EMPTY, "children"),
        Output(form.FILLED, "className"),
        Output(form.SUMMARY, "children"),
        Output(form.GRID, "rowData"),
        Output(form.GRID, "className"),
        Output(form.GRID, "style"),
        Output(form.GRID_EMPTY, "children"),
        Output(form.LABELS, "children"),
        Output(form.MATCHED, "className"),
        Output(form.MATCHED_HEAD, "children"),
        Output(form.MATCHED_ROWS, "children"),
        Output(form.OFFERS, "children"),
        Output(form.ONLY_AGREED, "checked"),
        Output(form.OWN_LABEL, "value"),
        Output(form.SHOWN, "data"),
        Input(form.CLASS, "value"),
        Input(form.CHANGED, "data"),
        Input(shell.VIEWER, "data"),
        State(form.CLASS, "data"),
        State(form.SHOWN, "data"),
        State(form.ONLY_AGREED, "checked"),
    )
    def show(
        name: str | None,
        _changed: Any,
        viewer: Any,
        offered: list[str] | None,
        before: Shown | None,
        checked: bool | None,
    ) -> Any:
        if offered is None:
            # which classes there are is not known yet
            raise PreventUpdate
        if name is None:
            nothing: tuple[Any, ...] = ("", [], "cp-hidden", {}, [], [], "cp-hidden", "", [], [])
            return parts.no_class(), "cp-students cp-hidden", *nothing, False, "", None
        zone = shell.viewer_of(viewer).zone
        roll, seats = students.read_class_list(engine, name), read_class_seats(engine, name)
        listed = roll.students if roll else ()
        matched = roll.labels if roll else {}
        return (
            None,
            "cp-students",
            summary(listed),
            student_rows(listed, seats, zone),
            "cp-grid" if listed else "cp-hidden",
            {"height": f"{_HEAD + _ROW * min(len(listed), _MOST_ROWS)}px", "width": "100%"},
            None if listed else parts.no_student(name),
            parts.label_list(loose_labels(seats, roll), listed, zone),
            "" if matched else "cp-hidden",
            f"{count(len(matched), 'label')} matched by hand",
            parts.matched_rows(matched, listed),
            parts.offer_list(open_offers(engine, name), zone),
            *_rules(name, roll, before, checked),
        )


def _rules(
    name: str, roll: students.ClassList | None, before: Shown | None, checked: bool | None
) -> tuple[Any, Any, Any]:
    """Switch, field and what they show of a class. Where that stood there when it was asked for they are left alone: a
    teacher may have changed them meanwhile. A switch that shows what could not be kept goes back."""
    agreed, own = bool(roll and roll.only_agreed), (roll.own_label if roll else None) or ""
    now = {"class": name, "agreed": agreed, "own": own}
    if now != before:
        return agreed, own, now
    return no_update if bool(checked) == agreed else agreed, no_update, no_update


def _edit_list(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(form.NEW_CLASS_BOX, "opened"), Input(form.NEW_CLASS, "n_clicks"), prevent_initial_call=True
    )
    def ask_for_class(clicks: int | None) -> bool:
        return bool(clicks)

    @app.callback(
        *_outcome(),
        Output(form.NEW_CLASS_BOX, "opened", allow_duplicate=True),
        Output(form.NEW_CLASS_NAME, "value"),
        Input(form.NEW_CLASS_MAKE, "n_clicks"),
        Input(form.NEW_CLASS_NAME, "n_submit"),
        State(form.NEW_CLASS_NAME, "value"),
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
        Output(form.ADD_NAME, "value"),
        Input(form.ADD, "n_clicks"),
        Input(form.ADD_NAME, "n_submit"),
        State(form.ADD_NAME, "value"),
        State(form.CLASS, "value"),
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
        Output(form.FILE, "data"),
        Input(form.UPLOAD, "contents"),
        State(form.UPLOAD, "filename"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(form.IMPORT_BOX, "opened"),
        Output(form.IMPORT_BOX, "title"),
        Output(form.IMPORT_TOLD, "children"),
        Output(form.IMPORT_FIELDS, "className"),
        Output(form.IMPORT_SOURCE, "value"),
        Output(form.IMPORT_DAY, "value"),
        Output(form.IMPORT_TAKE, "children"),
        Output(form.IMPORT_FOOT, "className"),
        Output(form.UPLOAD, "contents"),
        Input(form.FILE, "data"),
        State(form.CLASS, "value"),
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
        Output(form.IMPORT_BOX, "opened", allow_duplicate=True),
        Input(form.IMPORT_TAKE, "n_clicks"),
        State(form.FILE, "data"),
        State(form.CLASS, "value"),
        State(form.IMPORT_SOURCE, "value"),
        State(form.IMPORT_DAY, "value"),
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
        Output(form.CHOSEN, "data"),
        Output(form.NONE_CHOSEN, "className"),
        Output(form.PANEL, "className"),
        Output(form.NAME, "value"),
        Output(form.CONSENT, "value"),
        Output(form.DAY, "value"),
        Output(form.SOURCE, "value"),
        Output(form.EXPORT, "href"),
        Input(form.GRID, "selectedRows"),
        Input(form.CHANGED, "data"),
        Input(form.CLASS, "value"),
        State(shell.VIEWER, "data"),
    )
    def choose(rows: list[dict[str, Any]] | None, _changed: Any, class_name: str | None, viewer: Any) -> Any:
        try:
            one = students.read_student(engine, _number(rows[0].get("id"))) if rows else None
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
        Input(form.SAVE, "n_clicks"),
        State(form.CHOSEN, "data"),
        State(form.NAME, "value"),
        State(form.CONSENT, "value"),
        State(form.DAY, "value"),
        State(form.SOURCE, "value"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def save(
        clicks: int | None,
        chosen: object,
        name: str | None,
        consent: Annotated[str, one_of(Consent)],
        day: str | None,
        source: str | None,
        viewer: Any,
    ) -> Any:
        _require(clicks)
        zone, now = shell.viewer_of(viewer).zone, datetime.now(UTC)

        def keep() -> str:
            before = students.read_student(engine, _number(chosen))
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
        Output(form.ERASE_BOX, "opened"),
        Output(form.ERASE_BOX, "title"),
        Output(form.ERASE_TOLD, "children"),
        Output(form.ERASE_REFUSAL, "className"),
        Input(form.ERASE, "n_clicks"),
        State(form.CHOSEN, "data"),
        State(shell.VIEWER, "data"),
        prevent_initial_call=True,
    )
    def ask_to_erase(clicks: int | None, chosen: int | None, viewer: Any) -> Any:
        _require(clicks and chosen)
        told = traces(engine, _number(chosen))
        refused = told.student.consent is Consent.REFUSED
        what = f"what was read of {told.student.name}" if refused else told.student.name
        words = parts.farewell(told, shell.viewer_of(viewer).zone)
        return True, f"Erase {what}?", words, "" if refused else "cp-hidden"

    @app.callback(
        *_outcome(),
        Output(form.ERASE_BOX, "opened", allow_duplicate=True),
        Input(form.ERASE_YES, "n_clicks"),
        Input(form.ERASE_REFUSAL, "n_clicks"),
        Input(form.ERASE_NO, "n_clicks"),
        State(form.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def erase(yes: int | None, refusal: int | None, no: int | None, chosen: int | None) -> Any:
        _require(yes, refusal, no)
        if ctx.triggered_id == form.ERASE_NO:
            return None, None, False

        def gone() -> str:
            name = students.read_student(engine, _number(chosen)).name
            with_refusal = ctx.triggered_id == form.ERASE_REFUSAL
            if erase_student(engine, _number(chosen), with_refusal=with_refusal):
                return f"What was read of {name} was erased. The refusal stays on the list."
            return f"{name} was erased."

        return *_done(gone), False


def _answer(app: Dash, engine: Engine) -> None:
    # what the page itself shows is no wish
    app.clientside_callback(
        ClientsideFunction("classpulseStudents", "agreed"),
        Output(form.AGREED_WISH, "data"),
        Input(form.ONLY_AGREED, "checked"),
        State(form.SHOWN, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        *_outcome(), Input(form.AGREED_WISH, "data"), State(form.CLASS, "value"), prevent_initial_call=True
    )
    def only_agreed(wish: Wish | None, class_name: str | None) -> Any:
        if wish is None or class_name is None:
            raise PreventUpdate

        def keep() -> str:
            students.update_class_list(engine, class_name, only_agreed=wish["agreed"])
            who = "only those who agreed" if wish["agreed"] else "everybody but those who refused"
            return f"In {class_name}, {who} will be read, in every mode, from the next interval on."

        return _done(keep)

    @app.callback(
        *_outcome(),
        Input(form.OWN_SAVE, "n_clicks"),
        Input(form.OWN_LABEL, "n_submit"),
        State(form.OWN_LABEL, "value"),
        State(form.CLASS, "value"),
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
        presses.told(app, form.PRESSED_MATCH, Input({"type": parts.MATCH, "label": ALL}, "value")),
        State(form.CLASS, "value"),
        prevent_initial_call=True,
    )
    def match(press: OfLabel | None, class_name: str | None) -> Any:
        _require(press)
        label, value = _label_of(press)

        def keep() -> str:
            if value == parts.OWN:
                students.update_class_list(engine, class_name or "", own_label=label)
                return f"“{label}” is your own tile and is left out."
            if value == parts.NOBODY:
                students.match_label(engine, class_name or "", label, None)
                return f"“{label}” is nobody of the list."
            students.match_label(engine, class_name or "", label, _number(value))
            return f"“{label}” is {students.read_student(engine, _number(value)).name}."

        return _done(keep)

    @app.callback(
        *_outcome(),
        presses.told(app, form.PRESSED_UNMATCH, Input({"type": parts.UNMATCH, "label": ALL}, "n_clicks")),
        State(form.CLASS, "value"),
        prevent_initial_call=True,
    )
    def unmatch(press: OfLabel | None, class_name: str | None) -> Any:
        _require(press)
        label, _clicks = _label_of(press)

        def keep() -> str:
            students.unmatch_label(engine, class_name or "", label)
            return f"“{label}” is matched by its likeness again."

        return _done(keep)

    @app.callback(
        *_outcome(),
        presses.told(
            app,
            form.PRESSED_OFFER,
            Input({"type": parts.SAME, "session": ALL, "seat": ALL, "same": ALL}, "n_clicks"),
            Input({"type": parts.TWO, "session": ALL, "seat": ALL, "same": ALL}, "n_clicks"),
        ),
        prevent_initial_call=True,
    )
    def answer(press: OfOffer | None) -> Any:
        _require(press)
        one = press or {}

        def keep() -> str:
            same = one["type"] == parts.SAME
            session_id, seat, same_as = (_number(one[name]) for name in ("session", "seat", "same"))
            said = OfferAnswer.SAME if same else OfferAnswer.DIFFERENT
            students.answer_offer(engine, session_id, seat, same_as, said)
            return "They are one seat now." if same else "They stay two people."

        return _done(keep)


def _outcome() -> tuple[Output, Output]:
    """Where an action says what it did, and lets the page be filled anew."""
    return Output(form.SAID, "children", allow_duplicate=True), Output(
        form.CHANGED, "data", allow_duplicate=True
    )


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


def _number(chosen: object) -> int:
    """The number of a student as the browser tells it.

    Raises:
        UnknownStudentError: it is none.
    """
    try:
        return _NUMBER.validate_python(str(chosen))
    except ValidationError:
        raise UnknownStudentError("No student is chosen: choose one in the list.") from None


def _require(*clicks: object) -> None:
    """Stop a callback that fires because its buttons have just been drawn."""
    if not any(clicks):
        raise PreventUpdate


def _label_of(press: OfLabel | None) -> tuple[str, Any]:
    """The label whose field or button was used, and the value of that."""
    return ("", None) if press is None else (press["label"], press["value"])


def _roster(file: Any) -> Roster:
    """The class list in what the browser sent.

    Raises:
        RosterError: it is none.
    """
    told: dict[str, Any] = file if isinstance(file, dict) else {}
    if isinstance(told.get("megabytes"), int | float):
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
