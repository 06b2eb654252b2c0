"""What stands around every page: the bar on top, the theme switch, and who looks (scheme and time zone)."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard.components import fault, running
from dashboard.theme import MANTINE, Scheme
from dashboard.visitors import ACCOUNT, FOR_ADMINS, may_manage, visitor
from dashboard.wording import zone_of

URL: Final = "shell-url"
CONTENT: Final = "shell-content"
NAVIGATION: Final = "shell-navigation"
SCHEME: Final = "shell-scheme"
VIEWER: Final = "shell-viewer"

_PAGES: Final = (
    ("/", "Now"),
    ("/start", "Start"),
    ("/sessions", "Sessions"),
    ("/trends", "Trends"),
    ("/students", "Students"),
    ("/studio", "Try it"),
    ("/settings", "Settings"),
    ("/about", "About"),
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page.

    Attributes:
        scheme: light or dark.
        zone: of the browser; None for the computer's own.
    """

    scheme: Scheme
    zone: tzinfo | None


def viewer_of(stored: object) -> Viewer:
    """The viewer as the browser told it; anything odd counts as light and the computer's own zone."""
    told: dict[str, Any] = stored if isinstance(stored, dict) else {}
    zone = told.get("zone")
    return Viewer(
        scheme="dark" if told.get("scheme") == "dark" else "light",
        zone=zone_of(zone if isinstance(zone, str) else None),
    )


def layout(path: str | None = None, content: Component | None = None) -> Component:
    """The shell.

    Args:
        path: of the page in it; None leaves it empty, to be filled once the browser has told which page it shows.
        content: that page.
    """
    known = {} if path is None else {"pathname": path}
    header = html.Div(
        [
            dmc.Anchor(
                [html.Span(className="cp-brand-mark"), html.Span("classpulse")],
                href="/",
                className="cp-brand",
                underline="never",
                **{"aria-label": "classpulse, to the running class"},
            ),
            html.Nav(navigation(path or "/"), id=NAVIGATION, className="cp-nav", **{"aria-label": "Pages"}),
            running.layout(),
            dmc.ColorSchemeToggle(
                id=SCHEME,
                lightIcon=html.Span("☀", **{"aria-hidden": "true"}),
                darkIcon=html.Span("☾", **{"aria-hidden": "true"}),
                variant="default",
                size="lg",
                **{"aria-label": "Switch between light and dark"},
            ),
        ],
        className="cp-header",
    )
    return dmc.MantineProvider(
        [
            dcc.Location(id=URL, refresh="callback-nav", **known),
            dcc.Store(id=VIEWER),
            html.A("Skip to the page", href=f"#{CONTENT}", className="cp-skip"),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(header),
                    dmc.AppShellMain(
                        [fault.layout(), html.Div(content, id=CONTENT, className="cp-page", tabIndex="-1")]
                    ),
                ],
                header={"height": {"base": 92, "lg": 52}},
                padding={"base": "sm", "sm": "md"},
            ),
        ],
        theme=dict(MANTINE),
        defaultColorScheme="auto",
    )


def navigation(path: str) -> list[Component]:
    """The links to the pages that the visitor may open, the present one marked, and to their account."""
    links: list[Component] = []
    pages = _PAGES if may_manage() else [page for page in _PAGES if page[0].strip("/") not in FOR_ADMINS]
    for href, title in pages:
        here = path == href or (href != "/" and path.startswith(href))
        links.append(
            dmc.Anchor(title, href=href, underline="never", **({"aria-current": "page"} if here else {}))
        )
    who = visitor()
    if who is not None and who.account is not None:
        # a page of its own, outside of the app
        links.append(
            html.A(who.name, href=ACCOUNT, className="cp-account", title="Your account, and the way out")
        )
    return links


def register(app: Dash) -> None:
    """Tell the server who looks, at the start and when the scheme is switched; show which page is open."""
    app.clientside_callback(
        ClientsideFunction("classpulse", "viewer"),
        Output(VIEWER, "data"),
        Input(SCHEME, "computedColorScheme"),
    )
    app.clientside_callback(
        ClientsideFunction("classpulse", "current"),
        Output(NAVIGATION, "className"),
        Input(NAVIGATION, "children"),
    )
