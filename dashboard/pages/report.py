"""Report (`/sessions/<id>`): what happened when, in the order in which one asks."""

from typing import Any, Final

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import figures, shell
from dashboard.components import empty
from dashboard.components.note_list import note_text
from dashboard.components.tables import table
from dashboard.exports import (
    FORMATS,
    episode_rows,
    low_rows,
    no_low_text,
    note_rows,
    quality_rows,
    seat_rows,
)
from dashboard.figures import Figure
from dashboard.material import Material, read_material
from dashboard.pages import trends
from dashboard.wording import LIMITS, MODES, TOO_SHORT, clock, day, method, mode_meaning
from engagement.phrases import duration
from storage.errors import UnknownSessionError

SESSION: Final = "report-session"
BODY: Final = "report-body"

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def layout(session_id: int) -> Component:
    """The page before its session is read."""
    return html.Div([dcc.Store(id=SESSION, data=session_id), html.Div(id=BODY, className="cp-stack")])


def register(app: Dash, engine: Engine) -> None:
    """Read the session and show it."""

    @app.callback(Output(BODY, "children"), Input(shell.VIEWER, "data"), State(SESSION, "data"))
    def show(viewer: Any, session_id: int) -> list[Component]:
        who = shell.viewer_of(viewer)
        try:
            return body(read_material(engine, session_id, who.zone), who)
        except UnknownSessionError:
            return [empty.nothing_here("There is no such session", "It may have been erased.")]


def body(material: Material, viewer: shell.Viewer) -> list[Component]:
    """The report of a session, top to bottom."""
    parts = [_title(material, viewer), _sentences(material)]
    if material.intervals.empty:
        return parts
    parts.append(_timeline(material, viewer))
    found = [
        _low_moments(material, viewer) if material.with_expressions else None,
        _notes(material, viewer),
        _shares(material, viewer) if material.with_expressions else None,
        _seats(material, viewer),
        _episodes(material, viewer),
        _coverage(material, viewer),
        _method(material),
    ]
    return parts + [part for part in found if part is not None]


def _title(material: Material, viewer: shell.Viewer) -> Component:
    session = material.session
    length = duration((material.ended_at - session.started_at).total_seconds())
    running = " so far" if session.ended_at is None else ""
    return html.Div(
        [
            html.H1(session.name),
            html.Span(
                MODES[session.mode],
                className="cp-badge",
                title=mode_meaning(session.mode, session.source),
            ),
            html.Span(
                f"{day(session.started_at, viewer.zone)}, {clock(session.started_at, viewer.zone)} to "
                f"{clock(material.ended_at, viewer.zone)} ({length}{running})",
                className="cp-muted",
            ),
            html.Div(
                [
                    dcc.Link("Trends of this class", href=trends.address(session.name), className="cp-link"),
                    *(
                        html.A(
                            suffix.upper(),
                            href=f"/sessions/{session.id}/report.{suffix}",
                            className="cp-button",
                            title=f"Save this report as {suffix.upper()}",
                        )
                        for suffix in FORMATS
                    ),
                ],
                className="cp-actions",
            ),
        ],
        className="cp-title",
    )


def _sentences(material: Material) -> Component:
    return html.Section(
        html.Div([html.P(sentence) for sentence in material.summary.sentences], className="cp-lead"),
        className="cp-paper",
        **{"aria-label": "What happened"},
    )


def _timeline(material: Material, viewer: shell.Viewer) -> Component:
    view = "mood" if material.with_expressions else "presence"
    lows = [(low.start, low.end) for low in material.summary.low_moments]
    figure = figures.Timeline(view, viewer.scheme, viewer.zone).figure(
        material.intervals, material.notes, lows, "report", numbered=True, span=material.span
    )
    text = figures.describe_timeline(material.intervals, viewer.zone)
    return _line_chart(material, "The lesson over time", figure, 360, text)


