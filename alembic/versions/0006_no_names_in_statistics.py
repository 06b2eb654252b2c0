"""PostgreSQL keeps the commonest values of a column for its planner, where an erasure does not reach: none of names."""

from typing import Final

from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None

_NAMES: Final = {
    "sessions": ("name", "source"),
    "class_lists": ("name", "own_label"),
    "students": ("class_name", "name", "consent_source"),
    "student_labels": ("class_name", "label"),
    "seats": ("name", "fingerprint"),
    "episodes": ("reason",),
    "notes": ("text",),
    "heartbeats": ("reason",),
    "account_classes": ("class_name",),
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in _NAMES.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
