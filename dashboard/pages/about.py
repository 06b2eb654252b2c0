"""About (`/about`): what the figures mean and cannot say, what is kept, versions and licences."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from importlib import metadata
from typing import Any, Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import accuracy, shell
from dashboard.figures import Figure
from dashboard.notice import ASSESSMENT, CHAT, ONE_PAGE
from dashboard.parts import licence, parts
from dashboard.theme import Scheme
from dashboard.wording import MODE_MEANINGS, MODES, STATE_SYMBOLS, STATES
from storage.audit import AuditEntry, audit_entries

ACCURACY: Final = "about-accuracy"
AUDIT: Final = "about-audit"
PARTS: Final = "about-parts"

_AUDIT_LINES: Final = 20

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def register(app: Dash, engine: Engine, figures: Mapping[str, Any] | None) -> None:
    """Show the newest lines of the audit log, and how well faces are read; nothing of that where `figures` is None."""

    # not in the layout, which is made at every start
    @app.callback(Output(PARTS, "children"), Input(shell.VIEWER, "data"))
    def show_parts(_viewer: Any) -> list[Component]:
        return [html.Li(licence(part)) for part in parts()]

    @app.callback(Output(AUDIT, "children"), Input(shell.VIEWER, "data"))
    def show_audit(viewer: Any) -> Component:
        return audit_table(audit_entries(engine, _AUDIT_LINES), shell.viewer_of(viewer).zone)

    if figures is None:
        return

    @app.callback(Output(ACCURACY, "children"), Input(shell.VIEWER, "data"))
    def show(viewer: Any) -> list[Component]:
        return measured(figures, shell.viewer_of(viewer).scheme)


def measured(figures: Mapping[str, Any], scheme: Scheme) -> list[Component]:
    """What was measured of the classifier: sentences, charts, a table."""
    served = accuracy.served(figures)
    charts = (
        ("Right and named, by the height of the face", accuracy.height_figure(served, scheme)),
        ("Confidence and truth", accuracy.reliability_figure(served, scheme)),
        ("The fewer are named, the more are right", accuracy.coverage_figure(served, scheme)),
        ("What is taken for what", accuracy.confusion_figure(served, scheme)),
    )
    heads = ("Expression", "Right of those taken for it", "Found (95 % interval)", "Faces")
    return [
        *(html.P(sentence) for sentence in accuracy.sentences(figures)),
        html.Div([_chart(title, figure) for title, figure in charts], className="cp-charts"),
        html.Table(
            [
                html.Thead(html.Tr([html.Th(head) for head in heads])),
                html.Tbody(
                    [html.Tr([html.Td(cell) for cell in row]) for row in accuracy.expression_rows(served)]
                ),
            ],
            className="cp-table",
        ),
        html.P(
            "The table and the last chart count every face that has a right answer, also those it would be too unsure "
            "to name. Not measured: "
            "how errors differ by age, skin tone, glasses or veil. The model card has all figures, how "
            "the network was made, and its data.",
            className="cp-muted",
        ),
    ]


def layout() -> Component:
    """The page."""
    return html.Div(
        [
            html.Div(html.H1("About"), className="cp-title"),
            html.Div(
                [
                    _section(
                        "What the figures mean",
                        html.P(
                            "Mood is the mean over the faces read of where their expressions lie between negative "
                            "(−1) and positive (+1), smoothed over time. The band holds it with "
                            "95\N{NO-BREAK SPACE}% by the spread over faces. Under 5 faces there is no mood to tell."
                        ),
                        html.P(
                            "Coverage stands beside every figure: how many of the seats present were read. What could "
                            "not be read is shown as not read, never guessed."
                        ),
                        html.P(
                            "Needs a look lists seats by how recent and how long, never by how bad. Each card says "
                            "what was observed and since when."
                        ),
                    ),
                    _section(
                        "What they cannot say",
                        html.P(
                            "An expression is not a feeling. The same face can mean several things: a frown is often "
                            "concentration. Light, cameras, glasses and small tiles change what can be read, and "
                            "accuracy differs between people. Use it as a reason to look, never as a mark."
                        ),
                    ),
                    _section(
                        "States of a seat",
                        html.Ul(
                            [html.Li([html.B(STATE_SYMBOLS[state]), word]) for state, word in STATES.items()],
                            className="cp-states",
                        ),
                    ),
                    _section(
                        "What is kept",
                        html.P(
                            "No picture, no recording, no face print: frames live in memory only. Figures stay in a "
                            "database on this computer. Others see these pages only where accounts were made for them."
                        ),
                        html.Table(
                            html.Tbody(
                                [
                                    html.Tr([html.Th(MODES[mode]), html.Td(text)])
                                    for mode, text in MODE_MEANINGS.items()
                                ]
                            ),
                            className="cp-table",
                        ),
                    ),
                    _section(
                        "Tell your class",
                        html.P(
                            "Whoever is read should know it before. A message for the chat of the meeting, in the mode "
                            "that you will use; what stands in square brackets is for you to fill in."
                        ),
                        *(
                            _text(MODES[mode], (text,), f"the message for {MODES[mode]} mode")
                            for mode, text in CHAT.items()
                        ),
                        html.P("A page that says more, to hand out or to put where the class finds it:"),
                        _text("The notice on one page", ONE_PAGE, "the notice"),
                        html.P(
                            "What a school in the EU writes down before it allows this (GDPR, Article 35), with what "
                            "classpulse does filled in:"
                        ),
                        _text("Data protection impact assessment", ASSESSMENT, "the assessment"),
                        html.P(
                            "They are a start and no legal advice. docs/privacy.md says what holds where.",
                            className="cp-muted",
                        ),
                    ),
                    _section(
                        "For how long, and who did what",
                        html.P(
                            "A session is erased by itself after the days that Settings says, unless it is kept on "
                            "Sessions. One session or one student is exported and erased there and on Students, down "
                            "to the bytes of the file."
                        ),
                        html.P(
                            "The audit log keeps where the class was said to be, which class was started in which mode "
                            "and said to have agreed, whose consent changed, and what was exported, kept, purged and "
                            "erased: times and numbers, never names. The newest lines:"
                        ),
                        html.Div(id=AUDIT),
                        html.P("classpulse audit shows all of it.", className="cp-muted"),
                    ),
                    _section(
                        "Versions and licences",
                        html.P(
                            f"classpulse {metadata.version('classpulse')} is licensed under the Apache License 2.0."
                        ),
                        html.Details(
                            [html.Summary("What it stands on"), html.Ul(id=PARTS, className="cp-parts")]
                        ),
                    ),
                ],
                className="cp-about cp-prose",
            ),
            html.Div(
                _section(
                    "How well faces are read",
                    html.Div("Nothing was measured of these weights.", id=ACCURACY),
                ),
                className="cp-prose",
            ),
        ]
    )


def _text(title: str, paragraphs: Sequence[str], what: str) -> Component:
    """A text to copy, folded away."""
    return html.Details(
        [
            html.Summary(title),
            html.Blockquote(
                paragraphs[0] if len(paragraphs) == 1 else [html.P(one) for one in paragraphs],
                className="cp-notice-text",
            ),
            dmc.CopyButton(
                "Copy",
                copiedChildren="Copied",
                value="\n\n".join(paragraphs),
                copiedColor="pulse",
                variant="default",
                size="xs",
                **{"aria-label": f"Copy {what}"},
            ),
        ]
    )


def audit_table(entries: Sequence[AuditEntry], zone: tzinfo | None) -> Component:
    """Lines of the audit log, in the viewer's time."""
    if not entries:
        return html.P("Nothing yet.", className="cp-muted")
    rows = [
        html.Tr(
            [
                html.Td(f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M}"),
                html.Td(entry.actor),
                html.Td(str(entry.action).replace("_", " ")),
                html.Td("" if entry.subject is None else str(entry.subject)),
                html.Td(
                    ", ".join(
                        f"{key.replace('_', ' ')}: {_said(value)}" for key, value in entry.detail.items()
                    )
                ),
            ]
        )
        for entry in entries
    ]
    heads = ("When", "Who", "What", "Number", "Detail")
    return html.Table(
        [html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(rows)], className="cp-table"
    )


def _said(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _chart(title: str, figure: Figure) -> Component:
    graph = dcc.Graph(figure=figure, config=_CONFIG, style={"height": "270px"})
    return html.Div([html.H3(title), html.Div(graph, role="img", **{"aria-label": title})])


def _section(title: str, *content: Component) -> Component:
    return html.Section([html.Div(html.H2(title), className="cp-heading"), *content], className="cp-paper")
