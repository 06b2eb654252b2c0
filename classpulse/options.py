"""What several commands have in common."""

from typing import Annotated, Final

import typer

ACTOR: Final = "command line"
"""Who does it, for the audit log."""

DatabaseOption = Annotated[
    str | None, typer.Option(help="Database URL.", show_default="a SQLite file in your data folder")
]
