"""The notes and topics of a lesson as a list, and the topics as buttons."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.wording import clock
from engagement.phrases import count
from engagement.records import NoteKind

_SHOWN: Final = 3


def note_list(notes: pd.DataFrame, edited: int | None, zone: tzinfo | None) -> list[Component]:
    """The last notes, each with buttons to edit and delete it; the earlier ones folded.

    Args:
        notes: as from `queries.notes`.
        edited: id of the one that is being edited, None if none is.
        zone: of the viewer.
    """
    newest_first = [_item(note, edited, zone) for note in notes.iloc[::-1].to_dict("records")]
    parts: list[Component] = [html.Ul(newest_first[:_SHOWN], className="cp-notes")] if newest_first else []
    earlier = newest_first[_SHOWN:]
    if earlier:
        parts.append(
            html.Details(
                [
                    html.Summary(count(len(earlier), "earlier note")),
                    html.Ul(earlier, className="cp-notes"),
                ]
            )
        )
    return parts


def topic_buttons(topics: Sequence[str]) -> list[Component]:
    """One button per topic, which puts it on the timeline with one press."""
    return [
        html.Button(
            topic,
            id={"type": "now-topic", "place": place},
            className="cp-chip",
            title="Mark on the timeline that this begins",
        )
        for place, topic in enumerate(topics)
    ]


def note_text(text: str, kind: str) -> list[Component | str]:
    """A note as text; a topic carries its sign and says so."""
    if kind != NoteKind.TOPIC:
        return [text]
    return [html.Span("topic", className="cp-badge cp-topic"), text]


def _item(note: dict[Any, Any], edited: int | None, zone: tzinfo | None) -> Component:
    number = int(note["id"])
    what = "topic" if note["kind"] == NoteKind.TOPIC else "note"
    at = clock(note["at"].to_pydatetime(), zone)
    text: list[Component | str] = note_text(str(note["text"]), note["kind"])
    if not pd.isna(note["edited_at"]):
        text.append(html.Span("edited", className="cp-muted cp-edited"))
    return html.Li(
        [
            html.Time(at),
            html.Span(text, className="cp-note-text"),
            html.Button(
                "Edit",
                id={"type": "now-note-edit", "note": number},
                className="cp-text-button",
                **{"aria-label": f"Edit the {what} of {at}"},
            ),
            html.Button(
                "Delete",
                id={"type": "now-note-delete", "note": number},
                className="cp-text-button",
                **{"aria-label": f"Delete the {what} of {at}"},
            ),
        ],
        id={"type": "now-note-item", "note": number},
        className="cp-note-edited" if number == edited else "",
    )
