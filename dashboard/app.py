"""The Dash app and the server that shows it to this computer. There is no global app: `create_app` makes one."""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from dash import Dash, Input, Output
from dash.development.base_component import Component
from flask import Response, jsonify
from sqlalchemy import Engine
from waitress.server import create_server
from waitress.wasyncore import close_all

from dashboard import shell
from dashboard.components import empty, fault, running
from dashboard.controls import Controls
from dashboard.errors import PortInUseError
from dashboard.exports import FORMATS
from dashboard.health import health
from dashboard.pages import about, now, report, sessions, start, students, trends
from dashboard.pages import settings as settings_page
from dashboard.preferences import SettingsBook
from dashboard.security import MAX_REQUEST_BYTES, protect, require_loopback
from dashboard.theme import css_variables
from engagement.errors import ClasspulseError
from storage.errors import UnknownSessionError

_FOLDER: Final = Path(__file__).parent
_THREADS: Final = 8
_IN_MEMORY: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """What the pages need to know beside the database.

    Attributes:
        poll_seconds: how often an open page asks for something new, above 0.
        start_command: what starts a class, shown where none is running.
        accuracy: what was measured of the classifier (see `dashboard.accuracy`), None where nothing was.
        controls: with which a class is started and stopped; None where the pages only show.
        book: with which settings are read and written; None where there are none to edit.
    """

    poll_seconds: float = 1.0
    start_command: str = "classpulse start"
    accuracy: Mapping[str, Any] | None = None
    controls: Controls | None = None
    book: SettingsBook | None = None


def create_app(engine: Engine, settings: DashboardSettings | None = None) -> Dash:
    """The app over a migrated database, with all pages, exports and `/health`.

    Args:
        engine: from `storage.database.open_database`, migrated.
        settings: None for the defaults.
    """
    chosen = settings or DashboardSettings()
    app = Dash(
        "classpulse",
        title="classpulse",
        update_title=None,  # keeps the title still
        assets_folder=str(_FOLDER / "assets"),
        assets_ignore="first-paint.js",
        index_string=_index(),
        serve_locally=True,
        use_pages=False,
        enable_mcp=False,
        add_log_handler=False,
        on_error=fault.Teller(),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell.layout()
    shell.register(app)
    fault.register(app, shell.URL)
    now.register(app, engine, chosen.start_command)
    sessions.register(app, engine)
    report.register(app, engine)
    trends.register(app, engine)
    students.register(app, engine)
    settings_page.register(app, chosen.book)
    start.register(app, engine, chosen.controls, chosen.start_command)
    running.register(app, engine, chosen.controls, shell.URL)
    about.register(app, chosen.accuracy)
    # ids are looked up in all pages, not only in the one that is open
    app.validation_layout = [
        shell.layout(),
        now.layout(chosen.poll_seconds),
        report.layout(0),
        *(layout() for layout in _PAGES.values()),
    ]

    @app.callback(
        Output(shell.CONTENT, "children"), Output(shell.NAVIGATION, "children"), Input(shell.URL, "pathname")
    )
    def open_page(path: str | None) -> Any:
        return page(path or "/", chosen), shell.navigation(path or "/")

    _serve_exports(app, engine)
    protect(app.server, lambda: list(app.csp_hashes()))
    return app


_PAGES: Final[Mapping[str, Callable[[], Component]]] = MappingProxyType(
    {
        "about": about.layout,
        "sessions": sessions.layout,
        "settings": settings_page.layout,
        "start": start.layout,
        "students": students.layout,
        "trends": trends.layout,
    }
)
"""The layout of each page whose address says all."""


def page(path: str, settings: DashboardSettings) -> Component:
    """The layout at a path."""
    match path.strip("/").split("/"):
        case [""]:
            return now.layout(settings.poll_seconds)
        case ["sessions", number] if number.isascii() and number.isdecimal():
            return report.layout(int(number))
        case [name] if name in _PAGES:
            return _PAGES[name]()
        case _:
            return empty.nothing_here("There is no such page", "The address leads nowhere.")


def _serve_exports(app: Dash, engine: Engine) -> None:
    @app.server.get("/health")
    def answer_health() -> tuple[Response, int]:
        body, status = health(engine)
        return jsonify(body), status

    @app.server.get("/sessions/<int:session_id>/report.<suffix>")
    def download(session_id: int, suffix: str) -> Response:
        if suffix not in FORMATS:
            return _said(f"There is no report as {suffix}; there is {', '.join(FORMATS)}.", 404)
        try:
            body = FORMATS[suffix].make(engine, session_id)
        except UnknownSessionError as error:
            return _said(str(error), 404)
        except ClasspulseError as error:
            return _said(str(error), 503)
        name = f"classpulse-session-{session_id}.{suffix}"
        return Response(
            body,
            mimetype=FORMATS[suffix].media,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _said(text: str, status: int) -> Response:
    """Plain text, so that nothing in it is taken for a page."""
    return Response(text, status, mimetype="text/plain")


def _index() -> str:
    template = (_FOLDER / "templates" / "index.html").read_text(encoding="utf-8")
    return template.replace("{colours}", css_variables())


class PageServer:
    """Serves the pages from a thread while the context is open.

    Attributes:
        url: where the pages are.

    Args:
        engine: from `storage.database.open_database`, migrated.
        host: a loopback address or "localhost".
        port: 0 takes a free one.
        settings: None for the defaults.

    Raises:
        AddressRefusedError: other computers could reach the host.
        PortInUseError: something else listens on the port.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: DashboardSettings | None = None,
    ) -> None:
        listener = _listen(host, port)
        address, self.port = listener.getsockname()[:2]
        self.url = f"http://[{address}]:{self.port}" if ":" in address else f"http://{address}:{self.port}"
        # waitress says at WARNING that a request waits for a thread: no news to a teacher
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._map: dict[int, Any] = {}
        self._server = create_server(
            create_app(engine, settings).server,
            map=self._map,
            sockets=[listener],
            threads=_THREADS,
            ident=None,
            max_request_body_size=MAX_REQUEST_BYTES,
            # waitress spools larger answers to files: a report names students and stays in memory
            inbuf_overflow=_IN_MEMORY,
            outbuf_overflow=_IN_MEMORY,
        )
        self._thread = threading.Thread(target=self._server.run, name="pages", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and give the port back. May be called twice."""
        if self._thread.is_alive():
            # the loop's own thread must close its sockets, or it would wait on handles that are gone
            self._server.trigger.pull_trigger(lambda: close_all(self._map, ignore_all=True))
            self._thread.join(timeout=5)
        self._server.task_dispatcher.shutdown(timeout=1)


def _listen(host: str, port: int) -> socket.socket:
    family, address = require_loopback(host)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # Windows lets a second program share a port unless told otherwise
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"The dashboard cannot listen on {address} port {port} ({error.strerror or error}): another program uses "
            "it, perhaps a classpulse that is already running. Stop that one, or choose another with --port."
        ) from error
    return listener
