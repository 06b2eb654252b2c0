"""The commands. Each imports what it needs when it runs, so that `classpulse --help` answers at once."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from classpulse import __version__
from classpulse.accounts import accounts_app
from classpulse.model_commands import models_app
from classpulse.options import DatabaseOption
from classpulse.students import students_app
from classpulse.terminal import choose, is_shown, is_terminal, print_table
from engagement.errors import ClasspulseError

EXIT_ERROR = 1
EXIT_CRASH = 70
"""`EX_SOFTWARE` of sysexits.h: the supervisor restarts an agent that ends with it."""


class Commands(TyperGroup):
    """All commands; what is wrong with an option of any of them is worded here."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, whose options are read here."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            from classpulse.wrong_values import of_option

            error.message = of_option(error.message, error.__cause__)
            raise


app = typer.Typer(
    cls=Commands,
    help="Classroom mood from the Zoom gallery, on your own computer. Try: classpulse demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")
app.add_typer(students_app, name="students")
app.add_typer(accounts_app, name="accounts")


class ReportFormat(StrEnum):
    """Formats of a report."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


_NOT_AT_A_TERMINAL: Final = frozenset({ReportFormat.HTML, ReportFormat.PDF, ReportFormat.XLSX})


class PlaceOption(StrEnum):
    """Where a class is; the same words as `engagement.place.Place`."""

    EU = "eu"
    ELSEWHERE = "elsewhere"
    UNSAID = "unsaid"


class InstitutionOption(StrEnum):
    """What kind of institution it is; the same words as `engagement.place.Institution`."""

    SCHOOL = "school"
    UNIVERSITY = "university"
    WORKPLACE = "workplace"
    OTHER = "other"
    UNSAID = "unsaid"


class ModeOption(StrEnum):
    """What may be inferred and kept; the same words as `engagement.records.Mode`."""

    PARTICIPATION = "participation"
    AGGREGATE = "aggregate"
    INDIVIDUAL = "individual"


SourceOption = Annotated[
    str | None,
    typer.Option(
        help="window, window:TITLE, monitor:N, region:X,Y,W,H, camera:N, demo, or an image, folder or video.",
        show_default="window",
    ),
]
SessionOption = Annotated[str | None, typer.Option(help="Name of the session.", show_default="Class")]
IntervalOption = Annotated[
    float | None, typer.Option(help="Seconds between frames, from 0.5.", show_default="2")
]
SecondsOption = Annotated[float | None, typer.Option(help="Stop after this many seconds.")]
ModeChoice = Annotated[
    ModeOption | None,
    typer.Option(
        help="participation: no expressions. aggregate: class figures only. individual: per seat, "
        "for a class that was told and agreed. Others than participation need classpulse place.",
        show_default="participation",
    ),
]
AgreedOption = Annotated[
    bool | None,
    typer.Option(
        "--agreed",
        help="State that the class was told and agreed; individual mode needs it, the audit log keeps it.",
        show_default=False,
    ),
]
DetectorOption = Annotated[
    str | None, typer.Option(help="Face detector: tileface, mtcnn or yunet.", show_default="tileface")
]
DetectorModelOption = Annotated[Path | None, typer.Option(help="Model file of the detector, for yunet.")]
PortOption = Annotated[
    int | None, typer.Option(help="Port of the page; 0 takes a free one.", show_default="8050")
]
HostOption = Annotated[
    str | None,
    typer.Option(help="Address of the page; others than loopback need an account.", show_default="127.0.0.1"),
]
NoBrowserOption = Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")]


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"classpulse {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Classroom mood from the Zoom gallery, on your own computer. Try: classpulse demo"""


@app.command()
def demo(
    seconds: SecondsOption = None,
    seats: Annotated[int, typer.Option(min=2, max=49, help="Students in the synthetic class, 2 to 49.")] = 27,
    interval: IntervalOption = None,
    database: DatabaseOption = None,
    port: PortOption = None,
    no_browser: NoBrowserOption = False,
) -> None:
    """Show a synthetic class on the dashboard: nothing is grabbed from your screen."""
    from classpulse import serving
    from classpulse.settings import settings_with

    settings = settings_with(
        source=f"demo:{seats}",
        session="Demo",
        mode="individual",
        interval=interval,
        database=database,
        port=port,
    )
    serving.start(settings, seconds=seconds, browser=not no_browser, mode_asked=True)


