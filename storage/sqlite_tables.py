"""What SQLite cannot alter in a table, for migrations."""

from collections.abc import Mapping

from sqlalchemy import Connection


def remake(connection: Connection, table: str, changes: Mapping[str, str]) -> None:
    """Make a table anew from its own words, some of them replaced; rows, indices and the last number given stay.

    Args:
        connection: to a SQLite database, inside a migration.
        table: its name; no other table may refer to it.
        changes: part of its CREATE TABLE -> what stands there from now on.

    Raises:
        RuntimeError: the table is not as the migrations before made it.
    """
    run = connection.exec_driver_sql
    found = run("SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,))
    made: dict[str, str] = {row.name: row.sql for row in found}
    words = made.pop(table, "")
    for before, after in changes.items():
        if before not in words:
            raise RuntimeError(f"The table {table} is not as the migration before made it.")
        words = words.replace(before, after)
    # a number that was given is never given again, also where its row was taken out at the end
    numbered = run("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'").scalar()
    last = numbered and run("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar()
    run(words.replace(table, f"{table}_new", 1))
    run(f"INSERT INTO {table}_new SELECT * FROM {table}")  # noqa: S608
    run(f"DROP TABLE {table}")
    run(f"ALTER TABLE {table}_new RENAME TO {table}")
    for index in made.values():
        run(index)
    if last:
        run("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
