"""Sessions (`/sessions`): all that were kept, to search, sort, open, save and erase."""

from datetime import tzinfo
from typing import Annotated, Any, Final

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.exports import FORMATS
from dashboard.shapes import RowId, shaped
from dashboard.wording import MODES
from engagement.phrases import signed
from engagement.records import Mode
from storage import queries
from storage.errors import StorageError
from storage.retention import erase_session, set_kept


class _Row(TypedDict):
    id: RowId
    name: str
    started: str
    kept: str


Row = Annotated[dict[str, Any], shaped(_Row)]
"""A row of the grid, of what `rows` makes."""

GRID: Final = "sessions-grid"
SEARCH: Final = "sessions-search"
EMPTY: Final = "sessions-empty"
BAR: Final = "sessions-bar"
PICKED: Final = "sessions-picked"
LINKS: Final = "sessions-links"
ERASE: Final = "sessions-erase"
ASK: Final = "sessions-ask"
WHICH: Final = "sessions-which"
KEEP: Final = "sessions-keep"
CONFIRM: Final = "sessions-confirm"
ERASED: Final = "sessions-erased"
SAID: Final = "sessions-said"
SPARE: Final = "sessions-spare"

_HIDDEN_BAR: Final = "cp-sessions-bar cp-hidden"

# the grid takes its colours from the page's variables and so follows the scheme by itself
GRID_THEME = """themeQuartz.withParams({
    accentColor: 'var(--cp-mood)', backgroundColor: 'var(--cp-card)', foregroundColor: 'var(--cp-text)',
    borderColor: 'var(--cp-grid)', headerBackgroundColor: 'var(--cp-page)', headerTextColor: 'var(--cp-muted)',
    browserColorScheme: 'inherit', fontFamily: 'inherit', wrapperBorderRadius: 12, fontSize: 14
})"""


def _shown_as(text: str) -> dict[str, Any]:
    """What a cell shows instead of the value by which it is sorted, and is found by."""
    return {"valueFormatter": {"function": text}, "getQuickFilterText": {"function": text}}


_COLUMNS: Final[list[dict[str, Any]]] = [
    {"field": "started", "headerName": "Date", "minWidth": 166, "sort": "desc"},
    {"field": "name", "headerName": "Class", "cellRenderer": "SessionLink", "minWidth": 140, "flex": 2},
    {
        "field": "length",
        "headerName": "Length",
        **_shown_as("cpDuration(params.value)"),
        "minWidth": 105,
    },
    {"field": "seats", "headerName": "Seats", "type": "rightAligned", "minWidth": 85},
    {
        "field": "coverage",
        "headerName": "Read",
        "type": "rightAligned",
        **_shown_as("cpPercent(params.value)"),
        "minWidth": 85,
    },
    {
        "field": "lowest",
        "headerName": "Mood range",
        **_shown_as("params.data.mood"),
        "minWidth": 160,
    },
    {"field": "episodes", "headerName": "Episodes", "type": "rightAligned", "minWidth": 105},
    {"field": "notes", "headerName": "Notes", "type": "rightAligned", "minWidth": 85},
    {"field": "mode", "headerName": "Mode", "minWidth": 115},
    {"field": "kept", "headerName": "Kept", "minWidth": 85},
]


