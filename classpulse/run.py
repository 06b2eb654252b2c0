"""Puts the parts together for each command."""

import json
import logging
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from classpulse import access, logs, settings
from classpulse.options import ACTOR
from classpulse.process import keep_no_dump
from classpulse.settings import Settings
from engagement.errors import ClasspulseError
from engagement.records import Mode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from capture.doctor import Check
    from classpulse.controls import Run
    from dashboard.app import DashboardSettings, PageServer
    from dashboard.controls import Controls
    from engagement.consent import ClassRoll
    from inference.reader import Reader

_POLL_SECONDS = 0.25


def settings_with(
    *,
    source: str | None = None,
    session: str | None = None,
    mode: str | None = None,
    interval: float | None = None,
    database: str | None = None,
    detector: str | None = None,
    detector_model: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    agreed: bool | None = None,
) -> Settings:
    """The settings with the given options in place of their values; None leaves a setting as it is.

    Raises:
        SettingsError: an option, a variable or the file is wrong.
    """
    return settings.load(
        {
            "capture": {"source": source, "interval": interval},
            "inference": {"detector": detector, "detector_model": detector_model},
            "session": {"name": session, "mode": mode, "agreed": agreed},
            "storage": {"database": database},
            "dashboard": {"host": host, "port": port},
        }
    )


@contextmanager
def database(chosen: Settings) -> Iterator["Engine"]:
    """An engine on the migrated database, disposed of at the end; sessions that a crash left open are closed."""
    from storage.database import open_database
    from storage.migrate import migrate
    from storage.recorder import Recorder

    engine = open_database(chosen.database_url)
    try:
        migrate(engine)
        Recorder(engine).close_abandoned()
        yield engine
    finally:
        engine.dispose()


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one interrupts at once."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(chosen: Settings, *, seconds: float | None, headless: bool, supervised: bool) -> None:
    """Read a source into the database until it ends, its time is up, or a signal comes."""
    try:
        _watch(chosen, seconds=seconds, headless=headless, supervised=supervised)
    except ClasspulseError as error:
        if supervised:
            from capture.stages import tell_error

            # for the page: the terminal is told where the command ends
            with suppress(OSError):
                tell_error(_write_line, str(error))
        raise


def _watch(chosen: Settings, *, seconds: float | None, headless: bool, supervised: bool) -> None:
    keep_no_dump()
    logs.configure("agent")
    # checked before anything heavy is loaded, so that a wrong option answers at once
    from capture.agent import Agent, AgentSettings
    from capture.sources import open_source
    from capture.stages import Stage, seconds_allowed, tell
    from classpulse.place import check_mode, note
    from classpulse.progress import show_progress
    from classpulse.purging import purged
    from inference.reader import load_reader
    from storage.recorder import Recorder

    agent_settings = AgentSettings(
        session=chosen.session.name,
        interval=chosen.capture.interval,
        mode=chosen.session.mode,
        seconds=seconds,
        agent_name="classpulse watch",
        pid=os.getpid(),
        supervised=supervised,
        agreed=chosen.session.agreed,
    )
    check_mode(chosen)
    source = open_source(chosen.capture.source, titles=chosen.capture.titles)

    def on_stage(stage: Stage) -> None:
        seconds = seconds_allowed(stage, interval=chosen.capture.interval, live=source.live)
        # a supervisor that has gone is noticed by the end of its input
        with suppress(OSError):
            tell(_write_line, stage, seconds)

    make_reader = partial(
        load_reader,
        detector=chosen.inference.detector,
        detector_model=chosen.inference.detector_model,
        expressions=chosen.session.mode is not Mode.PARTICIPATION,
        # presence needs no names: in participation mode they are read where somebody is to be left out by theirs
        keep_names=chosen.session.mode is not Mode.PARTICIPATION,
    )
    with (
        database(chosen) as engine,
        # who supervises this one does it
        nullcontext() if supervised else purged(engine, chosen.storage.keep_days),
        stopped_by_signals() as stop,
    ):
        # also where the file or a variable was written by hand
        note(chosen, engine, "settings")
        if supervised:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        with (
            show_progress(
                lambda: source.frame_count(chosen.capture.interval), shown=not headless and not supervised
            ) as on_interval,
            _shown_to_pages(make_reader, expressions=chosen.session.mode is Mode.INDIVIDUAL) as make_shown,
        ):
            agent = Agent(
                source,
                make_shown,
                Recorder(engine),
                agent_settings,
                on_interval,
                on_stage if supervised else None,
            )
            result = agent.run(stop)
    report_command = f"classpulse report {result.session_id} --out report.html"
    if chosen.storage.database and not supervised:
        report_command += f" --database {chosen.storage.database}"
    sys.stderr.write(
        f"Session {result.session_id} ({chosen.session.name}): {result.intervals} intervals kept, "
        f"{result.dropped} late frames dropped. Report: {report_command}\n"
    )


