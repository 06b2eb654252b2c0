"""The audit log keeps that expressions were read on one picture, as it keeps that a session was started."""

from typing import Final

import sqlalchemy as sa
from alembic import op

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
    if op.get_bind().dialect.name == "sqlite":
        _widen_actions_sqlite()
    else:
        op.drop_constraint(op.f("ck_audit_log_action"), "audit_log", type_="check")
        op.create_check_constraint(op.f("ck_audit_log_action"), "audit_log", sa.text(_ACTIONS))


def _widen_actions_sqlite() -> None:
    # SQLite cannot change a CHECK: the table is made anew from its own words, with the one list replaced
    connection = op.get_bind()
    made = str(
        connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'audit_log'").scalar_one()
    )
    if _ACTIONS_BEFORE not in made:
        raise RuntimeError("The table audit_log is not as the migration before made it.")
    # a number that was given is never given again, also where its line was taken out at the end
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'").scalar()
    op.execute(made.replace(_ACTIONS_BEFORE, _ACTIONS).replace("audit_log", "audit_log_new", 1))
    op.execute("INSERT INTO audit_log_new SELECT * FROM audit_log")
    op.drop_table("audit_log")
    op.rename_table("audit_log_new", "audit_log")
    if last is not None:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'audit_log'")
        op.execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('audit_log', :last)").bindparams(
                last=last
            )
        )
