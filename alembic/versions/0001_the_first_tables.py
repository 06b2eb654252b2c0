"""The first tables. Migrations go forward only: the way back is the backup made before."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("interval", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("agent_host", sa.Text(), nullable=False),
        sa.Column("agent_pid", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "mode IN ('participation', 'aggregate', 'individual')", name=op.f("ck_sessions_mode")
        ),
        sa.CheckConstraint('"interval" > 0', name=op.f("ck_sessions_interval")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_sessions_ended_at")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_sessions_name")),
        sa.CheckConstraint("length(source) BETWEEN 1 AND 200", name=op.f("ck_sessions_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_sessions_open_name",
        "sessions",
        ["name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "episodes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "rule IN ('absent', 'camera_off', 'turned_away', 'low_mood', 'sudden_change', 'class_dip')",
            name=op.f("ck_episodes_rule"),
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_episodes_ended_at")),
        sa.CheckConstraint("seat >= 0", name=op.f("ck_episodes_seat")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_episodes_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episodes")),
        sa.UniqueConstraint(
            "session_id",
            "rule",
            "seat",
            "started_at",
            name=op.f("uq_episodes_session_id_rule_seat_started_at"),
        ),
    )
    op.create_table(
        "heartbeats",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_heartbeats_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "intervals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("not_observed", sa.Text(), nullable=True),
        sa.Column("grid", sa.Boolean(), nullable=False),
        sa.Column("tiles", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("faces_read", sa.Integer(), nullable=False),
        sa.Column("n_seen", sa.Integer(), nullable=False),
        sa.Column("n_turned_away", sa.Integer(), nullable=False),
        sa.Column("n_no_face", sa.Integer(), nullable=False),
        sa.Column("n_camera_off", sa.Integer(), nullable=False),
        sa.Column("n_unreadable", sa.Integer(), nullable=False),
        sa.Column("n_opted_out", sa.Integer(), nullable=False),
        sa.Column("angry", sa.Integer(), nullable=True),
        sa.Column("disgust", sa.Integer(), nullable=True),
        sa.Column("fear", sa.Integer(), nullable=True),
        sa.Column("happy", sa.Integer(), nullable=True),
        sa.Column("sad", sa.Integer(), nullable=True),
        sa.Column("surprise", sa.Integer(), nullable=True),
        sa.Column("neutral", sa.Integer(), nullable=True),
        sa.Column("valence", sa.Float(), nullable=True),
        sa.Column("arousal", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("mood_faces", sa.Integer(), nullable=True),
        sa.Column("facing", sa.Float(), nullable=True),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.Column("processing_ms", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "not_observed IN ('window_closed', 'minimised', 'covered', 'frozen', 'black', "
            "'not_a_gallery', 'source_failed', 'paused')",
            name=op.f("ck_intervals_not_observed"),
        ),
        sa.CheckConstraint(
            "(angry IS NULL) = (disgust IS NULL) AND (angry IS NULL) = (fear IS NULL) AND (angry IS "
            "NULL) = (happy IS NULL) AND (angry IS NULL) = (sad IS NULL) AND (angry IS NULL) = "
            "(surprise IS NULL) AND (angry IS NULL) = (neutral IS NULL)",
            name=op.f("ck_intervals_expressions_all_or_none"),
        ),
        sa.CheckConstraint(
            "(valence IS NULL) = (arousal IS NULL) AND (valence IS NULL) = (low IS NULL) AND "
            "(valence IS NULL) = (high IS NULL) AND (valence IS NULL) = (mood_faces IS NULL)",
            name=op.f("ck_intervals_mood_all_or_none"),
        ),
        sa.CheckConstraint(
            "-1 <= low AND low <= valence AND valence <= high AND high <= 1 AND mood_faces >= 0",
            name=op.f("ck_intervals_mood"),
        ),
        sa.CheckConstraint(
            "0 <= faces_read AND faces_read <= faces AND faces <= tiles", name=op.f("ck_intervals_faces")
        ),
        sa.CheckConstraint(
            "angry + disgust + fear + happy + sad + surprise + neutral = faces_read",
            name=op.f("ck_intervals_expressions_sum_to_faces_read"),
        ),
        sa.CheckConstraint(
            "angry >= 0 AND disgust >= 0 AND fear >= 0 AND happy >= 0 AND sad >= 0 AND surprise >= 0 "
            "AND neutral >= 0",
            name=op.f("ck_intervals_expressions"),
        ),
        sa.CheckConstraint("arousal BETWEEN -1 AND 1", name=op.f("ck_intervals_arousal")),
        sa.CheckConstraint("dropped >= 0 AND processing_ms >= 0", name=op.f("ck_intervals_costs")),
        sa.CheckConstraint("facing BETWEEN 0 AND 1", name=op.f("ck_intervals_facing")),
        sa.CheckConstraint(
            "n_seen + n_turned_away + n_no_face + n_camera_off + n_unreadable + n_opted_out = tiles",
            name=op.f("ck_intervals_states_sum_to_tiles"),
        ),
        sa.CheckConstraint(
            "n_seen >= 0 AND n_turned_away >= 0 AND n_no_face >= 0 AND n_camera_off >= 0 AND "
            "n_unreadable >= 0 AND n_opted_out >= 0",
            name=op.f("ck_intervals_states"),
        ),
        sa.CheckConstraint(
            "not_observed IS NULL OR tiles = 0", name=op.f("ck_intervals_nothing_where_not_observed")
        ),
        sa.CheckConstraint("seconds > 0", name=op.f("ck_intervals_seconds")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_intervals_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intervals")),
    )
    op.create_index("ix_intervals_session_id_id", "intervals", ["session_id", "id"], unique=False)

    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 2000", name=op.f("ck_notes_text")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_notes_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_session_id", "notes", ["session_id"], unique=False)

    op.create_table(
        "seats",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_seats_name")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seats_number")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_seats_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "number", name=op.f("pk_seats")),
    )
    op.create_table(
        "readings",
        sa.Column("interval_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("angry", sa.REAL(), nullable=True),
        sa.Column("disgust", sa.REAL(), nullable=True),
        sa.Column("fear", sa.REAL(), nullable=True),
        sa.Column("happy", sa.REAL(), nullable=True),
        sa.Column("sad", sa.REAL(), nullable=True),
        sa.Column("surprise", sa.REAL(), nullable=True),
        sa.Column("neutral", sa.REAL(), nullable=True),
        sa.Column("yaw", sa.REAL(), nullable=True),
        sa.Column("pitch", sa.REAL(), nullable=True),
        sa.Column("quality", sa.REAL(), nullable=False),
        sa.CheckConstraint(
            "angry IS NULL OR state = 'seen'", name=op.f("ck_readings_probabilities_only_where_seen")
        ),
        sa.CheckConstraint(
            "state IN ('seen', 'turned_away', 'no_face', 'camera_off', 'unreadable', 'opted_out')",
            name=op.f("ck_readings_state"),
        ),
        sa.CheckConstraint(
            "(angry IS NULL) = (disgust IS NULL) AND (angry IS NULL) = (fear IS NULL) AND (angry IS "
            "NULL) = (happy IS NULL) AND (angry IS NULL) = (sad IS NULL) AND (angry IS NULL) = "
            "(surprise IS NULL) AND (angry IS NULL) = (neutral IS NULL)",
            name=op.f("ck_readings_probabilities_all_or_none"),
        ),
        sa.CheckConstraint(
            "ABS(angry + disgust + fear + happy + sad + surprise + neutral - 1) <= 0.0011",
            name=op.f("ck_readings_probabilities_sum_to_1"),
        ),
        sa.CheckConstraint(
            "angry BETWEEN 0 AND 1 AND disgust BETWEEN 0 AND 1 AND fear BETWEEN 0 AND 1 AND happy "
            "BETWEEN 0 AND 1 AND sad BETWEEN 0 AND 1 AND surprise BETWEEN 0 AND 1 AND neutral "
            "BETWEEN 0 AND 1",
            name=op.f("ck_readings_probabilities"),
        ),
        sa.CheckConstraint("quality BETWEEN 0 AND 1", name=op.f("ck_readings_quality")),
        sa.CheckConstraint('seat >= 1 AND "position" >= 0', name=op.f("ck_readings_place")),
        sa.ForeignKeyConstraint(
            ["interval_id"],
            ["intervals.id"],
            name=op.f("fk_readings_interval_id_intervals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("interval_id", "seat", name=op.f("pk_readings")),
        sqlite_with_rowid=False,
    )
