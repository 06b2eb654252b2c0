"""What a page says when it has nothing to show: why, and what to do."""

from dash import dcc, html
from dash.development.base_component import Component


def no_session(start_command: str, last: Component | None) -> Component:
    """No class is running.

    Args:
        start_command: what starts one.
        last: a line about the last session, None if there never was one.
    """
    steps = [
        ("1", ["Open your Zoom meeting and switch it to gallery view."]),
        (
            "2",
            [
                dcc.Link("Start the class", href="/start", className="cp-link"),
                ": the window is found by itself. In a terminal, ",
                html.Code(start_command),
                " does the same.",
            ],
        ),
        ("3", ["This page fills as soon as the first faces are read. No need to reload."]),
    ]
    return html.Div(
        [
            html.H1("No class is running"),
            html.P(
                "classpulse reads the gallery of your meeting on this computer. No picture is kept or sent."
            ),
            last,
            html.Div(
                [html.Div([html.B(number), html.Span(text)], className="cp-step") for number, text in steps],
                className="cp-steps cp-paper",
            ),
            html.P(
                [
                    "Just looking? The page Start has a made-up class, and so has ",
                    html.Code("classpulse demo"),
                    ".",
                ]
            ),
        ],
        className="cp-empty",
    )


def nothing_here(title: str, text: str) -> Component:
    """A page or session that does not exist."""
    return html.Div(
        [
            html.H1(title),
            html.P(text),
            html.P(dcc.Link("All sessions", href="/sessions", className="cp-link")),
        ],
        className="cp-empty",
    )
