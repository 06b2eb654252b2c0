"""The Dash app and the server that shows it to this computer. There is no global app: `create_app` makes one."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from dash import Dash, Input, Output
from dash.development.base_component import Component
from flask import Response, has_request_context, jsonify, request
from sqlalchemy import Engine

from dashboard import shell
from dashboard.charts import LIBRARY
from dashboard.components import empty, fault, running
from dashboard.controls import Controls
from dashboard.door import AWAY, Access, Door
from dashboard.errors import AccountNeededError
from dashboard.exports import FORMATS, export_session
from dashboard.health import health
from dashboard.pages import about, now, report, sessions, start, students, studio, trends
from dashboard.pages import settings as settings_page
from dashboard.preferences import SettingsBook
from dashboard.printing import remove_orphans
from dashboard.security import Hosts, check_callbacks, listening_at, protect, said
from dashboard.serving import Network, PlainServer, Server, TlsServer, check_network, listen
from dashboard.theme import css_variables
from dashboard.visitors import FOR_ADMINS, ForAdmins, controls_for_admins, may_manage, visitor
from engagement.errors import ClasspulseError
from storage.accounts import has_accounts
from storage.errors import StorageError, UnknownSessionError
from storage.scope import restricted

_log = logging.getLogger(__name__)

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """What the pages need to know beside the database.

    Attributes:
        poll_seconds: how often an open page asks for something new, above 0.
        start_command: what starts a class, shown where none is running.
        accuracy: what was measured of the classifier (see `dashboard.accuracy`), None where nothing was.
        controls: with which a class is started and stopped; None where the pages only show.
        book: with which settings are read and written; None where there are none to edit.
        access: how visitors are told apart; None where nobody is asked who they are, which is for this computer alone.
        network: how others than this computer reach the pages.
    """

    poll_seconds: float = 1.0
    start_command: str = "classpulse start"
    accuracy: Mapping[str, Any] | None = None
    controls: Controls | None = None
    book: SettingsBook | None = None
    access: Access | None = None
    network: Network = field(default_factory=Network)


_GRID: Final = re.compile(r'<script src="([^"]*/dash_ag_grid/[^"]*)"></script>')
_UNUSED: Final = re.compile(r'<script src="[^"]*/(?:deps/polyfill@|dash_table/)[^"]*"></script>\s*')


class _Pages(Dash):  # type: ignore[misc]  # Dash tells no types
    """Dash, which leaves the scripts of the grid to the pages that have one (`assets/grid.js`), and does without its
    old tables and its polyfill for browsers that are too old for Mantine; of that only
    `assets/regenerator-runtime.js` is used."""

    def interpolate_index(self, scripts: str = "", **parts: str) -> str:
        """The index page, made of its parts."""
        left = _GRID.sub(r'<template id="cp-grid" data-src="\1"></template>', scripts)
        index: str = super().interpolate_index(scripts=_UNUSED.sub("", left), **parts)
        return index


def create_app(
    engine: Engine, settings: DashboardSettings | None = None, *, addresses: frozenset[str] = frozenset()
) -> Dash:
    """The app over a migrated database, with all pages, exports and `/health`.

    Args:
        engine: from `storage.database.open_database`, migrated.
        settings: None for the defaults.
        addresses: numeric ones under which it is asked for beside those of loopback, as `security.Hosts.addresses`.
    """
    chosen = settings or DashboardSettings()
    controls = None if chosen.controls is None else controls_for_admins(chosen.controls)
    book = None if chosen.book is None else cast("SettingsBook", ForAdmins(chosen.book))
    app = _Pages(
        "classpulse",
        title="classpulse",
        update_title=None,  # keeps the title still
        assets_folder=str(_FOLDER / "assets"),
        assets_ignore="first-paint.js",
        index_string=_index(),
        serve_locally=True,
        use_pages=False,
        # the browser would compare all ids with all pages before it shows one; tests/dashboard/test_first_page.py does
        suppress_callback_exceptions=True,
        enable_mcp=False,
        add_log_handler=False,
        on_error=fault.Teller(),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    shell.register(app)
    fault.register(app, shell.URL)
    now.register(app, engine, chosen.start_command)
    sessions.register(app, engine)
    report.register(app, engine)
    trends.register(app, engine)
    students.register(app, engine)
    settings_page.register(app, book)
    start.register(app, engine, controls, chosen.start_command)
    studio.register(app, engine, controls, chosen.start_command, chosen.accuracy)
    running.register(app, engine, controls, shell.URL)
    about.register(app, engine, chosen.accuracy)

    def first() -> Component:
        path = _asked_from()
        return shell.layout(path, None if path is None else page(path, engine, chosen))

    app.layout = first

    # the first page comes with the shell
    @app.callback(
        Output(shell.CONTENT, "children"),
        Output(shell.NAVIGATION, "children"),
        Input(shell.URL, "pathname"),
        prevent_initial_call=True,
    )
    def open_page(path: str | None) -> Any:
        return page(path or "/", engine, chosen), shell.navigation(path or "/")

    _serve_charts(app)
    _serve_exports(app, engine)
    hosts = Hosts(chosen.network.hosts, addresses)
    protect(app.server, lambda: list(app.csp_hashes()), hosts, chosen.network.proxy)
    guarded = chosen.access is not None
    app.server.register_error_handler(StorageError, partial(_unreachable, guarded=guarded))
    if chosen.access is not None:
        Door(app.server, engine, chosen.access)
    check_callbacks(app.server, lambda: app.callback_map)
    return app


_PAGES: Final[Mapping[str, Callable[[], Component]]] = MappingProxyType(
    {
        "about": about.layout,
        "sessions": sessions.layout,
        "settings": settings_page.layout,
        "start": start.layout,
        "students": students.layout,
        "studio": studio.layout,
        "trends": trends.layout,
    }
)
"""The layout of each page whose address says all."""


def _asked_from() -> str | None:
    """The path of our page that asks for the layout, None where the browser does not say."""
    if not has_request_context():
        return None
    try:
        asking = urlsplit(request.referrer or "")
    except ValueError:  # no address at all
        return None
    return asking.path if asking.netloc == request.host else None


def page(path: str, engine: Engine, settings: DashboardSettings) -> Component:
    """The layout at a path."""
    match path.strip("/").split("/"):
        case [""]:
            return now.opened(engine, settings.poll_seconds, settings.start_command)
        case ["sessions", number] if number.isascii() and number.isdecimal():
            return report.layout(int(number))
        case [name] if name in FOR_ADMINS and not may_manage():
            return empty.nothing_here(
                "This page is for admins",
                "Your account sees its classes; an admin starts them and keeps the settings.",
            )
        case [name] if name in _PAGES:
            return _PAGES[name]()
        case _:
            return empty.nothing_here("There is no such page", "The address leads nowhere.")


def _serve_charts(app: Dash) -> None:
    @app.server.get("/_dash-component-suites/plotly/package_data/plotly.min.js")
    def charts_library() -> Response:
        """Where Dash asks for the whole of plotly.js, the part that our charts need."""
        answer = Response(LIBRARY.read_bytes(), mimetype="text/javascript")
        answer.add_etag()
        answer.make_conditional(request)
        return answer


def _serve_exports(app: Dash, engine: Engine) -> None:
    @app.server.get("/health")
    def answer_health() -> tuple[Response, int]:
        # whether the data are fresh is true or not, whoever asks
        try:
            with restricted(None):
                body, status = health(engine)
        except StorageError:
            body, status = {"status": "no database", "session": None}, 503
        return jsonify(body), status

    @app.server.get("/sessions/<int:session_id>/report.<suffix>")
    def download(session_id: int, suffix: str) -> Response:
        if suffix not in FORMATS:
            return said(f"There is no report as {suffix}; there is {', '.join(FORMATS)}.", 404)
        try:
            body = export_session(engine, session_id, suffix)
        except UnknownSessionError as error:
            return said(str(error), 404)
        except ClasspulseError as error:
            return said(str(error), 503)
        name = f"classpulse-session-{session_id}.{suffix}"
        return Response(
            body,
            mimetype=FORMATS[suffix].media,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _unreachable(error: Exception, *, guarded: bool) -> Response:
    _log.warning("the database did not answer: %s", error)
    return said(AWAY if guarded and visitor() is None else str(error), 503)


def _index() -> str:
    template = (_FOLDER / "templates" / "index.html").read_text(encoding="utf-8")
    return template.replace("{colours}", css_variables())


class PageServer:
    """Serves the pages from a thread while the context is open.

    Attributes:
        url: where the pages are.
        local: whether they listen on loopback, where a one-time link opens them.

    Args:
        engine: from `storage.database.open_database`, migrated.
        host: "localhost" or a numeric address; one that other computers can reach needs an account and TLS.
        port: 0 takes a free one.
        settings: None for the defaults.

    Raises:
        AccountNeededError: others could reach the pages, and nobody has an account.
        AddressRefusedError: it is no address, or what is sent to it could be read on the way.
        CertificateError: the certificate or its key cannot be used.
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
        chosen = settings or DashboardSettings()
        network, where = chosen.network, listening_at(host)
        check_network(where, network)
        reached = where.beyond or network.used
        if reached and (chosen.access is None or not has_accounts(engine)):
            raise AccountNeededError(
                f"Other computers could reach the pages at {where.address}, and nobody has an account: make one with "
                "`classpulse accounts add NAME`, then start again. For this computer alone none is needed: leave out "
                "--host, dashboard.hosts and dashboard.proxy."
            )
        if chosen.access is not None:
            access = replace(chosen.access, loopback_only=not reached)
            chosen = replace(chosen, access=access)
        listener = listen(where, port)
        address, self.port = listener.getsockname()[:2]
        self.local = not where.beyond and not network.proxied_here
        scheme = "http" if network.certificate is None else "https"
        self.url = f"{scheme}://{f'[{address}]' if ':' in address else address}:{self.port}"
        try:
            app = create_app(engine, chosen, addresses=where.hosts).server
        except BaseException:
            listener.close()
            raise
        self._server: Server = (
            PlainServer(app, listener, network.proxy)
            if network.certificate is None
            else TlsServer(app, listener, network)
        )

    def __enter__(self) -> Self:
        remove_orphans()
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and give the port back. May be called twice."""
        self._server.close()
