"""Sessions that go on after a crash, seats with their last time, offers, and windows that were followed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None

_REASONS_BEFORE: Final = (
    "not_observed IN ('window_closed', 'minimised', 'covered', 'frozen', 'black', "
    "'not_a_gallery', 'source_failed', 'paused')"
)
_REASONS: Final = (
    "not_observed IN ('window_closed', 'minimised', 'covered', 'moved', 'resized', 'frozen', 'black', "
    "'not_a_gallery', 'source_failed', 'restarted', 'paused')"
)
_FOLLOWED: Final = "followed IN ('moved', 'resized')"
_CONDITION: Final = "condition IN ('restarting', 'stopped')"


def upgrade() -> None:
    for column in ("interrupted_at", "paused_at"):
        op.add_column("sessions", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("seats", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE seats SET last_seen_at = coalesce((SELECT max(intervals.started_at) FROM readings "
        "JOIN intervals ON intervals.id = readings.interval_id WHERE readings.seat = seats.number "
        "AND intervals.session_id = seats.session_id), first_seen_at)"
    )
    op.create_table(
        "seat_offers",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("same_as", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("1 <= same_as AND same_as < seat", name=op.f("ck_seat_offers_seats")),
        sa.CheckConstraint("reason IN ('renamed', 'same_name')", name=op.f("ck_seat_offers_reason")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_seat_offers_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "seat", "same_as", name=op.f("pk_seat_offers")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def _upgrade_postgresql() -> None:
    op.drop_constraint(op.f("ck_intervals_not_observed"), "intervals", type_="check")
    op.create_check_constraint(op.f("ck_intervals_not_observed"), "intervals", sa.text(_REASONS))
    op.add_column("intervals", sa.Column("followed", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_intervals_followed"), "intervals", sa.text(_FOLLOWED))
    for name, kind in _HEARTBEAT:
        op.add_column("heartbeats", sa.Column(name, kind, nullable=True))
    op.create_check_constraint(op.f("ck_heartbeats_condition"), "heartbeats", sa.text(_CONDITION))


_HEARTBEAT: Final = (
    ("condition", sa.Text()),
    ("reason", sa.Text()),
    ("condition_at", sa.DateTime(timezone=True)),
)


def _upgrade_sqlite() -> None:
    # SQLite cannot change a CHECK: the table is made anew from its own words, with the one list replaced
    connection = op.get_bind()
    made = str(
        connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'intervals'").scalar_one()
    )
    if _REASONS_BEFORE not in made:
        raise RuntimeError("The table intervals is not as the first migration made it.")
    head, marker, tail = made.replace(_REASONS_BEFORE, _REASONS).partition("processing_ms FLOAT NOT NULL, ")
    if not marker or "intervals" not in head:
        raise RuntimeError("The table intervals is not as the first migration made it.")
    op.execute(
        head.replace("intervals", "intervals_new", 1)
        + marker
        + "\n\tfollowed TEXT, \n\tCONSTRAINT ck_intervals_followed CHECK ("
        + _FOLLOWED
        + "), "
        + tail
    )
    op.execute("INSERT INTO intervals_new SELECT *, NULL FROM intervals")
    op.drop_table("intervals")
    op.rename_table("intervals_new", "intervals")
    op.create_index("ix_intervals_session_id_id", "intervals", ["session_id", "id"], unique=False)
    op.execute(
        f"ALTER TABLE heartbeats ADD COLUMN condition TEXT CONSTRAINT ck_heartbeats_condition CHECK ({_CONDITION})"
    )
    for name, kind in _HEARTBEAT[1:]:
        op.add_column("heartbeats", sa.Column(name, kind, nullable=True))
