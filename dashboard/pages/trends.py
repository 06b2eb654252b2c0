"""Trends (`/trends`): one class over its sessions, and one lesson against the ones before it."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine

from dashboard import shell, trends
from dashboard.components.tables import table
from dashboard.figures import Figure
from dashboard.shapes import RowIdText, one_of
from engagement.trends import Measure, SessionFigures, compare
from storage import trend_queries

MeasureName = Annotated[str, one_of(Measure)]

CLASS: Final = "trends-class"
EMPTY: Final = "trends-empty"
FILLED: Final = "trends-filled"
TOLD: Final = "trends-told"
COURSE: Final = "trends-course"
BARS: Final = "trends-bars"
LESSON: Final = "trends-lesson"
MEASURE: Final = "trends-measure"
AGAINST: Final = "trends-against"
TABLE: Final = "trends-table"

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def address(class_name: str) -> str:
    """Where the trends of a class are."""
    return f"/trends?class={quote(class_name, safe='')}"


def layout() -> Component:
    """The page before a class is chosen."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Trends"),
                    html.Div(
                        dmc.Select(
                            id=CLASS,
                            data=None,
                            value=None,
                            allowDeselect=False,
                            searchable=True,
                            nothingFoundMessage="No such class",
                            **{"aria-label": "Class"},
                        ),
                        className="cp-trends-class cp-hidden",
                        id=f"{CLASS}-box",
                    ),
                ],
                className="cp-title",
            ),
            html.Div(id=EMPTY),
            html.Div(
                [
                    html.Section(
                        html.Div(id=TOLD, className="cp-lead"),
                        className="cp-paper",
                        **{"aria-label": "In short"},
                    ),
                    _section("Over the sessions", html.Div(id=COURSE)),
                    html.Div(id=BARS, className="cp-trends-bars"),
                    html.Section(
                        [
                            html.Div(
                                [
                                    html.H2("One lesson against the ones before it"),
                                    html.Div(
                                        [
                                            dmc.Select(
                                                id=LESSON,
                                                data=[],
                                                value=None,
                                                allowDeselect=False,
                                                **{"aria-label": "Lesson"},
                                            ),
                                            dmc.SegmentedControl(
                                                id=MEASURE,
                                                data=_measures(with_mood=True),
                                                value=str(Measure.MOOD),
                                                size="sm",
                                                **{"aria-label": "What is compared"},
                                            ),
                                        ],
                                        className="cp-trends-choice",
                                    ),
                                ],
                                className="cp-heading",
                            ),
                            html.Div(id=AGAINST),
                        ],
                        className="cp-paper",
                    ),
                    _section("The sessions", html.Div(id=TABLE)),
                ],
                id=FILLED,
                className="cp-stack cp-hidden",
            ),
        ]
    )


def register(app: Dash, engine: Engine) -> None:
    """Offer the classes, show the chosen one, compare the chosen lesson."""

    @app.callback(
        Output(CLASS, "data"),
        Output(CLASS, "value"),
        Input(shell.URL, "search"),
        State(CLASS, "value"),
    )
    def offer(search: str | None, chosen: str | None) -> Any:
        names = [row.name for row in trend_queries.classes(engine)]
        return names, choice(names, search, chosen)

    @app.callback(
        Output(f"{CLASS}-box", "className"),
        Output(EMPTY, "children"),
        Output(FILLED, "className"),
        Output(TOLD, "children"),
        Output(COURSE, "children"),
        Output(BARS, "children"),
        Output(TABLE, "children"),
        Output(LESSON, "data"),
        Output(LESSON, "value"),
        Output(MEASURE, "data"),
        Output(MEASURE, "value"),
        Input(CLASS, "value"),
        Input(shell.VIEWER, "data"),
        State(CLASS, "data"),
        State(LESSON, "value"),
        State(MEASURE, "value"),
    )
    def show(
        name: str | None, viewer: Any, offered: list[str] | None, lesson: str | None, measure: MeasureName
    ) -> Any:
        if offered is None:
            # which classes there are is not known yet
            raise PreventUpdate
        who = shell.viewer_of(viewer)
        sessions = trend_queries.class_sessions(engine, name) if name is not None else ()
        box = "cp-trends-class" if name is not None else "cp-trends-class cp-hidden"
        if len(sessions) < trends.FEWEST_SESSIONS:
            empty = _empty(sessions)
            return (
                box,
                empty,
                "cp-stack cp-hidden",
                [],
                [],
                [],
                [],
                [],
                None,
                _measures(with_mood=True),
                measure,
            )
        with_mood = trends.with_mood(sessions)
        lessons = [
            {"value": str(session.id), "label": trends.when(session, who.zone)}
            for session in reversed(sessions)
        ]
        known = {choice["value"] for choice in lessons}
        told = trends.sentences(sessions, who.zone)
        return (
            box,
            [],
            "cp-stack",
            [html.P(sentence) for sentence in told],
            _chart(
                trends.course_figure(sessions, who.scheme, who.zone),
                330 if with_mood else 260,
                " ".join(told),
            ),
            _bars(sessions, who),
            _table(sessions, who),
            lessons,
            lesson if lesson in known else lessons[0]["value"],
            _measures(with_mood=with_mood),
            measure if with_mood or measure != Measure.MOOD else str(Measure.FACING),
        )

    @app.callback(
        Output(AGAINST, "children"),
        Input(LESSON, "value"),
        Input(MEASURE, "value"),
        Input(shell.VIEWER, "data"),
    )
    def hold_against(lesson: RowIdText | None, measure: MeasureName, viewer: Any) -> list[Component]:
        if lesson is None:
            return []
        number = int(lesson)
        comparison = compare(trend_queries.lesson_minutes(engine, number), number, Measure(measure))
        told = trends.comparison_sentences(comparison)
        lines = [html.P(sentence) for sentence in told]
        if not any(value is not None for value in comparison.values):
            return [html.Div(lines, className="cp-prose cp-muted")]
        figure = trends.comparison_figure(comparison, shell.viewer_of(viewer).scheme)
        height = 260 if comparison.measure is Measure.COVERAGE else 330
        return [_chart(figure, height, " ".join(told)), html.Div(lines, className="cp-prose")]


