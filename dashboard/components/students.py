"""The parts of the page Students: labels to match, offers to answer, what a file holds, what erasing takes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.tables import table
from dashboard.roll import LooseLabel, plan_summary, planned, short_day
from dashboard.wording import clock
from engagement.phrases import count
from engagement.records import Consent, OfferReason
from engagement.roster import Remark, Roster
from storage.seat_offers import OpenOffer
from storage.students import Student
from storage.traces import NamingNote, Traces

MATCH: Final = "students-match"
UNMATCH: Final = "students-unmatch"
SAME: Final = "students-same"
TWO: Final = "students-two"

NOBODY: Final = "nobody"
OWN: Final = "own"

_MOST_LABELS: Final = 30
_MOST_LINES: Final = 12

_OFFERED_BECAUSE: Final[Mapping[OfferReason, tuple[str, str]]] = {
    OfferReason.RENAMED: (" came up where ", " was, or under a name like it"),
    OfferReason.SAME_NAME: (" and ", " show one name and changed places"),
}


def label_list(labels: Sequence[LooseLabel], students: Sequence[Student], zone: tzinfo | None) -> Component:
    """Labels that match nobody or several, each with a choice of whose it is."""
    if not labels:
        return html.P("Every label of the last sessions is matched.", className="cp-muted cp-small")
    names = {one.id: _listed(one, students) for one in students}
    rows = [
        html.Li(
            [
                html.Div(
                    [
                        html.Div(one.label, className="cp-students-label"),
                        html.Div(_last(one, zone), className="cp-muted cp-small"),
                    ]
                ),
                dmc.Select(
                    id={"type": MATCH, "label": one.label},
                    data=_choices(one, names),
                    placeholder=_likely(one, names),
                    value=None,
                    searchable=True,
                    size="sm",
                    nothingFoundMessage="Nobody of that name",
                    className="cp-students-choice",
                    **{"aria-label": f"Whose label is {one.label}"},
                ),
            ]
        )
        for one in labels[:_MOST_LABELS]
    ]
    more = len(labels) - _MOST_LABELS
    return html.Div(
        [
            html.Ul(rows, className="cp-students-rows"),
            html.P(f"And {count(more, 'more label')}.", className="cp-muted cp-small") if more > 0 else None,
        ]
    )


def matched_rows(labels: Mapping[str, int | None], students: Sequence[Student]) -> list[Component]:
    """What was matched by hand, to be taken back."""
    names = {one.id: _listed(one, students) for one in students}
    return [
        html.Li(
            [
                html.Div(
                    [
                        html.Span(label, className="cp-students-label"),
                        html.Span(
                            " is nobody of the list" if one is None else f" is {names.get(one, 'gone')}",
                            className="cp-muted",
                        ),
                    ]
                ),
                dmc.Button(
                    "Undo",
                    id={"type": UNMATCH, "label": label},
                    variant="default",
                    size="compact-sm",
                    **{"aria-label": f"Undo the match of {label}"},
                ),
            ]
        )
        for label, one in sorted(labels.items(), key=lambda item: item[0].casefold())
    ]


def offer_list(offers: Sequence[OpenOffer], zone: tzinfo | None) -> Component:
    """Two seats that may be one participant, with the two answers."""
    if not offers:
        return html.P("No question is open.", className="cp-muted cp-small")
    return html.Ul(
        [
            html.Li(
                [
                    html.Div(
                        [
                            html.Div(
                                [
                                    html.Span(one.name, className="cp-students-label"),
                                    _OFFERED_BECAUSE[one.reason][0],
                                    html.Span(one.same_as_name, className="cp-students-label"),
                                    _OFFERED_BECAUSE[one.reason][1],
                                ]
                            ),
                            html.Div(
                                f"Seats {one.seat} and {one.same_as}, {short_day(one.offered_at, zone)}, "
                                f"{clock(one.offered_at, zone)}",
                                className="cp-muted cp-small",
                            ),
                        ]
                    ),
                    html.Div(
                        [
                            dmc.Button(
                                "The same", id=_offer_id(SAME, one), variant="light", size="compact-sm"
                            ),
                            dmc.Button(
                                "Two people", id=_offer_id(TWO, one), variant="default", size="compact-sm"
                            ),
                        ],
                        className="cp-students-answers",
                    ),
                ]
            )
            for one in offers[:_MOST_LABELS]
        ],
        className="cp-students-rows",
    )


def preview(roster: Roster, students: Sequence[Student]) -> Component:
    """What taking a file in does, line by line."""
    rows = planned(roster, students)
    return html.Div(
        [
            html.P(f"{count(len(rows), 'student')} in {roster.encoding}: {plan_summary(rows)}."),
            None
            if roster.with_consent
            else html.P(
                "The file has no column for consent, so nobody's answer changes.",
                className="cp-muted cp-small",
            ),
            _withdrawn([row.name for row in rows if row.withdraws]),
            _remarks("Left out", roster.left_out),
            _remarks("Look at these", roster.hints),
            html.Div(
                table(
                    ["Line", "Name", "Consent", "On the list"],
                    [[str(row.line), row.name, row.consent or "–", row.does] for row in rows],
                ),
                className="cp-students-preview",
            )
            if rows
            else None,
        ]
    )


def farewell(told: Traces, zone: tzinfo | None) -> Component:
    """What erasing a student takes and what it leaves."""
    refused = told.student.consent is Consent.REFUSED
    goes = [
        f"{count(told.readings, 'reading')} and {count(told.episodes, 'episode')} in "
        f"{count(told.sessions, 'session')} of {told.student.class_name}"
    ]
    stays: list[Component | str] = []
    if refused:
        stays.append(_refusal_words(told))
    else:
        goes.append("the name, the answer about consent and where it stands")
    labels = [label for label in told.labels if not (refused and label in told.by_hand)]
    if labels:
        goes.append(f"the label{'' if len(labels) == 1 else 's'} {_enumerated(labels)}")
    if told.mentions:
        goes.append(f"the name from other texts: {'; '.join(one.where for one in told.mentions)}")
    goes.append("copies of the database that an update left beside it")
    stays.append("the counts of the whole class, which name nobody")
    if told.unsure:
        stays.append(
            f"{count(told.unsure, 'seat')} that may be theirs: match the labels first, if they are to go too"
        )
    if told.other_classes:
        stays.append(f"the same name in {_enumerated(told.other_classes)}: erase it there")
    if told.notes:
        stays.append(html.Div([_note_words(told.notes), _notes(told.notes, zone)]))
    return html.Div(
        [
            html.P("This cannot be undone. It goes for good, down to the bytes:"),
            html.Ul([html.Li(item) for item in goes]),
            html.P("What stays:"),
            html.Ul([html.Li(item) for item in stays]),
        ],
        className="cp-prose",
    )


def _refusal_words(told: Traces) -> str:
    """What stays of one who refused, so that they are still left out, and what follows where it does not."""
    labels = f" and what was matched to it, {_enumerated(told.by_hand)}," if told.by_hand else ""
    return (
        f"the refusal with the name{labels} on the list, so that nobody looks at them. “Erase the refusal too” takes "
        "that as well: then classpulse no longer knows that they may not be looked at"
    )


def failure(text: str) -> Component:
    """What went wrong and what to do."""
    return html.Div([html.Strong("That did not work"), html.Span(text)], className="cp-notice", role="alert")


def no_class() -> Component:
    """No class has a list or a session yet."""
    steps = [
        (
            "1",
            "Make a class, under the name that its sessions will have. A first session makes one by itself.",
        ),
        ("2", "Import its list from a CSV file, or add the students one by one."),
        ("3", "Note who agreed and who refused: who refused is never read."),
    ]
    return html.Div(
        [
            html.H2("No class yet"),
            html.P("A class list tells whose label is whose, and who may be read."),
            html.Div(
                [html.Div([html.B(number), html.Span(text)], className="cp-step") for number, text in steps],
                className="cp-steps cp-paper",
            ),
        ],
        className="cp-empty",
    )


def no_student(class_name: str) -> Component:
    """The list of a class is empty."""
    steps = [
        (
            "1",
            [
                "Save your class list as CSV, with a column ",
                html.Code("name"),
                " or two, first and last name.",
            ],
        ),
        ("2", ["Press Import CSV. You see what is in it before anything is kept."]),
        ("3", ["From the next session on, names in the gallery are matched to it."]),
    ]
    return html.Div(
        [
            html.H3(f"{class_name} has no list yet"),
            html.Div(
                [html.Div([html.B(number), html.Span(text)], className="cp-step") for number, text in steps],
                className="cp-steps",
            ),
            html.P("Without a list everything works as before; nobody is known by name beyond their label."),
        ],
        className="cp-students-empty",
    )


def _choices(one: LooseLabel, names: Mapping[int, str]) -> list[dict[str, Any]]:
    likely = [number for number in one.candidates if number in names]
    others = [number for number in names if number not in likely]
    groups: list[dict[str, Any]] = []
    if likely:
        groups.append({"group": "Perhaps", "items": [_choice(number, names) for number in likely]})
    if others:
        groups.append({"group": "The list", "items": [_choice(number, names) for number in others]})
    rest = [{"value": NOBODY, "label": "Nobody of the list"}, {"value": OWN, "label": "My own tile"}]
    return [*groups, {"group": "Else", "items": rest}]


def _choice(number: int, names: Mapping[int, str]) -> dict[str, str]:
    return {"value": str(number), "label": names[number]}


def _listed(one: Student, students: Iterable[Student]) -> str:
    """The name, with the number where two have it."""
    namesakes = [other for other in students if other.name.casefold() == one.name.casefold()]
    return one.name if len(namesakes) == 1 else f"{one.name} (no. {one.id})"


def _likely(one: LooseLabel, names: Mapping[int, str]) -> str:
    likely = [names[number] for number in one.candidates if number in names]
    return f"{likely[0]}?" if likely else "Whose is it?"


def _last(one: LooseLabel, zone: tzinfo | None) -> str:
    return f"in {count(one.sessions, 'session')}, last {short_day(one.last_at, zone)}, {clock(one.last_at, zone)}"


def _offer_id(kind: str, one: OpenOffer) -> dict[str, Any]:
    return {"type": kind, "session": one.session_id, "seat": one.seat, "same": one.same_as}


def _remarks(title: str, remarks: Sequence[Remark]) -> Component | None:
    if not remarks:
        return None
    shown = [html.Li(f"Line {one.line}: {one.text}") for one in remarks[:_MOST_LINES]]
    if len(remarks) > _MOST_LINES:
        shown.append(html.Li(f"And {count(len(remarks) - _MOST_LINES, 'more line')}."))
    return html.Div(
        [html.Strong(f"{title}: {count(len(remarks), 'line')}"), html.Ul(shown)], className="cp-notice"
    )


def _withdrawn(names: Sequence[str]) -> Component | None:
    """Whose agreement would end for an answer that is not understood."""
    if not names:
        return None
    more = len(names) - _MOST_LINES
    who = _enumerated(names[:_MOST_LINES]) + (f" and {more} more" if more > 0 else "")
    return html.Div(
        [
            html.Strong(f"{count(len(names), 'agreement')} would end"),
            html.P(
                f"{who} agreed so far, and the file's answer is not understood. Taken in as it is, they count as "
                "refused, and what was calibrated to them is deleted."
            ),
        ],
        className="cp-notice",
        role="alert",
    )


def _enumerated(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _note_words(notes: Sequence[NamingNote]) -> str:
    verb = "holds" if len(notes) == 1 else "hold"
    return (
        f"{count(len(notes), 'note')} of yours {verb} the name or a part of it. Notes are your own text: read them and "
        "change what should go."
    )


def _notes(notes: Sequence[NamingNote], zone: tzinfo | None) -> Component:
    return html.Details(
        [
            html.Summary("Show them"),
            html.Ul(
                [
                    html.Li(
                        [
                            dcc.Link(
                                f"{short_day(note.at, zone)}, {clock(note.at, zone)}",
                                href=f"/sessions/{note.session_id}",
                                className="cp-link",
                            ),
                            f" {note.text}",
                        ]
                    )
                    for note in notes
                ]
            ),
        ]
    )
