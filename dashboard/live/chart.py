"""The lesson so far as lines: drawn once, then extended by what is new."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components import polls
from dashboard.figures import SHARE_WINDOW, TIMELINE_COLUMNS, Timeline, blank, describe_timeline
from dashboard.live.notes import NOTED
from dashboard.live.pulse import PULSE, SESSION, Told, milliseconds, running
from dashboard.shapes import Moment, RowId, shaped
from engagement.records import Mode, Rule
from storage import queries

VIEW: Final = "now-view"
CHART: Final = "now-chart"
CHART_TEXT: Final = "now-chart-text"
CURSOR: Final = "now-cursor"
DRAW: Final = "now-draw"
PLACE: Final = "now-chart-place"
PLACED: Final = "now-chart-placed"


class _Cursor(TypedDict):
    drawn: dict[str, Any]
    first: Moment
    last: RowId
    at: Moment
    told: Moment
    points: RowId


Cursor = Annotated[dict[str, Any], shaped(_Cursor)]
"""How far the chart in the browser is drawn."""

_VIEWS = [{"value": "mood", "label": "Mood"}, {"value": "shares", "label": "Expressions"}]
_CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True, "scrollZoom": False}
_MOST_POINTS = 900
"""A chart of more intervals is drawn anew with half as many, about as many as it has pixels: the browser draws the
whole chart for each new interval, and without this would be ever slower."""
_TOLD_EVERY = timedelta(minutes=1)
"""The chart's text tells the whole lesson, which is too much to read again with each interval."""


def layout(*, drawn: bool) -> Component:
    """The chart before the first interval.

    Args:
        drawn: whether a class runs: without one the library that draws need not be loaded.
    """
    return html.Section(
        [
            dcc.Store(id=PLACED, data=drawn),
            html.Div(
                [
                    html.H2("The lesson so far"),
                    dmc.SegmentedControl(
                        id=VIEW,
                        data=_VIEWS,
                        value="mood",
                        size="xs",
                        attributes={"root": {"aria-label": "What the chart shows"}},
                    ),
                ],
                className="cp-heading",
            ),
            html.Div(_chart() if drawn else None, id=PLACE, className="cp-chart-place"),
        ],
        className="cp-paper cp-chart",
    )


def _chart() -> list[Component]:
    return [
        dcc.Store(id=CURSOR),
        html.Div(
            dcc.Graph(id=CHART, figure=blank(), config=_CONFIG, style={"height": "var(--cp-chart-height)"}),
            className="cp-figure",
            role="img",
            **{"aria-labelledby": CHART_TEXT},
        ),
        html.P("Nothing was read yet.", id=CHART_TEXT, className="cp-unseen"),
    ]


def register(app: Dash, engine: Engine) -> None:
    """Draw, and extend with each interval and each note."""

    @app.callback(
        Output(PLACE, "children"),
        Output(PLACED, "data"),
        Input(SESSION, "data"),
        State(PLACED, "data"),
        prevent_initial_call=True,
    )
    def place(session: int | None, placed: bool) -> Any:
        if session is None or placed:
            raise PreventUpdate
        return _chart(), True

    @app.callback(
        Output(CHART, "figure"),
        Output(CURSOR, "data"),
        Output(CHART_TEXT, "children"),
        Input(PULSE, "data"),
        Input(shell.VIEWER, "data"),
        Input(VIEW, "value"),
        Input(NOTED, "data"),
        State(CURSOR, "data"),
        running=polls.at_work(DRAW),
    )
    def draw(
        told: Told | None, viewer: Any, view: Literal["mood", "shares"], _noted: int, cursor: Cursor | None
    ) -> Any:
        here = running(told)
        who = shell.viewer_of(viewer)
        chosen = "presence" if here.mode is Mode.PARTICIPATION else view
        timeline = Timeline(chosen, who.scheme, who.zone)
        drawn = {"session": here.session, "view": chosen, "viewer": viewer}
        notes = queries.notes(engine, here.session)
        lows = dips(
            queries.episodes(engine, here.session, rule=Rule.CLASS_DIP),
            here.session_time(datetime.now(UTC)),
        )
        if cursor is None or cursor["drawn"] != drawn or cursor["points"] > _MOST_POINTS:
            rows = queries.intervals_since(engine, here.session, only=TIMELINE_COLUMNS)
            text = describe_timeline(rows, who.zone)
            if rows.empty:
                return blank(), None, text
            last, at = last_of(rows)
            figure = timeline.figure(
                rows, notes, lows, key=f"{here.session} {chosen}", most=_MOST_POINTS // 2
            )
            known = {
                "drawn": drawn,
                "first": milliseconds(rows["started_at"].iloc[0].to_pydatetime()),
                "last": last,
                "at": at,
                "told": at,
                "points": len(figure["data"][0]["x"]),
            }
            return figure, known, text
        first, latest = (datetime.fromtimestamp(cursor[name] / 1000, UTC) for name in ("first", "at"))
        rows = queries.intervals_since(
            engine, here.session, cursor["last"], back_to=latest - SHARE_WINDOW, only=TIMELINE_COLUMNS
        )
        new = int((rows["id"] > cursor["last"]).sum())
        patch = timeline.extension(rows, new, notes, lows, first)
        if not new:
            return patch, no_update, no_update
        last, at = last_of(rows)
        known = {**cursor, "last": last, "at": at, "points": cursor["points"] + new}
        if at - cursor["told"] < _TOLD_EVERY.total_seconds() * 1000:
            return patch, known, no_update
        whole = queries.intervals_since(engine, here.session, only=TIMELINE_COLUMNS)
        return patch, {**known, "told": at}, describe_timeline(whole, who.zone)


def last_of(intervals: pd.DataFrame) -> tuple[int, int]:
    """Id and time (milliseconds since 1970, UTC) of the last of some intervals."""
    row = intervals.iloc[-1]
    return int(row["id"]), milliseconds(row["started_at"].to_pydatetime())


def dips(episodes: pd.DataFrame, now: datetime) -> list[tuple[datetime, datetime]]:
    """Start and end of the stretches in which the class as a whole fell; an open one lasts until `now`."""
    of_class = episodes[episodes["rule"] == Rule.CLASS_DIP.value]
    return [
        (start.to_pydatetime(), end.to_pydatetime())
        for start, end in zip(
            of_class["started_at"], of_class["ended_at"].fillna(pd.Timestamp(now)), strict=True
        )
    ]
