"""Class lists with consent, and what the teacher answers: to offers, to cards, to a running session."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None

_CONSENT: Final = "consent IN ('agreed', 'refused', 'unknown')"
_ANSWER: Final = "answer IN ('same', 'different')"
_MARK: Final = "mark IN ('seen', 'not_now')"
_KIND: Final = "kind IN ('note', 'topic')"


def upgrade() -> None:
    op.create_table(
        "class_lists",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("only_agreed", sa.Boolean(), nullable=False),
        sa.Column("own_label", sa.Text(), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_class_lists_name")),
        sa.CheckConstraint("length(own_label) BETWEEN 1 AND 64", name=op.f("ck_class_lists_own_label")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_class_lists")),
    )
    op.create_table(
        "students",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_source", sa.Text(), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_students_name")),
        sa.CheckConstraint(_CONSENT, name=op.f("ck_students_consent")),
        sa.CheckConstraint(
            "length(consent_source) BETWEEN 1 AND 200", name=op.f("ck_students_consent_source")
        ),
        sa.ForeignKeyConstraint(
            ["class_name"],
            ["class_lists.name"],
            name=op.f("fk_students_class_name_class_lists"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_students_class_name"), "students", ["class_name"], unique=False)
    op.create_table(
        "student_labels",
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 64", name=op.f("ck_student_labels_label")),
        sa.ForeignKeyConstraint(
            ["class_name"],
            ["class_lists.name"],
            name=op.f("fk_student_labels_class_name_class_lists"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["students.id"],
            name=op.f("fk_student_labels_student_id_students"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("class_name", "label", name=op.f("pk_student_labels")),
    )
    for table, column in (
        ("sessions", "stop_requested_at"),
        ("seat_offers", "answered_at"),
        ("episodes", "marked_at"),
        ("notes", "edited_at"),
    ):
        op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("seats") as seats:
        seats.add_column(sa.Column("student_id", sa.Integer(), nullable=True))
        seats.create_foreign_key(
            op.f("fk_seats_student_id_students"), "students", ["student_id"], ["id"], ondelete="SET NULL"
        )
    # each with its CHECK in the same statement, which is how SQLite takes one
    for table, column, default, check in (
        ("seat_offers", "answer", "", _ANSWER),
        ("episodes", "mark", "", _MARK),
        ("notes", "kind", " DEFAULT 'note' NOT NULL", _KIND),
    ):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} TEXT{default} CONSTRAINT ck_{table}_{column} CHECK ({check})"
        )
