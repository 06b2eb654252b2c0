"""A student may have a bias, which makes up for how their face is read; the audit log keeps that it was fitted."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from storage.sqlite_tables import remake

revision: Final = "0011"
down_revision: Final = "0010"
branch_labels: Final = None
depends_on: Final = None

_ACTIONS_BEFORE: Final = (
    "action IN ('place_told', 'session_started', 'picture_read', 'consent_changed', 'session_exported', "
    "'student_exported', 'session_kept', 'session_erased', 'session_purged', 'student_erased', 'account_made', "
    "'account_changed', 'account_removed', 'logged_in', 'logged_out', 'login_failed', 'locked_out')"
)
_ACTIONS: Final = (
    "action IN ('place_told', 'session_started', 'picture_read', 'consent_changed', 'seat_calibrated', "
    "'session_exported', 'student_exported', 'session_kept', 'session_erased', 'session_purged', 'student_erased', "
    "'account_made', 'account_changed', 'account_removed', 'logged_in', 'logged_out', 'login_failed', 'locked_out')"
)
_TOGETHER: Final = "(calibrated_at IS NULL) = (bias IS NULL)"


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("students", sa.Column("calibrated_at", sa.DateTime(timezone=True), nullable=True))
    if connection.dialect.name == "sqlite":
        # SQLite takes a rule for a new column only; other tables refer to this one, so it is not made anew
        op.execute(
            f"ALTER TABLE students ADD COLUMN bias JSON CONSTRAINT ck_students_calibration CHECK ({_TOGETHER})"
        )
        remake(connection, "audit_log", {_ACTIONS_BEFORE: _ACTIONS})
    else:
        op.add_column("students", sa.Column("bias", sa.JSON(), nullable=True))
        op.create_check_constraint(op.f("ck_students_calibration"), "students", sa.text(_TOGETHER))
        op.drop_constraint(op.f("ck_audit_log_action"), "audit_log", type_="check")
        op.create_check_constraint(op.f("ck_audit_log_action"), "audit_log", sa.text(_ACTIONS))
