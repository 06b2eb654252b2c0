"""The fields, lists and questions of the page Students, before anything is known; what they do is in `students`."""

from typing import Any, Final

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.pages.sessions import GRID_THEME
from dashboard.roll import CONSENTS
from engagement.records import Consent

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
MATCHED: Final = "students-matched"
MATCHED_HEAD: Final = "students-matched-head"
MATCHED_ROWS: Final = "students-matched-rows"
OFFERS: Final = "students-offers"
CHOSEN: Final = "students-chosen"
SHOWN: Final = "students-shown"
AGREED_WISH: Final = "students-agreed-wish"
PRESSED_MATCH: Final = "students-pressed-match"
PRESSED_UNMATCH: Final = "students-pressed-unmatch"
PRESSED_OFFER: Final = "students-pressed-offer"
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
ERASE_REFUSAL: Final = "students-erase-refusal"
ERASE_NO: Final = "students-erase-no"
ONLY_AGREED: Final = "students-only-agreed"
OWN_LABEL: Final = "students-own-label"
OWN_SAVE: Final = "students-own-save"

_COLUMNS: Final[list[dict[str, Any]]] = [
    {"field": "name", "headerName": "Name", "minWidth": 150, "flex": 2},
    {"field": "consent", "headerName": "Consent", "minWidth": 130},
    {"field": "since", "headerName": "Since", "minWidth": 124},
    {"field": "source", "headerName": "Where it stands", "minWidth": 150, "flex": 1.3},
    {"field": "last", "headerName": "Last seen", "minWidth": 166},
    {"field": "sessions", "headerName": "Sessions", "type": "rightAligned", "minWidth": 100},
]

_ANSWERS: Final = [{"value": str(one), "label": word} for one, word in CONSENTS.items()]


def layout() -> Component:
    """The page before a class is chosen."""
    return html.Div(
        [
            dcc.Store(id=CHANGED),
            dcc.Store(id=FILE),
            dcc.Store(id=CHOSEN),
            *[
                dcc.Store(id=name)
                for name in (PRESSED_MATCH, PRESSED_UNMATCH, PRESSED_OFFER, SHOWN, AGREED_WISH)
            ],
            html.Div(
                [
                    html.H1("Students"),
                    html.Div(
                        [
                            dmc.Select(
                                id=CLASS,
                                className="cp-hidden",
                                data=None,
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
            # a part of the page and not of what is drawn anew, so that it stays open while one after another is undone
            html.Details(
                [
                    html.Summary(id=MATCHED_HEAD),
                    html.Ul(id=MATCHED_ROWS, className="cp-students-rows"),
                ],
                id=MATCHED,
                className="cp-hidden",
            ),
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
                                description="Left out of everything, in every mode. In aggregate and individual "
                                "mode not needed where the program marks it, such as “(me)”.",
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
                        "Who refused is masked in every mode before faces are looked for: their name is read, nothing "
                        "else. Where somebody refused, nobody is looked at whose name cannot be read."
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
                    # else the button that closes has it, and Enter throws away what was typed meanwhile
                    **{"data-autofocus": True},
                ),
                html.Div(dmc.Button("Make the class", id=NEW_CLASS_MAKE)),
            ],
            className="cp-students-dialog",
        ),
        id=NEW_CLASS_BOX,
        title="New class",
        centered=True,
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
                        dmc.Button(
                            "Erase the refusal too",
                            id=ERASE_REFUSAL,
                            variant="default",
                            className="cp-hidden",
                        ),
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
        closeButtonProps={"aria-label": "Close"},
    )
