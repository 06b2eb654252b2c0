"""`classpulse accounts`: who may log in to the pages. Each command imports what it needs when it runs."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from classpulse.errors import UsageError
from classpulse.options import ACTOR, DatabaseOption

if TYPE_CHECKING:
    from sqlalchemy import Engine

accounts_app = typer.Typer(
    help="Accounts: who may log in to the pages, as what, and which classes they see.", no_args_is_help=True
)


class RoleOption(StrEnum):
    """What an account may; the same words as `storage.schema.Role`."""

    ADMIN = "admin"
    TEACHER = "teacher"


NameArgument = Annotated[str, typer.Argument(help="Name of the account.")]
StdinOption = Annotated[
    bool, typer.Option("--stdin", help="Read the password from the first line of standard input.")
]


@accounts_app.command("add")
def add(
    name: NameArgument,
    role: Annotated[
        RoleOption | None,
        typer.Option(
            help="admin: all classes, accounts and settings. teacher: their own classes.",
            show_default="admin for the first account, else teacher",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="A class that a teacher sees; may be given again.")
    ] = None,
    stdin: StdinOption = False,
    database: DatabaseOption = None,
) -> None:
    """Make an account. It asks for the password."""
    from classpulse.database import migrated_database
    from classpulse.settings import settings_with
    from dashboard.passwords import hash_password
    from storage import accounts

    with migrated_database(settings_with(database=database)) as engine:
        first = not accounts.has_accounts(engine)
        chosen = accounts.Role(role.value if role else "admin" if first and not classes else "teacher")
        made = accounts.add_account(
            engine, name, chosen, hash_password(_password(stdin), name), classes or (), actor=ACTOR
        )
        unknown = _unknown_classes(engine, made.classes)
    typer.echo(f"Made the account {made.name} ({made.role}).")
    if unknown:
        typer.echo(unknown, err=True)
    if made.role is accounts.Role.TEACHER and not made.classes:
        typer.echo(f"It sees no class yet: classpulse accounts classes {made.name!r} CLASS")


@accounts_app.command("list")
def list_accounts(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    database: DatabaseOption = None,
) -> None:
    """List the accounts."""
    from classpulse.database import existing_database, is_nothing_kept
    from classpulse.settings import settings_with
    from storage import accounts

    chosen = settings_with(database=database)
    found = []
    if not is_nothing_kept(chosen):
        with existing_database(chosen) as engine:
            found = accounts.accounts(engine)
    if as_json:
        rows = [
            {
                "name": one.name,
                "role": str(one.role),
                "classes": list(one.classes),
                "made_at": one.made_at.isoformat(),
                "password_at": one.password_at.isoformat(),
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not found:
        typer.echo("No account yet. Try: classpulse accounts add NAME")
    for one in found:
        sees = "every class" if one.role is accounts.Role.ADMIN else ", ".join(one.classes) or "no class yet"
        typer.echo(f"{one.role:<8} {one.name}: {sees}")


@accounts_app.command("remove")
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Remove an account; who is logged in with it is out at once. It asks first."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from storage import accounts

    with existing_database(settings_with(database=database)) as engine:
        found = accounts.find_account(engine, name)
        # the only account may go: then nobody logs in, as before the first
        if accounts.is_last_admin(engine, name) and len(accounts.accounts(engine)) > 1:
            raise UsageError(_last_admin(found.name))
        if not (yes or typer.confirm(f"Remove the account {found.name}? What was read of classes stays.")):
            typer.echo("Nothing was removed.")
            return
        accounts.remove_account(engine, name, actor=ACTOR)
    typer.echo(f"Removed the account {found.name}.")


@accounts_app.command("password")
def password(name: NameArgument, stdin: StdinOption = False, database: DatabaseOption = None) -> None:
    """Give an account another password; who is logged in with it is out at once."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from dashboard.passwords import hash_password
    from storage import accounts

    with existing_database(settings_with(database=database)) as engine:
        found = accounts.find_account(engine, name)
        accounts.set_password(engine, found.name, hash_password(_password(stdin), found.name), actor=ACTOR)
    typer.echo(f"{found.name} has another password; every browser has to log in again.")


@accounts_app.command("role")
def role(
    name: NameArgument,
    role: Annotated[RoleOption, typer.Argument(help="What it may from now on.")],
    database: DatabaseOption = None,
) -> None:
    """Make an account an admin's or a teacher's."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from storage import accounts

    with existing_database(settings_with(database=database)) as engine:
        if role is not RoleOption.ADMIN and accounts.is_last_admin(engine, name):
            raise UsageError(_last_admin(accounts.find_account(engine, name).name))
        accounts.set_role(engine, name, accounts.Role(role.value), actor=ACTOR)
        found = accounts.find_account(engine, name)
    typer.echo(f"{found.name}: {found.role}")


@accounts_app.command("classes")
def classes(
    name: NameArgument,
    classes: Annotated[
        list[str] | None, typer.Argument(metavar="[CLASS]...", help="The classes; none takes all away.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Say which classes a teacher sees: these and no others."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from storage import accounts

    with existing_database(settings_with(database=database)) as engine:
        accounts.set_classes(engine, name, classes or (), actor=ACTOR)
        found = accounts.find_account(engine, name)
        unknown = _unknown_classes(engine, found.classes)
    typer.echo(f"{found.name}: {', '.join(found.classes) or 'no class'}")
    if unknown:
        typer.echo(unknown, err=True)


@accounts_app.command("logout")
def logout(name: NameArgument, database: DatabaseOption = None) -> None:
    """Log an account out in every browser."""
    from classpulse.database import existing_database
    from classpulse.settings import settings_with
    from storage import accounts, logins

    with existing_database(settings_with(database=database)) as engine:
        found = accounts.find_account(engine, name)
        logins.close_logins(engine, found.id)
    typer.echo(f"{found.name} is logged out everywhere.")


def _last_admin(name: str) -> str:
    return (
        f"{name} is the only admin, and without one nobody could log in to see every class and the settings: make "
        "another one first, with classpulse accounts role NAME admin, or accounts add NAME --role admin."
    )


def _unknown_classes(engine: "Engine", classes: Sequence[str]) -> str | None:
    """A line about classes of which nothing is kept yet, which may be misspelt; None where all are known."""
    from storage.students import class_names

    known = set(class_names(engine))
    unknown = [f'"{name}"' for name in classes if name not in known]
    if not unknown:
        return None
    which = "it is" if len(unknown) == 1 else "they are"
    return f"No session or list is called {' or '.join(unknown)} yet: see that {which} spelt as the class will be."


def _password(stdin: bool) -> str:
    """The password, never from the command line, where other programs and the shell's history see it.

    Raises:
        UsageError: there is nobody to ask.
    """
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("A password is typed at a terminal, and there is none: pipe it in with --stdin.")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed
