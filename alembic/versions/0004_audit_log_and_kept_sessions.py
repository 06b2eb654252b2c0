"""The audit log, and sessions that the purge spares."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None

_ACTION: Final = (
    "action IN ('place_told', 'session_started', 'consent_changed', 'session_exported', 'student_exported', "
    "'session_kept', 'session_erased', 'session_purged', 'student_erased')"
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint("length(actor) BETWEEN 1 AND 64", name=op.f("ck_audit_log_actor")),
        sa.CheckConstraint(_ACTION, name=op.f("ck_audit_log_action")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.add_column("sessions", sa.Column("kept", sa.Boolean(), server_default=sa.false(), nullable=False))