def _low_moments(material: Material, viewer: shell.Viewer) -> Component:
    rows = low_rows(material, viewer.zone)
    if not rows:
        return _section(
            "Low moments",
            html.P(no_low_text(material), className="cp-muted"),
        )
    cells: list[list[Any]] = [
        [
            html.Span(row["number"], className="cp-number"),
            row["start"],
            row["length"],
            row["size"],
            row["note"],
        ]
        for row in rows
    ]
    return _section(
        "Low moments", table(["No.", "From", "Length", "Change of mood", "Note beside it"], cells)
    )


def _shares(material: Material, viewer: shell.Viewer) -> Component:
    figure = figures.Timeline("shares", viewer.scheme, viewer.zone).figure(
        material.intervals, material.notes, [], "report", span=material.span
    )
    text = figures.describe_shares(material.intervals)
    return _line_chart(material, "Expressions over the lesson", figure, 360, text)


def _notes(material: Material, viewer: shell.Viewer) -> Component | None:
    if material.notes.empty:
        return None
    items = [
        html.Li([html.Time(row["at"]), html.Span(note_text(row["text"], row["kind"]))])
        for row in note_rows(material.notes, viewer.zone)
    ]
    return _section("Notes", html.Ul(items, className="cp-notes"))


def _seats(material: Material, viewer: shell.Viewer) -> Component | None:
    if material.readings.empty:
        return None
    figure = figures.seat_strips_figure(
        material.readings, material.names, viewer.scheme, viewer.zone, material.span, material.episodes
    )
    rows = seat_rows(material)
    return _chart(
        "Seats",
        figure,
        figure["layout"]["height"],
        "One strip per seat with its state over time and its episodes as lines; the tables say the same.",
        html.Details(
            [
                html.Summary("The same as a table"),
                table(
                    ["Seat", "Read", "Else", "Attention"],
                    [[row["name"], row["read"], row["rest"], row["looks"]] for row in rows],
                ),
            ]
        ),
    )


def _episodes(material: Material, viewer: shell.Viewer) -> Component | None:
    rows = episode_rows(material, viewer.zone)
    if not rows:
        return None
    cells: list[list[Any]] = [
        [row[name] for name in ("start", "length", "who", "kind", "reason", "answer")] for row in rows
    ]
    header = ["From", "Length", "Who", "What", "Reason", "Your answer"]
    return _section("Attention episodes", table(header, cells))


def _coverage(material: Material, viewer: shell.Viewer) -> Component:
    figure = figures.states_figure(material.intervals, viewer.scheme, viewer.zone, material.span)
    return _line_chart(
        material,
        "How much was seen",
        figure,
        260,
        figures.describe_states(material.intervals),
        _quality(material),
    )


def _quality(material: Material) -> Component:
    rows = [html.Tr([html.Th(what, scope="row"), html.Td(figure)]) for what, figure in quality_rows(material)]
    return html.Table(html.Tbody(rows), className="cp-table cp-quality")


def _method(material: Material) -> Component:
    return _section(
        "Method and limits",
        html.Div(
            [
                html.P(method(material.session.interval, material.kept_interval)),
                html.P(mode_meaning(material.session.mode, material.session.source)),
                html.Ul([html.Li(limit) for limit in LIMITS]),
            ],
            className="cp-prose",
        ),
    )


def _line_chart(
    material: Material, title: str, figure: Figure, height: int, text: str, *more: Component
) -> Component:
    """A chart of lines or areas over time, or why there is none, and what belongs below it."""
    if not figures.drawable(material.intervals):
        return _section(title, html.P(f"{TOO_SHORT} {text}", className="cp-muted"), *more)
    return _chart(title, figure, height, text, *more)


def _chart(title: str, figure: Figure, height: int, text: str, *more: Component) -> Component:
    graph = dcc.Graph(figure=figure, config=_CONFIG, style={"height": f"{height}px"})
    return _section(title, html.Div(graph, role="img", **{"aria-label": text}), *more)


def _section(title: str, *parts: Component) -> Component:
    return html.Section([html.Div(html.H2(title), className="cp-heading"), *parts], className="cp-paper")