def layout() -> Component:
    """The page before its rows are there."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Sessions"),
                    html.Div(
                        dmc.TextInput(
                            id=SEARCH, placeholder="Search", value="", **{"aria-label": "Search sessions"}
                        ),
                        className="cp-actions",
                    ),
                ],
                className="cp-title",
            ),
            html.Div(id=EMPTY),
            html.Div(
                [
                    html.Strong(id=PICKED),
                    html.Span(id=LINKS, className="cp-sessions-links"),
                    dmc.Button("Keep", id=SPARE, n_clicks=0, variant="default", size="xs"),
                    dmc.Button("Erase…", id=ERASE, n_clicks=0, variant="outline", color="red", size="xs"),
                ],
                id=BAR,
                className=_HIDDEN_BAR,
                role="group",
                **{"aria-label": "The chosen session"},
            ),
            html.Div(id=SAID, role="status", className="cp-sessions-said"),
            dmc.Modal(
                [
                    html.P(id=WHICH),
                    html.Div(
                        [
                            dmc.Button("Keep it", id=KEEP, n_clicks=0, variant="default"),
                            dmc.Button("Erase for good", id=CONFIRM, n_clicks=0, color="red"),
                        ],
                        className="cp-sessions-answer",
                    ),
                ],
                id=ASK,
                opened=False,
                centered=True,
                title="Erase this session?",
                closeButtonProps={"aria-label": "Keep it and close"},
            ),
            dcc.Store(id=ERASED),
            dag.AgGrid(
                id=GRID,
                columnDefs=_COLUMNS,
                rowData=[],
                defaultColDef={"sortable": True, "resizable": True, "flex": 1},
                dashGridOptions={
                    "theme": {"function": GRID_THEME},
                    "domLayout": "autoHeight",
                    "suppressCellFocus": False,
                    "enableCellTextSelection": True,
                    "animateRows": False,
                    "rowSelection": {"mode": "singleRow", "enableClickSelection": True},
                    "selectionColumnDef": {"headerName": "Choose", "width": 95, "minWidth": 95},
                },
                style={"height": None, "width": "100%"},
                className="cp-hidden",
            ),
        ]
    )


def register(app: Dash, engine: Engine) -> None:
    """Fill the grid, filter it as one types."""

    @app.callback(
        Output(GRID, "rowData"),
        Output(EMPTY, "children"),
        Output(GRID, "className"),
        Output(GRID, "selectedRows"),
        Input(shell.VIEWER, "data"),
        Input(ERASED, "data"),
    )
    def fill(viewer: Any, _erased: Any) -> Any:
        found = rows(queries.sessions(engine), shell.viewer_of(viewer).zone)
        return found, None if found else _nothing(), "cp-grid" if found else "cp-hidden", []

    @app.callback(
        Output(PICKED, "children"),
        Output(LINKS, "children"),
        Output(BAR, "className"),
        Output(SPARE, "children"),
        Input(GRID, "selectedRows"),
        prevent_initial_call=True,
    )
    def pick(rows: list[Row] | None) -> Any:
        if not rows:
            return "", [], _HIDDEN_BAR, no_update
        row = rows[0]
        spare = "Keep no longer" if row["kept"] else "Keep"
        return _title(row), _links(int(row["id"])), "cp-sessions-bar", spare

    @app.callback(
        Output(SAID, "children", allow_duplicate=True),
        Output(ERASED, "data", allow_duplicate=True),
        Input(SPARE, "n_clicks"),
        State(GRID, "selectedRows"),
        prevent_initial_call=True,
    )
    def spare(clicks: int, rows: list[Row] | None) -> Any:
        if not rows:
            return no_update, no_update
        row, kept = rows[0], not rows[0]["kept"]
        try:
            set_kept(engine, int(row["id"]), kept=kept)
        except StorageError as error:
            return html.Span(str(error), className="cp-sessions-wrong"), no_update
        told = (
            "Kept until you erase it"
            if kept
            else "Erased after its time with the others, as the settings say"
        )
        return f"{told}: {_title(row)}.", {"spared": clicks}

    @app.callback(
        Output(ASK, "opened"),
        Output(WHICH, "children"),
        Output(SAID, "children"),
        Output(ERASED, "data"),
        Input(ERASE, "n_clicks"),
        Input(KEEP, "n_clicks"),
        Input(CONFIRM, "n_clicks"),
        State(GRID, "selectedRows"),
        prevent_initial_call=True,
    )
    def erase(_asked: int, _kept: int, _confirmed: int, rows: list[Row] | None) -> Any:
        if not rows or ctx.triggered_id == KEEP:
            return False, no_update, no_update, no_update
        title, session_id = _title(rows[0]), int(rows[0]["id"])
        if ctx.triggered_id == ERASE:
            question = f"{title}, with all its readings, episodes and notes. Nobody can bring it back."
            return True, question, "", no_update
        try:
            erase_session(engine, session_id)
        except StorageError as error:
            return False, no_update, html.Span(str(error), className="cp-sessions-wrong"), session_id
        return False, no_update, f"Erased: {title}.", session_id

    app.clientside_callback(
        ClientsideFunction("classpulse", "search"),
        Output(GRID, "dashGridOptions"),
        Input(SEARCH, "value"),
        State(GRID, "dashGridOptions"),
        prevent_initial_call=True,
    )


def rows(sessions: pd.DataFrame, zone: tzinfo | None) -> list[dict[str, Any]]:
    """One row of the grid per session.

    Args:
        sessions: as from `queries.sessions`.
        zone: of the viewer.
    """
    found = []
    for row in sessions.to_dict("records"):
        runs = pd.isna(row["ended_at"])
        # a running recording has its own clock, so its length is told when it has ended
        length = None if runs else (row["ended_at"] - row["started_at"]).total_seconds()
        found.append(
            {
                "id": int(row["id"]),
                "started": f"{row['started_at'].to_pydatetime().astimezone(zone):%Y-%m-%d  %H:%M}",
                "name": str(row["name"]),
                "length": length,
                "seats": int(row["most_tiles"]),
                "coverage": None if pd.isna(row["coverage"]) else float(row["coverage"]),
                "lowest": None if pd.isna(row["lowest"]) else float(row["lowest"]),
                "mood": mood_range(row["lowest"], row["highest"]),
                "episodes": int(row["episodes"]),
                "notes": int(row["notes"]),
                "mode": MODES[Mode(row["mode"])],
                "kept": "yes" if row["kept"] else "",
            }
        )
    return found


def mood_range(lowest: float, highest: float) -> str:
    """The span of the mood, such as "−0.12 to +0.31"; "–" where none was read."""
    return "–" if pd.isna(lowest) else f"{signed(lowest)} to {signed(highest)}"


def _title(row: dict[str, Any]) -> str:
    return f"{row['name']}, {row['started']}"


def _links(session_id: int) -> list[Component]:
    address = f"/sessions/{session_id}"
    return [
        dcc.Link("Open", href=address, className="cp-button"),
        *(
            html.A(
                suffix.upper(),
                href=f"{address}/report.{suffix}",
                className="cp-button",
                title=f"Save the report as {suffix.upper()}",
            )
            for suffix in FORMATS
        ),
    ]


def _nothing() -> Component:
    return html.Div(
        [
            html.H2("No session yet"),
            html.P("The first class that is watched will stand here, with its report."),
        ],
        className="cp-empty",
    )
