"""Sessions (`/sessions`): all that were kept, to search, sort and open."""

from datetime import tzinfo
from typing import Any, Final

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import shell
from dashboard.wording import MODES, signed
from engagement.records import Mode
from storage import queries

GRID: Final = "sessions-grid"
SEARCH: Final = "sessions-search"
EMPTY: Final = "sessions-empty"

# the grid takes its colours from the page's variables and so follows the scheme by itself
GRID_THEME = """themeQuartz.withParams({
    accentColor: 'var(--cp-mood)', backgroundColor: 'var(--cp-card)', foregroundColor: 'var(--cp-text)',
    borderColor: 'var(--cp-grid)', headerBackgroundColor: 'var(--cp-page)', headerTextColor: 'var(--cp-muted)',
    browserColorScheme: 'inherit', fontFamily: 'inherit', wrapperBorderRadius: 12, fontSize: 14
})"""

_COLUMNS: Final[list[dict[str, Any]]] = [
    {"field": "started", "headerName": "Date", "minWidth": 150, "sort": "desc"},
    {"field": "name", "headerName": "Class", "cellRenderer": "SessionLink", "minWidth": 170, "flex": 2},
    {
        "field": "length",
        "headerName": "Length",
        "valueFormatter": {"function": "cpDuration(params.value)"},
        "minWidth": 105,
    },
    {"field": "seats", "headerName": "Seats", "type": "rightAligned", "minWidth": 85},
    {
        "field": "coverage",
        "headerName": "Read",
        "type": "rightAligned",
        "valueFormatter": {"function": "cpPercent(params.value)"},
        "minWidth": 85,
    },
    {"field": "mood", "headerName": "Mood range", "minWidth": 140},
    {"field": "episodes", "headerName": "Episodes", "type": "rightAligned", "minWidth": 105},
    {"field": "notes", "headerName": "Notes", "type": "rightAligned", "minWidth": 85},
    {"field": "mode", "headerName": "Mode", "minWidth": 120},
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
                },
                style={"height": None, "width": "100%"},
                className="cp-grid",
            ),
        ]
    )


def register(app: Dash, engine: Engine) -> None:
    """Fill the grid, filter it as one types."""

    @app.callback(
        Output(GRID, "rowData"),
        Output(EMPTY, "children"),
        Output(GRID, "className"),
        Input(shell.VIEWER, "data"),
    )
    def fill(viewer: Any) -> Any:
        found = rows(queries.sessions(engine), shell.viewer_of(viewer).zone)
        return found, None if found else _nothing(), "cp-grid" if found else "cp-hidden"

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
                "mood": mood_range(row["lowest"], row["highest"]),
                "episodes": int(row["episodes"]),
                "notes": int(row["notes"]),
                "mode": MODES[Mode(row["mode"])],
            }
        )
    return found


def mood_range(lowest: float, highest: float) -> str:
    """The span of the mood, such as "−0.12 to +0.31"; "–" where none was read."""
    return "–" if pd.isna(lowest) else f"{signed(lowest)} to {signed(highest)}"


def _nothing() -> Component:
    return html.Div(
        [
            html.H1("No session yet"),
            html.P("The first class that is watched will stand here, with its report."),
        ],
        className="cp-empty",
    )
