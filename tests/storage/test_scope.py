"""A teacher's account reaches the rows of its classes and no others, whatever query asks for them."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import (
    Engine,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from engagement.errors import ClasspulseError
from engagement.records import Consent, EpisodeMark, NoteKind, OfferAnswer
from storage import history, notes, queries, seat_offers, students, traces, trend_queries
from storage.accounts import accounts, add_account, remove_account
from storage.audit import AuditAction, audit, audit_entries
from storage.class_seats import read_class_seats
from storage.database import reading, writing
from storage.errors import OutOfScopeError, UnknownSessionError, UnknownStudentError
from storage.marks import mark_episodes
from storage.pause import pause
from storage.recorder import NewSession, Recorder
from storage.requests import read_requests
from storage.retention import erase_session, erase_student
from storage.schema import (
    AccountTable,
    AuditTable,
    Base,
    ClassListTable,
    EpisodeTable,
    IntervalTable,
    NoteTable,
    ReadingTable,
    Role,
    SeatOfferTable,
    SeatTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)
from storage.scope import OWNER, Scope, current_scope, restricted
from storage.stop import request_stop

from .conftest import START, make_record

OURS, THEIRS = "Physics 3B", "Latin 7a"
SCOPE = Scope("Ms Ours", frozenset({OURS}), 7)


class Two:
    """A database with one class that is ours and one that is not, alike in all but their names."""

    def __init__(self, engine: Engine, new_session: Callable[..., NewSession]) -> None:
        self.engine = engine
        self.session: dict[str, int] = {}
        self.student: dict[str, int] = {}
        self.note: dict[str, int] = {}
        recorder = Recorder(engine)
        for name in (OURS, THEIRS):
            number = recorder.open_session(new_session(name=name))
            for index in range(3):
                recorder.commit(make_record(number, index))
            recorder.close_session(number, START + timedelta(minutes=1))
            self.session[name] = number
            self.note[name] = notes.add_note(engine, number, START, f"note of {name}", NoteKind.TOPIC)
            self.student[name] = students.add_student(engine, name, f"Student of {name}")
            students.match_label(engine, name, f"Label of {name}", self.student[name])


@pytest.fixture
def two(engine: Engine, new_session: Callable[..., NewSession]) -> Two:
    return Two(engine, new_session)


def dump(engine: Engine) -> dict[str, list[Any]]:
    """Every row of every table."""
    with reading(engine) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_each_table_has_a_rule_or_is_closed() -> None:
    closed = {"accounts", "account_classes", "logins", "used_links", "audit_log", "erasings"}
    # a new table: say in `OWNER` whose its rows are, or here that no teacher's account reads it
    assert {table.__tablename__ for table in OWNER} | closed == set(Base.metadata.tables)


def test_what_has_no_rule_is_refused(sqlite_engine: Engine) -> None:
    bare = NoteTable.__table__
    refused = [
        select(AccountTable.id),
        select(func.count()).select_from(AccountTable),
        select(NoteTable.id).where(NoteTable.id.in_(select(AccountTable.id))),
        select(bare),
        select(bare.c.id),
        select(func.count()).select_from(bare),
        select(func.count()).where(bare.c.id == EpisodeTable.id),
        select(union_all(select(NoteTable.id), select(SessionTable.id)).subquery().c.id),
        select(NoteTable.id).join(SessionTable.__table__, SessionTable.id == NoteTable.session_id),
        union_all(select(NoteTable.id), select(SessionTable.id)),
        text("SELECT * FROM notes"),
        select(text("*")).select_from(text("notes")),
        update(bare).values(text="x"),
        delete(bare),
        delete(AccountTable),
        insert(AccountTable).values(name="x"),
        insert(ReadingTable).values(interval_id=1, seat=1),
        insert(NoteTable).values([{"session_id": 1}, {"session_id": 1}]),
        insert(NoteTable).from_select(["session_id"], select(SessionTable.id)),
        insert(NoteTable).values(text="whose?"),
        # SQL as text between the words of a statement
        select(NoteTable.id).prefix_with("DISTINCT"),
        select(NoteTable.id).suffix_with("UNION SELECT id FROM notes"),
        select(literal_column("(SELECT text FROM notes LIMIT 1)")).select_from(NoteTable),
        insert(NoteTable).values(session_id=1, text="x").prefix_with("OR REPLACE"),
        # what a query finds, written into a row of one's own
        update(NoteTable).values(text=select(bare.c.text).where(bare.c.id == 2).scalar_subquery()),
        insert(NoteTable).values(session_id=1, text=select(bare.c.text).scalar_subquery()),
        update(NoteTable).values(session_id=NoteTable.session_id + 1),
        insert(NoteTable).values(session_id=literal(1) + 1, text="x"),
    ]
    for statement in refused:
        with pytest.raises(OutOfScopeError), restricted(SCOPE), writing(sqlite_engine) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def test_every_shape_of_a_query_is_narrowed(two: Two) -> None:
    per_session = (
        select(NoteTable.session_id, func.count().label("n")).group_by(NoteTable.session_id).subquery()
    )
    other = aliased(SessionTable)
    cte = select(IntervalTable.session_id).cte()
    shapes = {
        "plain": (select(SessionTable.id), 1),
        "aggregate": (select(func.count()).select_from(IntervalTable), None),
        "subquery": (select(per_session.c.session_id), 1),
        "outer join": (
            select(SessionTable.id, per_session.c.n).outerjoin(
                per_session, per_session.c.session_id == SessionTable.id
            ),
            1,
        ),
        "alias": (select(other.id), 1),
        "cte": (select(cte.c.session_id).distinct(), 1),
        "readings": (select(ReadingTable.interval_id).distinct(), 3),
        "scalar": (select(select(func.count()).select_from(NoteTable).scalar_subquery()), None),
        "where": (select(NoteTable.id).where(NoteTable.session_id == SessionTable.id), 1),
        "exists": (select(SessionTable.id).where(exists().where(other.id == SessionTable.id)), 1),
        "in": (select(NoteTable.id).where(NoteTable.session_id.in_(select(SessionTable.id))), 1),
    }
    for name, (query, rows) in shapes.items():
        with reading(two.engine) as connection:
            every = connection.execute(query).all()
        with restricted(SCOPE), reading(two.engine) as connection:
            own = connection.execute(query).all()
        if rows is None:
            assert own[0][0] * 2 == every[0][0] > 0, name
        else:
            assert (len(own), len(every)) == (rows, 2 * rows), name
            if "session" in str(query.selected_columns[0]):
                assert {row[0] for row in own} == {two.session[OURS]}, name


def test_reading_shows_nothing_of_another_class(two: Two) -> None:
    engine, theirs, student = two.engine, two.session[THEIRS], two.student[THEIRS]
    with restricted(SCOPE):
        assert list(queries.sessions(engine)["name"]) == [OURS]
        assert queries.find_session(engine, "last").name == OURS
        assert [row.name for row in trend_queries.classes(engine)] == [OURS]
        assert students.class_names(engine) == [OURS]
        assert not trend_queries.class_sessions(engine, THEIRS)
        assert not trend_queries.lesson_minutes(engine, theirs)
        for table in (
            queries.intervals_since(engine, theirs),
            queries.readings_since(engine, theirs),
            queries.seats(engine, theirs),
            queries.episodes(engine, theirs),
            queries.notes(engine, theirs),
            queries.seat_offers(engine, theirs),
        ):
            assert table.empty
        assert queries.heartbeat(engine, theirs) is None
        assert queries.last_interval(engine, theirs) is None
        assert students.read_class_list(engine, THEIRS) is None
        assert notes.recent_topics(engine, (), 9) == [f"note of {OURS}"]
        assert not seat_offers.open_offers(engine, THEIRS)
        assert not list(history.past_intervals(engine, theirs))
        assert not history.past_seats(engine, theirs)
        assert not read_class_seats(engine, THEIRS)
        assert not seat_offers.merged_seats(engine, theirs)
        for ref in (str(theirs), THEIRS):
            with pytest.raises(UnknownSessionError):
                queries.find_session(engine, ref)
        with pytest.raises(UnknownSessionError):
            read_requests(engine, theirs)
        for ask in (students.read_student, traces.traces, traces.export_student):
            with pytest.raises(UnknownStudentError):
                ask(engine, student)
    assert list(queries.sessions(engine)["name"]) == [THEIRS, OURS]


def test_nothing_is_changed_in_another_class(two: Two) -> None:
    engine, theirs, student = two.engine, two.session[THEIRS], two.student[THEIRS]
    now = START + timedelta(hours=1)
    before = dump(engine)
    changes: list[Callable[[], object]] = [
        lambda: erase_session(engine, theirs),
        lambda: erase_student(engine, student),
        lambda: notes.add_note(engine, theirs, now, "ours?"),
        lambda: notes.edit_note(engine, two.note[THEIRS], "ours?", now),
        lambda: notes.delete_note(engine, two.note[THEIRS]),
        lambda: pause(engine, theirs, paused=True),
        lambda: request_stop(engine, theirs),
        lambda: mark_episodes(engine, theirs, [1, 2, 3], EpisodeMark.SEEN, now),
        lambda: students.add_student(engine, THEIRS, "Somebody"),
        lambda: students.ensure_class_list(engine, "A new class"),
        lambda: students.set_consent(engine, student, Consent.REFUSED, None, now),
        lambda: students.match_label(engine, THEIRS, "Label", None),
        lambda: students.match_label(engine, OURS, "Label", student),
        lambda: students.unmatch_label(engine, THEIRS, f"Label of {THEIRS}"),
        lambda: seat_offers.answer_offer(engine, theirs, 2, 1, OfferAnswer.DIFFERENT),
    ]
    with restricted(SCOPE):
        for change in changes:
            try:
                change()
            except ClasspulseError:
                continue
    assert dump(engine) == before
    # the same acts are no dead letters
    erase_session(engine, theirs)
    erase_student(engine, student)
    assert dump(engine) != before


def test_rows_cannot_be_given_away(two: Two) -> None:
    engine = two.engine
    for statement in (
        update(SessionTable).where(SessionTable.id == two.session[OURS]).values(name=THEIRS),
        update(StudentTable).values(class_name=THEIRS),
        update(NoteTable).values(session_id=two.session[THEIRS]),
        insert(ClassListTable).values(name="New", only_agreed=False),
    ):
        with pytest.raises(OutOfScopeError), restricted(SCOPE), writing(engine) as connection:
            connection.execute(statement)
    with restricted(SCOPE), writing(engine) as connection:
        done = connection.execute(update(NoteTable).values(text="mine")).rowcount
        gone = connection.execute(delete(EpisodeTable)).rowcount
        assert not connection.execute(select(SeatOfferTable.seat)).all()
        assert {row.session_id for row in connection.execute(select(SeatTable.session_id))} <= {
            two.session[OURS]
        }
    assert done == 1
    assert gone >= 0
    assert list(queries.notes(engine, two.session[THEIRS])["text"]) == [f"note of {THEIRS}"]


def test_own_rows_can_be_changed(two: Two) -> None:
    engine, now = two.engine, START + timedelta(hours=1)
    with restricted(SCOPE):
        added = notes.add_note(engine, two.session[OURS], now, "mine")
        notes.edit_note(engine, added, "mine indeed", now)
        students.add_student(engine, OURS, "A new one")
        erase_student(engine, two.student[OURS])
        erase_session(engine, two.session[OURS])
        assert queries.sessions(engine).empty


def test_of_the_audit_log_one_sees_what_one_did(two: Two) -> None:
    audit(two.engine, AuditAction.SESSION_KEPT, "Somebody", 1)
    with restricted(SCOPE):
        audit(two.engine, AuditAction.SESSION_EXPORTED, SCOPE.actor, 2)
        assert {entry.actor for entry in audit_entries(two.engine)} == {SCOPE.actor}
        with writing(two.engine) as connection:
            connection.execute(delete(AuditTable).where(AuditTable.subject == 1))
    assert {"Somebody", SCOPE.actor} <= {entry.actor for entry in audit_entries(two.engine)}


def test_who_got_the_name_of_one_that_was_removed_sees_nothing_of_theirs(two: Two) -> None:
    def make() -> Scope:
        made = add_account(two.engine, "Ms Ours", Role.TEACHER, "hash", [OURS], actor="test")
        return Scope(made.name, frozenset(made.classes), made.id)

    def seen_by(scope: Scope) -> list[tuple[str, int | None]]:
        with restricted(scope):
            return [(str(entry.action), entry.account_id) for entry in audit_entries(two.engine)]

    first = make()
    with restricted(first):
        audit(two.engine, AuditAction.SESSION_EXPORTED, "page", two.session[OURS])
    # the door writes before anybody is in; the number of a session may be that of the account
    audit(two.engine, AuditAction.LOGIN_FAILED, first.actor, first.account_id)
    audit(two.engine, AuditAction.SESSION_KEPT, "this computer", first.account_id, kept=True)
    mine = [("login_failed", None), ("session_exported", first.account_id)]
    assert seen_by(first) == mine
    remove_account(two.engine, "Ms Ours", actor="test")
    second = make()
    assert second.actor == first.actor
    assert seen_by(second) == []
    assert seen_by(replace(second, account_id=None)) == []
    assert seen_by(first) == mine


def test_a_row_that_stands_in_the_way_is_changed_only_where_it_is_ours(two: Two) -> None:
    """INSERT ... ON CONFLICT DO UPDATE changes a row that nobody has asked whose it is."""
    make = sqlite.insert if two.engine.dialect.name == "sqlite" else postgresql.insert
    theirs, label = two.note[THEIRS], StudentLabelTable
    note = make(NoteTable).values(
        id=theirs, session_id=two.session[OURS], at=START, text="taken", kind="note"
    )
    named = make(label).values(class_name=OURS, label="Label of us", student_id=None)
    both = ["class_name", "label"]
    refused = [
        note.on_conflict_do_update(index_elements=["id"], set_={"text": "changed"}),
        note.on_conflict_do_update(index_elements=[NoteTable.id], set_={NoteTable.text: "changed"}),
        note.on_conflict_do_update(
            index_elements=["id"], set_={"session_id": two.session[OURS], "text": "changed"}
        ),
        note.on_conflict_do_update(index_elements=["id"], set_={"text": note.excluded.text}),
        make(SessionTable)
        .values(id=two.session[THEIRS], name=OURS)
        .on_conflict_do_update(index_elements=["id"], set_={"name": OURS}),
        make(StudentTable)
        .values(id=two.student[THEIRS], class_name=OURS, name="Ada", consent="unknown")
        .on_conflict_do_update(index_elements=["id"], set_={"class_name": OURS, "name": "taken"}),
        named.on_conflict_do_update(index_elements=both, set_={"class_name": THEIRS}),
        named.on_conflict_do_update(
            index_elements=both,
            set_={
                "label": select(StudentTable.name).where(StudentTable.class_name == THEIRS).scalar_subquery()
            },
        ),
        named.on_conflict_do_update(
            index_elements=both,
            set_={"student_id": None},
            where=exists().where(StudentTable.class_name == THEIRS),
        ),
    ]
    if two.engine.dialect.name == "postgresql":
        refused.append(note.on_conflict_do_update(constraint="notes_pkey", set_={"text": "changed"}))
    before = dump(two.engine)
    with restricted(SCOPE):
        for statement in refused:
            with pytest.raises(OutOfScopeError), writing(two.engine) as connection:
                connection.execute(statement)
        # of two that are alike but for their class only ours is changed, and nothing is done where one stands
        students.match_label(two.engine, OURS, f"Label of {OURS}", None)
        with writing(two.engine) as connection:
            connection.execute(note.on_conflict_do_nothing())
    after = dump(two.engine)
    changed = {name for name, rows in after.items() if rows != before[name]}
    assert changed == {"student_labels"}
    assert [row for row in before["student_labels"] if THEIRS in row] == [
        row for row in after["student_labels"] if THEIRS in row
    ]


def test_scopes_that_take_turns_do_not_mix(two: Two) -> None:
    # SQLAlchemy keeps the words of a statement: its values must be those of whoever asks now
    for wanted in ([OURS], [THEIRS], [OURS], [], [OURS, THEIRS], [THEIRS]):
        with restricted(Scope("Somebody", frozenset(wanted))):
            assert set(queries.sessions(two.engine)["name"]) == set(wanted)
            assert len(notes.recent_topics(two.engine, (), 9)) == len(wanted)
            assert len(students.class_names(two.engine)) == len(wanted)


def test_no_class_is_no_row(two: Two) -> None:
    with restricted(Scope("Nobody", frozenset())):
        assert queries.sessions(two.engine).empty
        assert not students.class_names(two.engine)


def test_an_admin_and_the_agent_are_not_bound(two: Two) -> None:
    with restricted(Scope("Admin", None)):
        assert len(queries.sessions(two.engine)) == 2
        add_account(two.engine, "Somebody", Role.TEACHER, "hash", [OURS], actor="test")
        assert len(accounts(two.engine)) == 1
    seen: list[Any] = []
    with restricted(SCOPE):
        # what a request starts for something longer, such as an agent's supervisor, serves everybody
        thread = threading.Thread(target=lambda: seen.append(current_scope()))
        thread.start()
        thread.join()
    assert seen == [None]
    assert current_scope() is None
