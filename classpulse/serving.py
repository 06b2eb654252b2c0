"""`classpulse start` and `classpulse dashboard`: the pages, and an agent beside them for the class that is read."""

import logging
import socket
import sys
import threading
import webbrowser
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from classpulse import access, logs
from classpulse.database import migrated_database
from classpulse.looking import look_reader
from classpulse.process import keep_no_dump, stopped_by_signals
from classpulse.settings import Settings
from classpulse.watching import watch_command

if TYPE_CHECKING:
    from classpulse.controls import Run
    from dashboard.app import DashboardSettings, PageServer
    from dashboard.controls import Controls

_POLL_SECONDS: Final = 0.25
_ANSWER_SECONDS: Final = 2.0


def start(chosen: Settings, *, seconds: float | None, browser: bool, mode_asked: bool) -> None:
    """Serve the pages until a signal comes, and keep an agent running beside them for the class that is read.

    What is read is said at the terminal (a source, a class, a running time) or on the page; where no meeting window
    is found, or the mode that was chosen on a page needs a word first, the page says why and offers what there is.

    Args:
        chosen: the settings.
        seconds: after which everything ends; None for a signal.
        browser: open it.
        mode_asked: the mode was named at the terminal, where a refusal belongs then.
    """
    keep_no_dump()
    logs.configure("pages")
    from capture.errors import SourceError
    from classpulse.controls import LiveControls, check_start
    from classpulse.errors import ModeRefusedError
    from classpulse.place import check_mode

    at_once = seconds is not None or says_what_to_read(chosen)
    refusal: str | None = None
    if at_once:
        try:
            check_mode(chosen)
            check_start(chosen, seconds)
        except ModeRefusedError as error:
            if seconds is not None or mode_asked:
                raise
            refusal = str(error)
        except SourceError as error:
            # whoever named something else, or waits for no page, is told here
            if seconds is not None or chosen.capture.source.partition(":")[0].lower() != "window":
                raise
            refusal = str(error)
    from classpulse.purging import purged
    from dashboard.app import PageServer

    code = 0
    with (
        migrated_database(chosen) as engine,
        purged(engine, chosen.storage.keep_days),
        stopped_by_signals() as stop,
        closing(LiveControls(chosen, engine, watch_command, look_reader)) as controls,
        PageServer(
            engine,
            host=chosen.dashboard.host,
            port=chosen.dashboard.port,
            settings=(pages := _pages(chosen, controls)),
        ) as server,
    ):
        reading = at_once and refusal is None
        if refusal is not None:
            sys.stderr.write(f"classpulse: {refusal}\n")
            controls.refuse(refusal)
        run = controls.begin(chosen, seconds) if reading else None
        _announce(server, pages, "/" if reading else "/start", browser)
        if run is not None:
            code = _watched(run, stop, ends=seconds is not None)
            if stop.is_set() or seconds is not None or (code and run.failure is None):
                sys.exit(code)
        _wait(stop)
    if code:
        sys.exit(code)


def says_what_to_read(chosen: Settings) -> bool:
    """Whether an option, a variable or the settings file names the source or the class: then nothing is asked."""
    return "source" in chosen.capture.model_fields_set or "name" in chosen.session.model_fields_set


def _watched(run: "Run", stop: threading.Event, *, ends: bool) -> int:
    """Wait for the end of what was started at the terminal, or for a signal; the exit code.

    Args:
        run: of it.
        stop: set by a signal.
        ends: it has a running time, with which everything ends.

    Raises:
        AgentError: it was given up before it kept an interval, or nobody waits for the page.
    """
    while not run.ended.wait(_POLL_SECONDS):
        if stop.is_set():
            return 0
    if run.failure is not None:
        if ends or not run.supervisor.made_progress:
            raise run.failure
        sys.stderr.write(f"classpulse: {run.failure}\nThe pages stay until Ctrl-C.\n")
        return 1
    if not run.code and not ends and not stop.is_set():
        how = "was stopped" if run.stop.is_set() else "has ended"
        sys.stderr.write(f"The class {how}; the pages stay until Ctrl-C.\n")
    return run.code or 0


def serve_pages(chosen: Settings, *, browser: bool) -> None:
    """Serve the pages until a signal comes."""
    keep_no_dump()
    logs.configure("pages")
    from classpulse.purging import purged
    from dashboard.app import PageServer

    with (
        migrated_database(chosen) as engine,
        purged(engine, chosen.storage.keep_days),
        stopped_by_signals() as stop,
        PageServer(
            engine, host=chosen.dashboard.host, port=chosen.dashboard.port, settings=(pages := _pages(chosen))
        ) as server,
    ):
        _announce(server, pages, "/", browser)
        _wait(stop)


def _wait(stop: threading.Event) -> None:
    """Until `stop` is set: in short waits, since one without an end is never interrupted by Ctrl-C on Windows."""
    while not stop.wait(_POLL_SECONDS):
        pass


def _pages(chosen: Settings, controls: "Controls | None" = None) -> "DashboardSettings":
    """What the pages need beside the database: the settings, and what was measured of usable weights.

    Args:
        chosen: the settings with which this program runs.
        controls: with which the pages start and stop a class; None where they only show.
    """
    from classpulse.settings_editor import SettingsEditor
    from dashboard.app import DashboardSettings
    from models.errors import ModelsError
    from models.registry import read_figures

    pages = DashboardSettings(
        controls=controls,
        book=SettingsEditor(chosen),
        access=access.access(chosen),
        network=access.network(chosen),
    )
    try:
        return replace(pages, accuracy=read_figures("expression"))
    except ModelsError as error:
        logging.getLogger(__name__).warning("About shows no figures of the classifier: %s", error)
        return pages


def new_link(chosen: Settings) -> str:
    """A link that lets this computer's browser in once, to the pages that these settings serve.

    Raises:
        UsageError: they are served without links, or not on loopback, or nothing is served there.
    """
    from classpulse.errors import UsageError
    from dashboard import links

    told = access.access(chosen)
    host = chosen.dashboard.host.strip("[]")
    if told is None or not access.is_local(chosen):
        raise UsageError(
            "These pages are opened without a link: everybody on this computer may (dashboard.link is false), or they "
            "are served to the network (log in with your account)."
        )
    port = chosen.dashboard.port
    if not _answers(host, port):
        raise UsageError(
            f"No pages run on port {port} of {host}: start them with `classpulse start` or `classpulse dashboard`, or "
            "say with --port where they run."
        )
    address = f"[{host}]" if ":" in host else host
    scheme = "http" if chosen.dashboard.certificate is None else "https"
    return links.new_link(told.secret, f"{scheme}://{address}:{port}")


def _answers(host: str, port: int) -> bool:
    """Whether a program of this computer listens there; it is asked nothing, since only a browser may know its
    certificate."""
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS):
            return True
    except OSError:
        return False


def _announce(server: "PageServer", pages: "DashboardSettings", path: str, browser: bool) -> None:
    from dashboard import links

    network = pages.network
    # a proxy on this computer is the only way in: what does not come through it is turned away
    base = f"https://{min(network.hosts)}" if network.proxied_here and network.hosts else server.url
    url = f"{base}{path}".rstrip("/")
    sys.stderr.write(f"The class is at {url} (Ctrl-C stops).\n")
    if pages.access is not None and server.local:
        url = links.new_link(pages.access.secret, server.url, path)
        sys.stderr.write(f"This link opens it, once: {url}\n")
    if browser:
        webbrowser.open(url)
