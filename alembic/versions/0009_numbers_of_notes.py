"""A note that was deleted never gives its number to another: a page that shows it would change the other one."""

from typing import Final

from alembic import op

from storage.sqlite_tables import remake

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    connection = op.get_bind()
    # PostgreSQL's sequences never go back
    if connection.dialect.name == "sqlite":
        key = "CONSTRAINT pk_notes PRIMARY KEY (id), \n\t"
        numbered = "\n\tid INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,"
        remake(connection, "notes", {"\n\tid INTEGER NOT NULL,": numbered, key: ""})
