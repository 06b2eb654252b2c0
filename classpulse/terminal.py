"""What is asked and shown at a terminal."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_shown() -> bool:
    """Whether standard output is a terminal, not a file or another program."""
    return sys.stdout.isatty()


def choose(question: str, answers: Mapping[str, str]) -> str:
    """Ask until one of the numbers is given."""
    typer.echo(question, err=True)
    for number, words in enumerate(answers.values(), start=1):
        typer.echo(f"  {number}  {words}", err=True)
    numbered = {str(number): value for number, value in enumerate(answers, start=1)}
    answer = ""
    while answer not in numbered:
        answer = str(typer.prompt(f"1 to {len(numbered)}", err=True)).strip()
    return numbered[answer]


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows under the headings of the first one."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # Text, so that a name is never read as markup
        table.add_row(*(Text("" if value is None else _shown(str(value))) for value in row.values()))
    Console().print(table)


def _shown(text: str) -> str:
    """The text without characters that a terminal obeys, whoever wrote them into the database."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "" for one in text)
