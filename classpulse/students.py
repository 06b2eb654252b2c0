"""`classpulse students`: class lists without a browser. Each command imports what it needs when it runs."""

import json
import sys
from datetime import UTC, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classpulse.errors import UsageError
from classpulse.options import ACTOR, DatabaseOption

if TYPE_CHECKING:
    from engagement.roster import Roster
    from storage.traces import Traces

students_app = typer.Typer(
    help="Class lists: who is in a class, who agreed; export or erase one student.", no_args_is_help=True
)


class ConsentOption(StrEnum):
    """What a student answered; the same words as `engagement.records.Consent`."""

    AGREED = "agreed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


StudentArgument = Annotated[int, typer.Argument(help="Number of the student, as `students list` shows it.")]


def _day(text: str) -> datetime:
    """A day as it is typed.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a day by this computer's clock
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2026-11-30.") from error


DateOption = Annotated[
    datetime | None,
    typer.Option(
        "--date", parser=_day, metavar="YYYY-MM-DD", help="Day of the consent.", show_default="today"
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@students_app.command("list")
def list_students(
    class_name: Annotated[str | None, typer.Argument(metavar="[CLASS]", help="Name of the class.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    database: DatabaseOption = None,
) -> None:
    """List the students of a class, or the classes."""
    from classpulse.database import existing_database, is_nothing_kept
    from classpulse.settings import settings_with
    from storage import students

    chosen = settings_with(database=database)
    if is_nothing_kept(chosen):
        typer.echo("[]" if as_json else "No class yet.")
        return
    with existing_database(chosen) as engine:
        if class_name is None:
            names = students.class_names(engine)
            typer.echo(
                json.dumps(names, ensure_ascii=False) if as_json else "\n".join(names) or "No class yet."
            )
            return
        class_name = students.class_as_written(engine, class_name)
        roll = students.read_class_list(engine, class_name)
    listed = roll.students if roll else ()
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "consent": str(one.consent),
            "consent_at": None if one.consent_at is None else one.consent_at.isoformat(),
            "consent_source": one.consent_source,
        }
        for one in listed
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo(f"{class_name} has no list yet. Try: classpulse students import")
        return
    if roll is not None and roll.only_agreed:
        typer.echo("Only those who agreed are read.")
    for one in listed:
        since = "" if one.consent_at is None else f"{one.consent_at.astimezone():%Y-%m-%d}"
        typer.echo(f"{one.id:>5}  {one.consent:<8} {since:<10}  {one.name}")


@students_app.command("import")
def import_list(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class.")],
    file: Annotated[
        Path, typer.Argument(help="CSV file with a column of names, and perhaps one for consent.")
    ],
    source: Annotated[
        str | None, typer.Option(help="Where the consents stand.", show_default="name of the file")
    ] = None,
    date: DateOption = None,
    yes: YesOption = False,
    database: DatabaseOption = None,
) -> None:
    """Take a class list in from a CSV file. It says what it found and asks first; nobody is removed."""
    from classpulse.database import migrated_database
    from classpulse.settings import settings_with
    from engagement.roster import read_roster
    from storage import students

    roster = read_roster(_contents(file))
    for remark in (*roster.left_out, *roster.hints):
        typer.echo(f"Line {remark.line}: {remark.text}", err=True)
    with migrated_database(settings_with(database=database)) as engine:
        class_name = students.class_as_written(engine, class_name)
        roll = students.read_class_list(engine, class_name)
        rows = [students.NewStudent(row.name, row.consent) for row in roster.rows]
        steps = students.plan_import(roll.students if roll else (), rows)
        new, changed = sum(student is None for student, _ in steps), sum(change for _, change in steps)
        typer.echo(_found(roster, file, new, changed), err=True)
        if not rows or not (yes or typer.confirm(f"Take them into {class_name}?")):
            typer.echo("Nothing was taken in.")
            return
        done = students.import_students(
            engine, class_name, rows, source=source or file.name, at=_moment(date), actor=ACTOR
        )
    typer.echo(f"Taken in: {done.added} new, {done.changed} with another answer, {done.unchanged} as before.")


@students_app.command("export")
def export(
    student: StudentArgument,
    out: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Write all that is kept of one student as JSON."""
    from classpulse.database import existing_database
    from classpulse.outputs import write_private
    from classpulse.settings import settings_with
    from storage.traces import export_student

    with existing_database(settings_with(database=database)) as engine:
        contents = export_student(engine, student, actor=ACTOR)
    if out is None:
        sys.stdout.buffer.write(contents + b"\n")
        return
    try:
        write_private(out, contents)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}. Choose another --out.") from error
    typer.echo(f"Wrote {out}", err=True)


