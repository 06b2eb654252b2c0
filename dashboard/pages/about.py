"""About (`/about`): what the figures mean and cannot say, what is kept, versions and licences."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any, Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard import accuracy, shell
from dashboard.figures import Figure
from dashboard.notice import CHAT
from dashboard.theme import Scheme
from dashboard.wording import MODE_MEANINGS, MODES, STATE_SYMBOLS, STATES
from engagement.records import Mode

_PARTS: Final = (
    "dash",
    "dash-mantine-components",
    "dash-ag-grid",
    "plotly",
    "pandas",
    "numpy",
    "SQLAlchemy",
    "alembic",
    "waitress",
    "opencv-python-headless",
    "ai-edge-litert",
    "onnxruntime",
    "rapidocr",
    "mss",
    "pydantic",
    "typer",
    "tomlkit",
    "XlsxWriter",
)
"""What it stands on, where it is installed."""

_LONGEST_LICENCE: Final = 60
"""Characters of a licence's name; what is longer is its text."""

ACCURACY: Final = "about-accuracy"

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def register(app: Dash, figures: Mapping[str, Any] | None) -> None:
    """Show how well faces are read, in the viewer's colours; nothing where `figures` is None."""
    if figures is None:
        return

    @app.callback(Output(ACCURACY, "children"), Input(shell.VIEWER, "data"))
    def show(viewer: Any) -> list[Component]:
        return measured(figures, shell.viewer_of(viewer).scheme)


def measured(figures: Mapping[str, Any], scheme: Scheme) -> list[Component]:
    """What was measured of the classifier: sentences, charts, a table."""
    charts = (
        ("Right and named, by the height of the face", accuracy.height_figure(figures, scheme)),
        ("Confidence and truth", accuracy.reliability_figure(figures, scheme)),
        ("The fewer are named, the more are right", accuracy.coverage_figure(figures, scheme)),
        ("What is taken for what", accuracy.confusion_figure(figures, scheme)),
    )
    heads = ("Expression", "Right of those taken for it", "Found (95 % interval)", "Faces")
    return [
        *(html.P(sentence) for sentence in accuracy.sentences(figures)),
        html.Div([_chart(title, figure) for title, figure in charts], className="cp-charts"),
        html.Table(
            [
                html.Thead(html.Tr([html.Th(head) for head in heads])),
                html.Tbody(
                    [html.Tr([html.Td(cell) for cell in row]) for row in accuracy.expression_rows(figures)]
                ),
            ],
            className="cp-table",
        ),
        html.P(
            "The table and the last chart count every face, also those it would be too unsure to name. Not measured: "
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
                            "(−1) and positive (+1), smoothed over time. The band holds it with 95 % by the spread "
                            "over faces. Under 5 faces there is no mood to tell."
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
                            "database on this computer, and this page is served to this computer alone."
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
                        *(_message(mode, text) for mode, text in CHAT.items()),
                        html.P(
                            "docs/privacy.md has a page that says more, and what holds in the EU.",
                            className="cp-muted",
                        ),
                    ),
                    _section(
                        "Versions and licences",
                        html.P(
                            f"classpulse {metadata.version('classpulse')} is licensed under the Apache License 2.0. It "
                            "stands on:"
                        ),
                        html.Ul(
                            [html.Li(_licence(part)) for part in _PARTS if _installed(part)],
                            className="cp-parts",
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


def _message(mode: Mode, text: str) -> Component:
    return html.Details(
        [
            html.Summary(MODES[mode]),
            html.Blockquote(text, className="cp-notice-text"),
            dmc.CopyButton(
                "Copy",
                copiedChildren="Copied",
                value=text,
                copiedColor="pulse",
                variant="default",
                size="xs",
                **{"aria-label": f"Copy the message for {MODES[mode]} mode"},
            ),
        ]
    )


def _chart(title: str, figure: Figure) -> Component:
    graph = dcc.Graph(figure=figure, config=_CONFIG, style={"height": "270px"})
    return html.Div([html.H3(title), html.Div(graph, role="img", **{"aria-label": title})])


def _section(title: str, *parts: Component) -> Component:
    return html.Section([html.Div(html.H2(title), className="cp-heading"), *parts], className="cp-paper")


def _licence(part: str) -> str:
    """Name, version and licence of a part as its own package says them."""
    told = metadata.metadata(part)
    named = [text for field in ("License-Expression", "License") for text in told.get_all(field, [])]
    licence = named[0] if named else ""
    if not licence or len(licence) > _LONGEST_LICENCE:
        # some packages put the whole text there, and name it in a classifier
        names = [
            line.rpartition(" :: ")[2]
            for line in told.get_all("Classifier", [])
            if line.startswith("License ::")
        ]
        licence = names[0] if names else "see its package"
    return f"{part} {told['Version']}: {licence}"


def _installed(part: str) -> bool:
    try:
        metadata.version(part)
    except metadata.PackageNotFoundError:
        return False
    return True