@app.command()
def start(
    source: SourceOption = None,
    session: SessionOption = None,
    mode: ModeChoice = None,
    interval: IntervalOption = None,
    seconds: SecondsOption = None,
    agreed: AgreedOption = None,
    database: DatabaseOption = None,
    detector: DetectorOption = None,
    detector_model: DetectorModelOption = None,
    host: HostOption = None,
    port: PortOption = None,
    no_browser: NoBrowserOption = False,
) -> None:
    """Watch a real class and show it on the dashboard."""
    from classpulse import place, serving
    from classpulse.settings import settings_with

    settings = settings_with(
        source=source,
        session=session,
        mode=mode,
        interval=interval,
        database=database,
        detector=detector,
        detector_model=detector_model,
        host=host,
        port=port,
        agreed=agreed,
    )
    if (seconds is not None or serving.says_what_to_read(settings)) and is_terminal():
        settings = place.told_at_terminal(settings, choose)
    serving.start(settings, seconds=seconds, browser=not no_browser, mode_asked=mode is not None)


@app.command()
def watch(
    source: SourceOption = None,
    session: SessionOption = None,
    mode: ModeChoice = None,
    interval: IntervalOption = None,
    seconds: SecondsOption = None,
    agreed: AgreedOption = None,
    database: DatabaseOption = None,
    detector: DetectorOption = None,
    detector_model: DetectorModelOption = None,
    headless: Annotated[bool, typer.Option("--headless", help="No progress display, for services.")] = False,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Read a class into the database, without a page."""
    from classpulse import place, watching
    from classpulse.settings import settings_with

    settings = settings_with(
        source=source,
        session=session,
        mode=mode,
        interval=interval,
        database=database,
        detector=detector,
        detector_model=detector_model,
        agreed=agreed,
    )
    if not (headless or supervised) and is_terminal():
        settings = place.told_at_terminal(settings, choose)
    watching.watch(settings, seconds=seconds, headless=headless, supervised=supervised)


@app.command()
def place(
    where: Annotated[PlaceOption | None, typer.Option(help="eu (also the EEA), elsewhere or unsaid.")] = None,
    institution: Annotated[
        InstitutionOption | None, typer.Option(help="school, university, workplace, other or unsaid.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Say where the class is, which decides what may be read; without options, show what was said."""
    from classpulse import place
    from classpulse.settings import settings_with
    from engagement.place import Institution, Place

    settings = settings_with(database=database)
    if where is not None or institution is not None:
        before = settings.session
        settings = place.tell_by_command(
            settings,
            Place(where or before.place or Place.UNSAID),
            Institution(institution or before.institution or Institution.UNSAID),
        )
    elif is_terminal():
        settings = place.told_at_terminal(settings, choose)
    typer.echo(place.in_words(settings))


@app.command()
def dashboard(
    database: DatabaseOption = None,
    host: HostOption = None,
    port: PortOption = None,
    no_browser: NoBrowserOption = False,
) -> None:
    """Serve the pages alone: a running class, past sessions, reports."""
    from classpulse import serving
    from classpulse.settings import settings_with

    serving.serve_pages(settings_with(database=database, host=host, port=port), browser=not no_browser)


@app.command()
def link(
    host: HostOption = None,
    port: PortOption = None,
    no_browser: NoBrowserOption = False,
) -> None:
    """Open the pages that run on this computer: a link that lets a browser in, once."""
    from classpulse import serving
    from classpulse.settings import settings_with

    url = serving.new_link(settings_with(host=host, port=port))
    typer.echo(url)
    if not no_browser:
        typer.launch(url)


@app.command()
def read(
    image: Annotated[Path, typer.Argument(help="A photo or a screenshot of a gallery.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    session: Annotated[
        str | None,
        typer.Option(help="Class whose list says whom to look at.", show_default="all lists"),
    ] = None,
    mode: ModeChoice = None,
    agreed: AgreedOption = None,
    database: DatabaseOption = None,
    detector: DetectorOption = None,
    detector_model: DetectorModelOption = None,
) -> None:
    """Read one picture: its tiles, names, faces and, as mode and place allow, expressions. Nothing of it is kept."""
    from classpulse import looking, picture, place
    from classpulse.database import demand_database
    from classpulse.settings import settings_with

    settings = settings_with(
        # a file called demo is no class that is made up
        source=str(image.absolute()),
        session=session,
        mode=mode,
        agreed=agreed,
        database=database,
        detector=detector,
        detector_model=detector_model,
    )
    if database is not None:
        # by the lists of a database that is only just made nobody is left out
        demand_database(settings)
    if is_terminal():
        settings = place.told_at_terminal(settings, choose)
    result = looking.read_picture(settings, image)
    why = place.why_no_expressions(settings)
    if why is not None:
        typer.echo(why, err=True)
    typer.echo(json.dumps(result) if as_json else picture.as_text(result))


@app.command()
def report(
    session: Annotated[str, typer.Argument(help="Number or name of the session, or `last`.")],
    report_format: Annotated[ReportFormat, typer.Option("--format", help="Format.")] = ReportFormat.HTML,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, for this user alone; without it, standard output, which takes HTML, PDF and XLSX only "
            "where it is no terminal."
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Write the report of a session."""
    from classpulse import past_sessions
    from classpulse.errors import UsageError
    from classpulse.outputs import write_private
    from classpulse.settings import settings_with

    if out is None and report_format in _NOT_AT_A_TERMINAL and is_shown():
        file = f"report.{report_format.value}"
        raise UsageError(
            f"A report in {report_format.value.upper()} is nothing to read at a terminal: write it into a file with "
            f"--out {file}, or with > {file}."
        )
    contents = past_sessions.report(settings_with(database=database), session, report_format.value)
    if out is None:
        sys.stdout.buffer.write(contents)
        return
    try:
        write_private(out, contents)
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {out}: {error.strerror}. Choose another --out."
        ) from error
    typer.echo(f"Wrote {out}", err=True)


@app.command()
def sessions(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    database: DatabaseOption = None,
) -> None:
    """List the sessions in the database."""
    from classpulse import past_sessions
    from classpulse.settings import settings_with

    rows = past_sessions.sessions(settings_with(database=database))
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("No session yet. Try: classpulse demo")
    else:
        print_table([_session_line(row) for row in rows])


@app.command()
def erase(
    session: Annotated[str, typer.Argument(help="Number or name of the session, or `last`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Erase a session with all its readings and notes. It asks first."""
    from classpulse import past_sessions
    from classpulse.settings import settings_with

    chosen = settings_with(database=database)
    typer.echo(past_sessions.erase(chosen, session, confirm=lambda question: yes or typer.confirm(question)))


@app.command()
def keep(
    session: Annotated[str, typer.Argument(help="Number or name of the session, or `last`.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it go with the others.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Spare a session from being erased after its time (setting storage.keep_days)."""
    from classpulse import past_sessions
    from classpulse.settings import settings_with

    typer.echo(past_sessions.keep(settings_with(database=database), session, kept=not undo))


@app.command()
def audit(
    most: Annotated[int, typer.Option(min=1, help="Lines at most, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Show who chose, exported, kept and erased what: numbers, never names."""
    from classpulse import past_sessions
    from classpulse.settings import settings_with

    rows = past_sessions.audit_log(settings_with(database=database), most)
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("The audit log is empty.")
    else:
        print_table([_audit_line(row) for row in rows])


@app.command()
def doctor(
    source: SourceOption = None,
    mode: ModeChoice = None,
    database: DatabaseOption = None,
    port: PortOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Check this machine and read one picture: display, window, grid, faces, names, time, disk, database, port."""
    from classpulse import looking
    from classpulse.settings import settings_with

    checks = looking.doctor(settings_with(source=source, mode=mode, database=database, port=port))
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        print_table(
            [{"check": c.name, "state": c.state, "found": c.found, "what to do": c.advice} for c in checks]
        )
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(EXIT_ERROR)


def _session_line(row: dict[str, Any]) -> dict[str, str]:
    """What a teacher wants to know of a session, times as on the computer's clock."""
    started = datetime.fromisoformat(row["started_at"]).astimezone()
    ended = None if row["ended_at"] is None else datetime.fromisoformat(row["ended_at"])
    minutes = "running" if ended is None else f"{(ended - started).total_seconds() / 60:.0f} min"
    return {
        "no.": str(row["id"]),
        "class": row["name"],
        "date": f"{started:%Y-%m-%d %H:%M}",
        "length": minutes,
        "seats": str(row["most_tiles"]),
        "seen": "-" if row["coverage"] is None else f"{row['coverage']:.0%}",
        "mode": row["mode"],
        "source": row["source"],
    }


def _audit_line(row: dict[str, Any]) -> dict[str, str]:
    """A line of the audit log, its time as on the computer's clock."""
    detail = ", ".join(
        f"{key.replace('_', ' ')}: {_detail_word(value)}" for key, value in row["detail"].items()
    )
    return {
        "no.": str(row["id"]),
        "when": f"{datetime.fromisoformat(row['at']).astimezone():%Y-%m-%d %H:%M:%S}",
        "who": row["actor"],
        "what": row["action"].replace("_", " "),
        "number": "" if row["subject"] is None else str(row["subject"]),
        "detail": detail,
    }


def _detail_word(value: object) -> str:
    """A value of the audit log as the page About writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def main() -> None:
    """Entry point: errors become one sentence on standard error and an exit code that is not 0."""
    try:
        app()
    except ClasspulseError as error:
        typer.echo(f"classpulse: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last place where a traceback can be kept from the user
        from classpulse import logs

        file = logs.crash(error)
        where = f"The details are in {file}." if file else "The details could not be written to the log."
        typer.echo(
            f"classpulse: an error that should not happen ({type(error).__name__}); what was committed is kept. "
            f"{where}",
            err=True,
        )
        sys.exit(EXIT_CRASH)