@students_app.command("erase")
def erase(
    student: StudentArgument,
    with_refusal: Annotated[
        bool,
        typer.Option(
            "--with-refusal",
            help="Take the refusal of one who refused from the list too: then nothing tells that they may not be "
            "looked at.",
        ),
    ] = False,
    yes: YesOption = False,
    database: DatabaseOption = None,
) -> None:
    """Erase one student with all that was kept of them in the sessions of their class. It asks first.

    The refusal of one who refused stays on the list, unless --with-refusal takes it too.
    """
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from engagement.phrases import count
    from engagement.records import Consent
    from storage.retention import erase_student
    from storage.traces import traces

    with existing_database(settings_with(database=database)) as engine:
        told = traces(engine, student)
        who = f"{told.student.name} of {told.student.class_name}"
        if told.notes:
            typer.echo(
                f"{len(told.notes)} of your notes hold the name or a part of it. They are your own text and stay:",
                err=True,
            )
            for note in told.notes:
                typer.echo(f"  session {note.session_id}: {note.text}", err=True)
        if told.mentions:
            places = "; ".join(one.where for one in told.mentions)
            typer.echo(f"The name goes from other texts too: {places}.", err=True)
        if told.unsure:
            typer.echo(
                f"{count(told.unsure, 'seat')} may be theirs: what nobody matched stays.",
                err=True,
            )
        if told.other_classes:
            typer.echo(f"The same name stands in {', '.join(told.other_classes)} and stays there.", err=True)
        holds = (
            f"{count(told.readings, 'reading')} and {count(told.episodes, 'episode')} "
            f"in {count(told.sessions, 'session')}"
        )
        refused = told.student.consent is Consent.REFUSED
        if refused:
            typer.echo(_refusal_words(told, with_refusal), err=True)
        what = f"what was read of {who}:" if refused and not with_refusal else f"{who} with"
        if not (yes or typer.confirm(f"Erase {what} {holds}?")):
            typer.echo("Nothing was erased.")
            return
        refusal_stays = erase_student(engine, student, with_refusal=with_refusal, actor=ACTOR)
    if refusal_stays:
        typer.echo(f"Erased what was read of {who}. Their refusal stays on the list.")
    else:
        typer.echo(f"Erased {who}.")


def _refusal_words(told: "Traces", with_refusal: bool) -> str:
    """What becomes of the refusal of a student who is erased."""
    if with_refusal:
        return "Their refusal goes too: then classpulse no longer knows that they may not be looked at."
    labels = ", ".join(f'"{label}"' for label in told.by_hand)
    by_hand = f" and the labels matched to it, {labels}" if labels else ""
    return (
        f"Their refusal stays on the list with the name{by_hand}, so that nobody looks at them: --with-refusal takes "
        "it too."
    )


@students_app.command("consent")
def consent(
    student: StudentArgument,
    answer: Annotated[ConsentOption, typer.Argument(help="What the student answered.")],
    source: Annotated[str | None, typer.Option(help="Where it stands, such as a letter.")] = None,
    date: DateOption = None,
    database: DatabaseOption = None,
) -> None:
    """Note whether a student agreed to be read."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from engagement.records import Consent
    from storage import students

    with existing_database(settings_with(database=database)) as engine:
        at = None if answer is ConsentOption.UNKNOWN else _moment(date)
        students.set_consent(engine, student, Consent(answer.value), source, at, actor=ACTOR)
        kept = students.read_student(engine, student)
    typer.echo(f"{kept.name} of {kept.class_name}: {kept.consent}")


def _contents(file: Path) -> bytes:
    from engagement.roster import MAX_BYTES

    try:
        with file.open("rb") as stream:
            # one byte more than is taken: whatever the file is, no more of it is read
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"The list {file} cannot be read: {error.strerror}. Give a CSV file.") from error


def _found(roster: "Roster", file: Path, new: int, changed: int) -> str:
    from engagement.phrases import count

    known = len(roster.rows) - new - changed
    return (
        f"{file.name} ({roster.encoding}): {new} new, {changed} with another answer, {known} as before, "
        f"{count(len(roster.left_out), 'line')} left out."
    )


def _moment(date: datetime | None) -> datetime:
    """A day as typed as a moment of it: now where it is today, else noon by this computer's clock."""
    now = datetime.now(UTC)
    if date is None or date.date() == now.astimezone().date():
        return now
    return datetime.combine(date.date(), time(12)).astimezone(UTC)
