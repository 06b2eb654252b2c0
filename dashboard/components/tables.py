"""Plain tables."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component


def table(head: Sequence[str], rows: Sequence[Sequence[Component | str]]) -> Component:
    """A table that scrolls sideways where the page is narrow."""
    return html.Div(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(cell, scope="col") for cell in head])),
                html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
            ],
            className="cp-table",
        ),
        className="cp-scroll",
        tabIndex="0",
    )
