"""The Alembic environment: `storage.migrate` hands its connection over; the command line names a database.

alembic -x database=sqlite:///PATH upgrade head
alembic -x database=sqlite:///PATH revision --autogenerate -m "what changes"
"""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage.database import open_database, writing
from storage.schema import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations are history: they name no type of ours, which may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    raise SystemExit("Migrations look at the database they change: leave --sql away.")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("database")
    if not isinstance(url, str):
        raise SystemExit("Name the database: alembic -x database=sqlite:///PATH COMMAND")
    engine = open_database(url)
    try:
        with writing(engine) as connection:
            run(connection)
    finally:
        engine.dispose()
