"""What every page shows where a question to the server went wrong: what failed, and what to do."""

import logging
import time
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, set_props
from dash.development.base_component import Component

from dashboard.components import running
from dashboard.live.pulse import PULSE
from engagement.errors import ClasspulseError
from storage.errors import StorageError

FAULT: Final = "fault"
BANNER: Final = "fault-banner"
TITLE: Final = "fault-title"
TEXT: Final = "fault-text"

_POLLED: Final = "-poll"
"""The end of the id of what asks again and again."""

_SAID_AGAIN_AFTER: Final = 60.0
"""Seconds after which the same fault is logged once more."""

_log = logging.getLogger(__name__)


def layout() -> Component:
    """The banner, hidden, with the way to ask again."""
    return html.Div(
        [
            dcc.Store(id=FAULT),
            html.Div(
                [
                    html.Div([html.Strong(id=TITLE), html.Span(id=TEXT)], className="cp-fault-words"),
                    html.A("Try again", href="", className="cp-button"),
                ],
                id=BANNER,
                className="cp-fault cp-hidden",
                role="alert",
            ),
        ]
    )


def register(app: Dash, url: str) -> None:
    """Show a fault until the page is left or asked again; one of what is polled goes by itself once all is well.

    Args:
        app: the app, made with a `Teller` as `on_error`.
        url: id of the location.
    """
    app.clientside_callback(
        ClientsideFunction("classpulse", "fault"),
        Output(BANNER, "className"),
        Output(TITLE, "children"),
        Output(TEXT, "children"),
        Input(FAULT, "data"),
        Input(running.POLL, "n_intervals"),
        Input(url, "pathname"),
    )


class Teller:
    """Tells the page, and the log, of an exception that left a callback. What the callback would change stays."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def __call__(self, error: Exception) -> None:
        """Say what went wrong; called by Dash while the callback is answered."""
        self._log(error)
        asked = ctx.triggered_id
        polled = isinstance(asked, str) and (asked.endswith(_POLLED) or asked == PULSE)
        set_props(FAULT, {"data": {**words(error), "polled": polled, "at": round(time.time() * 1000)}})

    def _log(self, error: Exception) -> None:
        said, now = f"{type(error).__name__}: {error}", time.monotonic()
        if now - self._logged.get(said, -_SAID_AGAIN_AFTER) < _SAID_AGAIN_AFTER:
            return
        self._logged = {said: now}
        if isinstance(error, ClasspulseError):
            _log.warning("a page could not be answered: %s", error)
        else:
            _log.error("a page could not be answered", exc_info=error)


def words(error: Exception) -> dict[str, Any]:
    """The title and the text of the banner, as JSON types."""
    if isinstance(error, StorageError):
        return {"title": "The database cannot be read", "text": str(error)}
    if isinstance(error, ClasspulseError):
        return {"title": "That did not work", "text": str(error)}
    text = f"classpulse met something that it did not expect ({type(error).__name__}). The log says more."
    return {"title": "This page is not complete", "text": text}
