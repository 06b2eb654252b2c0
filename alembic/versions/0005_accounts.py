"""Accounts, who is logged in, one-time links that were used, and what the audit log says of them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from storage.sqlite_tables import remake

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None

_ACTIONS_BEFORE: Final = (
    "action IN ('place_told', 'session_started', 'consent_changed', 'session_exported', 'student_exported', "
    "'session_kept', 'session_erased', 'session_purged', 'student_erased')"
)
_ACTIONS: Final = (
    "action IN ('place_told', 'session_started', 'consent_changed', 'session_exported', 'student_exported', "
    "'session_kept', 'session_erased', 'session_purged', 'student_erased', 'account_made', 'account_changed', "
    "'account_removed', 'logged_in', 'logged_out', 'login_failed', 'locked_out')"
)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("password_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_accounts_name")),
        sa.CheckConstraint("role IN ('admin', 'teacher')", name=op.f("ck_accounts_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("key", name=op.f("uq_accounts_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account_classes",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.CheckConstraint("length(class_name) BETWEEN 1 AND 64", name=op.f("ck_account_classes_class_name")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_account_classes_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "class_name", name=op.f("pk_account_classes")),
    )
    op.create_table(
        "logins",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_logins_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_account_id"), "logins", ["account_id"], unique=False)
    op.create_table(
        "used_links",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_used_links")),
    )
    if op.get_bind().dialect.name == "sqlite":
        remake(op.get_bind(), "audit_log", {_ACTIONS_BEFORE: _ACTIONS})
    else:
        op.drop_constraint(op.f("ck_audit_log_action"), "audit_log", type_="check")
        op.create_check_constraint(op.f("ck_audit_log_action"), "audit_log", sa.text(_ACTIONS))
