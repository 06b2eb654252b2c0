"""The audit log keeps that expressions were read on one picture, as it keeps that a session was started."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from storage.sqlite_tables import remake

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None

_ACTIONS_BEFORE: Final = (
    "action IN ('place_told', 'session_started', 'consent_changed', 'session_exported', 'student_exported', "
    "'session_kept', 'session_erased', 'session_purged', 'student_erased', 'account_made', 'account_changed', "
    "'account_removed', 'logged_in', 'logged_out', 'login_failed', 'locked_out')"
)
_ACTIONS: Final = (
    "action IN ('place_told', 'session_started', 'picture_read', 'consent_changed', 'session_exported', "
    "'student_exported', 'session_kept', 'session_erased', 'session_purged', 'student_erased', 'account_made', "
    "'account_changed', 'account_removed', 'logged_in', 'logged_out', 'login_failed', 'locked_out')"
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        remake(connection, "audit_log", {_ACTIONS_BEFORE: _ACTIONS})
    else:
        op.drop_constraint(op.f("ck_audit_log_action"), "audit_log", type_="check")
        op.create_check_constraint(op.f("ck_audit_log_action"), "audit_log", sa.text(_ACTIONS))
