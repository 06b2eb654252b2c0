"""Notes and topics: a field, topics with one press, and what was written last, to edit or delete."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components.note_list import note_list, topic_buttons
from dashboard.live.pulse import PULSE, SESSION, Running, Told, at_or_none, running
from dashboard.shapes import Moment, RowId, one_of, shaped
from engagement.errors import ClasspulseError
from engagement.records import NoteKind
from storage import queries
from storage.notes import Note, add_note, clean_text, delete_note, edit_note, recent_topics, restore_note

NOTE: Final = "now-note"
NOTE_ADD: Final = "now-note-add"
NOTE_TOPIC: Final = "now-note-topic"
NOTE_CANCEL: Final = "now-note-cancel"
NOTE_UNDO: Final = "now-note-undo"


class _Write(TypedDict):
    do: Literal["write"]
    text: str
    begun: Moment
    kind: Annotated[str, one_of(NoteKind)]


class _Topic(TypedDict):
    do: Literal["topic"]
    text: str


class _WithNote(TypedDict):
    do: Literal["edit", "delete"]
    note: RowId


class _Plain(TypedDict):
    do: Literal["undo", "cancel"]


Order = Annotated[dict[str, Any], shaped(_Write | _Topic | _WithNote | _Plain)]
"""What is to be done with the notes, from the browser."""

_Time = Annotated[str, one_of(lambda text: datetime.fromisoformat(text).astimezone(UTC))]


class _Deleted(TypedDict):
    session: RowId
    at: _Time
    text: str
    kind: Annotated[str, one_of(NoteKind)]
    edited: _Time | None


Deleted = Annotated[dict[str, Any], shaped(_Deleted)]
"""The note that was deleted last, as from `as_json`."""

NOTE_ORDER: Final = "now-note-order"
NOTE_EDITED: Final = "now-note-edited"
NOTE_DELETED: Final = "now-note-deleted"
NOTE_ANSWER: Final = "now-note-answer"
NOTED: Final = "now-noted"
NOTES: Final = "now-notes"
TOPICS: Final = "now-topics"

USUAL_TOPICS: Final = ("New topic", "Exercise", "Questions", "Break")

_OWN_TOPICS = 3
_LONGEST_TYPING = timedelta(minutes=3)


def layout() -> Component:
    """The field with its topics, before the first note."""
    return html.Section(
        [
            dcc.Store(id=NOTE_ORDER),
            dcc.Store(id=NOTE_EDITED),
            dcc.Store(id=NOTE_DELETED),
            dcc.Store(id=NOTED, data=0),
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
                    dmc.Button(
                        "As topic",
                        id=NOTE_TOPIC,
                        variant="default",
                        attributes={"root": {"title": "Add it as a topic, offered again from now on"}},
                    ),
                    dmc.Button("Cancel", id=NOTE_CANCEL, variant="default", className="cp-hidden"),
                ],
                className="cp-note-row",
            ),
            html.Div(id=TOPICS, className="cp-topics", role="group", **{"aria-label": "Topics"}),
            html.Div(
                [
                    html.Span(id=NOTE_ANSWER, role="status"),
                    html.Button("Undo", id=NOTE_UNDO, className="cp-hidden"),
                ],
                className="cp-note-answer cp-small",
            ),
            html.Div(id=NOTES),
        ],
        className="cp-paper cp-note",
        **{"aria-label": "Notes"},
    )


def register(app: Dash, engine: Engine) -> None:
    """Keep what is typed and pressed, and show what was kept."""
    app.clientside_callback(
        ClientsideFunction("classpulse", "note"),
        Output(NOTE_ORDER, "data"),
        Input(NOTE, "n_submit"),
        Input(NOTE_ADD, "n_clicks"),
        Input(NOTE_TOPIC, "n_clicks"),
        Input(NOTE_CANCEL, "n_clicks"),
        Input(NOTE_UNDO, "n_clicks"),
        Input({"type": "now-topic", "place": ALL}, "n_clicks"),
        Input({"type": "now-note-edit", "note": ALL}, "n_clicks"),
        Input({"type": "now-note-delete", "note": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    # the field says what its button does, and takes the focus where there is something to edit
    app.clientside_callback(
        ClientsideFunction("classpulse", "editing"),
        Output(NOTE_ADD, "children"),
        Output(NOTE_TOPIC, "className"),
        Output(NOTE_CANCEL, "className"),
        Input(NOTE_EDITED, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("classpulse", "undoable"),
        Output(NOTE_UNDO, "className"),
        Input(NOTE_DELETED, "data"),
    )

    @app.callback(
        Output(NOTE, "value"),
        Output(NOTE_EDITED, "data"),
        Output(NOTE_DELETED, "data"),
        Output(NOTE_ANSWER, "children"),
        Output(NOTED, "data"),
        Input(NOTE_ORDER, "data"),
        State(PULSE, "data"),
        State(NOTE_EDITED, "data"),
        State(NOTE_DELETED, "data"),
        State(NOTED, "data"),
        prevent_initial_call=True,
    )
    def keep(
        order: Order | None,
        told: Told | None,
        edited: int | None,
        deleted: Deleted | None,
        noted: int,
    ) -> Any:
        here = running(told)
        if order is None:
            raise PreventUpdate
        try:
            field, now_edited, now_deleted, said, changed = carry_out(engine, here, order, edited, deleted)
        except ClasspulseError as error:
            return no_update, no_update, no_update, str(error), no_update
        return field, now_edited, now_deleted, said, noted + 1 if changed else no_update

    @app.callback(
        Output(NOTES, "children"),
        Output(TOPICS, "children"),
        Input(NOTED, "data"),
        Input(NOTE_EDITED, "data"),
        Input(SESSION, "data"),
        Input(shell.VIEWER, "data"),
        State(PULSE, "data"),
    )
    def show(_noted: int, edited: int | None, _session: int | None, viewer: Any, told: Told | None) -> Any:
        here = running(told)
        notes = queries.notes(engine, here.session)
        own = recent_topics(engine, USUAL_TOPICS, _OWN_TOPICS)
        return note_list(notes, edited, shell.viewer_of(viewer).zone), topic_buttons([*USUAL_TOPICS, *own])


def carry_out(
    engine: Engine,
    here: Running,
    order: dict[str, Any],
    edited: int | None,
    deleted: dict[str, Any] | None,
) -> tuple[Any, Any, dict[str, Any] | None, str, bool]:
    """Do what was pressed.

    Args:
        engine: of the notes.
        here: the running class.
        order: from the browser: `do`, and what it needs.
        edited: id of the note that is being edited, None if none is.
        deleted: the note that was deleted last, as from `as_json`.

    Returns:
        What then stands in the field, which note is edited, which can be put back, what is said, and whether the
        notes changed.

    Raises:
        ClasspulseError: it cannot be done; a sentence.
    """
    now = datetime.now(UTC)
    after: tuple[Any, Any, dict[str, Any] | None, str, bool] = ("", None, None, "", True)
    match order["do"]:
        case "write" if edited is not None:
            edit_note(engine, edited, str(order["text"]), now)
        case "write":
            # where the typing began, unless the field was left alone since
            begun = max(at_or_none(order["begun"]) or now, now - _LONGEST_TYPING)
            at = here.session_time(min(begun, now))
            add_note(engine, here.session, at, str(order["text"]), NoteKind(order["kind"]))
        case "topic":
            add_note(engine, here.session, here.session_time(now), str(order["text"]), NoteKind.TOPIC)
            after = (no_update, no_update, None, "", True)
        case "edit":
            number = int(order["note"])
            after = (text_of(engine, here.session, number), number, None, "", False)
        case "delete":
            gone = delete_note(engine, int(order["note"]))
            field: Any = "" if edited == int(order["note"]) else no_update
            after = (field, None if field == "" else no_update, as_json(gone), f"Deleted: {gone.text}", True)
        case "undo" if deleted is not None:
            restore_note(engine, from_json(deleted))
            after = (no_update, no_update, None, "", True)
        case _:
            after = ("", None, None, "", False)
    return after


def text_of(engine: Engine, session_id: int, note_id: int) -> str:
    """The text of a note that is to be edited, "" where it is gone (saving then says so)."""
    notes = queries.notes(engine, session_id)
    return str(next(iter(notes.loc[notes["id"] == note_id, "text"]), ""))


def as_json(note: Note) -> dict[str, Any]:
    """A deleted note as the browser keeps it."""
    return {
        "session": note.session_id,
        "at": note.at.isoformat(),
        "text": note.text,
        "kind": str(note.kind),
        "edited": None if note.edited_at is None else note.edited_at.isoformat(),
    }


def from_json(kept: dict[str, Any]) -> Note:
    """The inverse of `as_json`."""
    return Note(
        session_id=int(kept["session"]),
        at=datetime.fromisoformat(kept["at"]),
        text=clean_text(str(kept["text"])),
        kind=NoteKind(kept["kind"]),
        edited_at=None if kept["edited"] is None else datetime.fromisoformat(kept["edited"]),
    )