@contextmanager
def _shown_to_pages(
    make_reader: Callable[[], "Reader"], *, expressions: bool
) -> Iterator[Callable[[], "Reader"]]:
    """Makes a reader whose last frame the pages may ask for, where they share memory with this process.

    Args:
        make_reader: makes the reader.
        expressions: whether expressions per face may be shown.
    """
    from classpulse.shared_view import VIEW_VARIABLE, SharedView

    name = os.environ.get(VIEW_VARIABLE)
    try:
        memory = None if name is None else SharedView(name)
    except OSError as error:
        # a class can be read without being shown
        logging.getLogger(__name__).warning("no live view: %s", error)
        memory = None
    if memory is None:
        yield make_reader
        return
    from classpulse.annotate import WatchedReader

    shared = memory
    # the agent asks a reader for nothing but `read`
    with closing(shared):
        yield lambda: cast("Reader", WatchedReader(make_reader(), shared, expressions=expressions))


def start(chosen: Settings, *, seconds: float | None, browser: bool) -> None:
    """Serve the pages until a signal comes, and keep an agent running beside them for the class that is read.

    What is read is said at the terminal (a source, a class, a running time) or on the page; where no meeting window
    is found, the page says why and offers what there is.
    """
    keep_no_dump()
    logs.configure("pages")
    from capture.errors import SourceError
    from classpulse.controls import LiveControls, check_start
    from classpulse.place import check_mode

    at_once = seconds is not None or says_what_to_read(chosen)
    refusal: str | None = None
    if at_once:
        check_mode(chosen)
        try:
            check_start(chosen, seconds)
        except SourceError as error:
            # whoever named something else, or waits for no page, is told here
            if seconds is not None or chosen.capture.source.partition(":")[0].lower() != "window":
                raise
            refusal = str(error)
            sys.stderr.write(f"classpulse: {error}\n")
    from classpulse.purging import purged
    from dashboard.app import PageServer

    code = 0
    with (
        database(chosen) as engine,
        purged(engine, chosen.storage.keep_days),
        stopped_by_signals() as stop,
        closing(LiveControls(chosen, engine, _watch_command, _look_reader)) as controls,
        PageServer(
            engine,
            host=chosen.dashboard.host,
            port=chosen.dashboard.port,
            settings=(pages := _pages(chosen, controls)),
        ) as server,
    ):
        reading = at_once and refusal is None
        if refusal is not None:
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
        database(chosen) as engine,
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
        UsageError: they are served without links, or not on loopback.
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
    address = f"[{host}]" if ":" in host else host
    scheme = "http" if chosen.dashboard.certificate is None else "https"
    return links.new_link(told.secret, f"{scheme}://{address}:{chosen.dashboard.port}")


def told_at_terminal(chosen: Settings, choose: Callable[[str, dict[str, str]], str]) -> Settings:
    """The settings once the terminal was asked where the class is; as they are where that was told, or nobody is read.

    Args:
        chosen: the settings.
        choose: asks a question with answers (value -> words) and gives the value.

    Raises:
        SettingsError: the settings file cannot be written.
    """
    from capture.sources import is_synthetic

    told = chosen.session.place is not None and chosen.session.institution is not None
    if told or is_synthetic(chosen.capture.source):
        return chosen
    return tell_place(chosen, *_asked(choose))


def tell_place(chosen: Settings, place: str, institution: str) -> Settings:
    """Keep where the class is; the settings that hold from now on.

    Raises:
        SettingsError: the settings file cannot be written, or a variable says it.
    """
    from classpulse.place import tell
    from engagement.place import Institution, Place

    with database(chosen) as engine:
        return tell(chosen, engine, Place(place), Institution(institution), ACTOR)


def why_no_expressions(chosen: Settings) -> str | None:
    """Why no expression is read with these settings, a sentence; None where some are."""
    from classpulse import place

    return place.why_no_expressions(chosen)


def read_picture(chosen: Settings, image: Path) -> dict[str, Any]:
    """Read one picture as its mode allows; what `classpulse.picture.read` gives.

    Args:
        chosen: the settings; the picture is their source, since people who are made up may be read in every mode.
        image: a file.

    Raises:
        ModeRefusedError: the mode may not be used where the class is, or needs a class that agreed.
        capture.errors.SourceError: the picture is missing or cannot be decoded.
    """
    from classpulse import picture
    from classpulse.checks import roll_before_class
    from classpulse.place import check_mode, note
    from storage.audit import AuditAction, audit

    check_mode(chosen)
    keep_no_dump()
    mode = chosen.session.mode
    with database(chosen) as engine:
        roll = roll_before_class(engine, chosen.session.name)
        result = picture.read(image, partial(_look_reader, chosen, keep_names=True), roll, mode)
        if mode is not Mode.PARTICIPATION:
            note(chosen, engine, "settings")
            audit(
                engine,
                AuditAction.PICTURE_READ,
                ACTOR,
                mode=mode.value,
                class_agreed=chosen.session.agreed,
            )
    return result


def place_in_words(chosen: Settings) -> str:
    """Where the class is and which modes that allows."""
    from classpulse.place import in_words

    return in_words(chosen)


def _asked(choose: Callable[[str, dict[str, str]], str]) -> tuple[str, str]:
    from classpulse.place import ask

    place, institution = ask(choose)
    return place.value, institution.value