def choice(names: list[str], search: str | None, chosen: str | None) -> str | None:
    """The class to show: the one that is chosen, else the one that the address names, else that of the newest session.

    Args:
        names: of all classes, the one with the newest session first.
        search: of the address, such as "?class=Algebra%209b".
        chosen: on the page.
    """
    asked = parse_qs((search or "").removeprefix("?")).get("class", [])
    return next((name for name in (chosen, *asked, *names) if name in names), None)


def _measures(*, with_mood: bool) -> list[dict[str, str]]:
    return [
        {"value": str(measure), "label": word}
        for measure, word in trends.MEASURES.items()
        if with_mood or measure is not Measure.MOOD
    ]


def _bars(sessions: tuple[SessionFigures, ...], who: shell.Viewer) -> list[Component]:
    seats = ", ".join(str(session.most_tiles) for session in sessions)
    minutes = ", ".join(f"{session.length / 60:.0f}" for session in sessions)
    return [
        _section(
            "Attendance",
            html.P("Most participants shown at once", className="cp-muted cp-small"),
            _chart(
                trends.attendance_figure(sessions, who.scheme, who.zone),
                170,
                f"Most participants shown at once, the oldest session first: {seats}.",
            ),
        ),
        _section(
            "Length",
            html.P("Minutes from start to end", className="cp-muted cp-small"),
            _chart(
                trends.length_figure(sessions, who.scheme, who.zone),
                170,
                f"Minutes from start to end, the oldest session first: {minutes}.",
            ),
        ),
    ]


def _table(sessions: tuple[SessionFigures, ...], who: shell.Viewer) -> Component:
    heads = ["Session", "Length", "Most at once", "Read", "Facing", "Mean mood (95 % band)"]
    rows: list[list[Any]] = [
        [
            dcc.Link(row["when"], href=f"/sessions/{row['id']}", className="cp-link"),
            row["length"],
            row["seats"],
            row["read"],
            row["facing"],
            row["mood"],
        ]
        for row in trends.session_rows(sessions, who.zone)
    ]
    return html.Div(table(heads, rows), className="cp-trends-table")


def _empty(sessions: tuple[SessionFigures, ...]) -> Component:
    if not sessions:
        return html.Div(
            [
                html.H2("No session yet"),
                html.P(
                    "Trends compares the sessions of a class. It begins with the second one of the same name."
                ),
            ],
            className="cp-empty",
        )
    return html.Div(
        [
            html.H2("One session so far"),
            html.P(
                "Trends compares the sessions of a class. It begins with the second one of the same name."
            ),
            html.P(dcc.Link("Read its report", href=f"/sessions/{sessions[0].id}", className="cp-link")),
        ],
        className="cp-empty",
    )


def _chart(figure: Figure, height: int, text: str) -> Component:
    graph = dcc.Graph(figure=figure, config=_CONFIG, style={"height": f"{height}px"})
    # its height is there before the chart is: the page does not jump
    return html.Div(graph, role="img", style={"minHeight": f"{height}px"}, **{"aria-label": text})


def _section(title: str, *parts: Component) -> Component:
    return html.Section([html.Div(html.H2(title), className="cp-heading"), *parts], className="cp-paper")
