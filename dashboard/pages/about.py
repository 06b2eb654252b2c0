"""About (`/about`): what the figures mean and cannot say, what is kept, versions and licences."""

from importlib import metadata
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboard.wording import MODE_MEANINGS, MODES, STATE_SYMBOLS, STATES

_PARTS: Final = (
    "classpulse",
    "dash",
    "dash-mantine-components",
    "dash-ag-grid",
    "plotly",
    "pandas",
    "SQLAlchemy",
)


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
                        "Versions",
                        html.P(
                            ", ".join(
                                f"{part} {metadata.version(part)}" for part in _PARTS if _installed(part)
                            )
                        ),
                        html.P("classpulse is licensed under the Apache License 2.0."),
                    ),
                ],
                className="cp-about cp-prose",
            ),
        ]
    )


def _section(title: str, *parts: Component) -> Component:
    return html.Section([html.Div(html.H2(title), className="cp-heading"), *parts], className="cp-paper")


def _installed(part: str) -> bool:
    try:
        metadata.version(part)
    except metadata.PackageNotFoundError:
        return False
    return True