def report(chosen: Settings, session: str, report_format: str) -> bytes:
    """The report of a session in one of `dashboard.exports.FORMATS`.

    Raises:
        UnknownSessionError: there is no such session.
        ExportError: it cannot be printed on this computer.
    """
    from dashboard.exports import export_session
    from storage import queries

    with database(chosen) as engine:
        session_id = queries.find_session(engine, session).id
        return export_session(engine, session_id, report_format, actor=ACTOR)


def sessions(chosen: Settings) -> list[dict[str, Any]]:
    """The sessions, newest first, as JSON types."""
    from storage import queries

    columns = [
        "id",
        "name",
        "mode",
        "source",
        "started_at",
        "ended_at",
        "intervals",
        "most_tiles",
        "coverage",
    ]
    with database(chosen) as engine:
        rows = queries.sessions(engine)[columns]
    return list(json.loads(rows.to_json(orient="records", date_format="iso", date_unit="s")))


def erase(chosen: Settings, session: str, *, confirm: Callable[[str], bool]) -> str:
    """Erase one session once `confirm` has agreed to a sentence that says which; what was done, in words.

    Raises:
        UnknownSessionError: there is no such session.
    """
    from storage import queries
    from storage.retention import erase_session

    with database(chosen) as engine:
        row = queries.find_session(engine, session)
        which = f"session {row.id} ({row.name}, {row.started_at.astimezone():%Y-%m-%d %H:%M})"
        if not confirm(f"Erase {which} with all its readings and notes?"):
            return "Nothing was erased."
        erase_session(engine, row.id, actor=ACTOR)
    return f"Erased {which}."


def keep(chosen: Settings, session: str, *, kept: bool) -> str:
    """Spare one session from being erased after its time, or no longer; what was done, in words.

    Raises:
        UnknownSessionError: there is no such session.
    """
    from storage import queries
    from storage.retention import set_kept

    with database(chosen) as engine:
        row = queries.find_session(engine, session)
        set_kept(engine, row.id, kept=kept, actor=ACTOR)
    which = f"Session {row.id} ({row.name}, {row.started_at.astimezone():%Y-%m-%d %H:%M})"
    if kept:
        return f"{which} is kept until you erase it."
    return f"{which} is erased {chosen.storage.keep_days} days after it was made."


def audit_log(chosen: Settings, most: int) -> list[dict[str, Any]]:
    """The newest lines of the audit log, the newest first, as JSON types."""
    from storage.audit import audit_entries

    with database(chosen) as engine:
        entries = audit_entries(engine, most)
    return [
        {
            "id": entry.id,
            "at": entry.at.isoformat(timespec="seconds"),
            "actor": entry.actor,
            "action": str(entry.action),
            "subject": entry.subject,
            "detail": dict(entry.detail),
            "account_id": entry.account_id,
        }
        for entry in entries
    ]


def doctor(chosen: Settings) -> "list[Check]":
    """Check the machine and what is read of the source; each line says what to do.

    Raises:
        ModeRefusedError: the mode may not be used where the class is.
    """
    from classpulse.checks import Examination
    from classpulse.place import check_place

    check_place(chosen)
    keep_no_dump()
    return Examination(chosen, _look_reader, partial(_roll, chosen)).checks()


def _roll(chosen: Settings) -> "ClassRoll":
    """Whom to look at before a class of these settings."""
    from classpulse.checks import roll_before_class

    with database(chosen) as engine:
        return roll_before_class(engine, chosen.session.name)


def _look_reader(chosen: Settings, *, keep_names: bool | None = None) -> "Reader":
    """A reader of one picture, which reads all names at once.

    Args:
        chosen: the settings.
        keep_names: whether names are given; None as in a class of this mode.

    Raises:
        ModelsError, InferenceError: it cannot be loaded.
    """
    from inference.reader import load_reader

    mode = chosen.session.mode
    return load_reader(
        detector=chosen.inference.detector,
        detector_model=chosen.inference.detector_model,
        # not before it was said that the class agreed
        expressions=mode is Mode.AGGREGATE or (mode is Mode.INDIVIDUAL and chosen.session.agreed),
        keep_names=mode is not Mode.PARTICIPATION if keep_names is None else keep_names,
        label_budget=None,
    )


def _write_line(line: str) -> None:
    os.write(1, line.encode())


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


def _stop_at_end_of_input(stop: threading.Event) -> None:
    # not through sys.stdin: a thread that holds its lock aborts the interpreter at its end
    while os.read(0, 4096):
        pass
    stop.set()


def _watch_command(chosen: Settings, seconds: float | None) -> list[str]:
    options: dict[str, object] = {
        "--source": chosen.capture.source,
        "--session": chosen.session.name,
        "--mode": chosen.session.mode.value,
        "--interval": chosen.capture.interval,
        "--seconds": seconds,
        "--detector": chosen.inference.detector,
        "--detector-model": chosen.inference.detector_model,
    }
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    if chosen.session.agreed:
        given.append("--agreed")
    # -P: nothing is imported from the folder in which the user happens to be
    return [sys.executable, "-P", "-m", "classpulse", "watch", "--headless", "--supervised", *given]
