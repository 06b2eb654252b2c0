"""What is erased is found in no byte that classpulse wrote."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, delete, insert, select, update

from capture.agent import roll_of
from engagement.consent import Look
from engagement.records import (
    Consent,
    Episode,
    IntervalRecord,
    Label,
    Mode,
    OfferAnswer,
    OfferReason,
    Rule,
    Seat,
    SeatOffer,
)
from storage import queries, retention, students
from storage.audit import AuditAction, audit_entries
from storage.calibrations import keep_bias
from storage.database import open_database, reading, writing
from storage.errors import (
    DatabaseLockedError,
    SessionBusyError,
    StorageError,
    UnknownSessionError,
    UnknownStudentError,
)
from storage.mentions import whole_words
from storage.migrate import alembic_config, migrate, script_folder
from storage.notes import add_note
from storage.recorder import NewSession, Recorder
from storage.retention import erase_student, purge, set_kept
from storage.schema import Condition, EpisodeTable, ErasingTable, HeartbeatTable, SessionTable
from storage.scope import Scope, restricted
from storage.traces import export_student, traces

MakeSession = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
SECRETS = ("Wilhelmina", "fingerprint-of-hers", "She left early", "Confidential lesson")


def fill(engine: Engine, new_session: MakeSession, record: MakeRecord) -> int:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(name=SECRETS[3]))
    others = record(session_id).seats[1:]
    for index in range(30):
        recorder.commit(record(session_id, index, seats=(Seat(1, SECRETS[0], SECRETS[1]), *others)))
    add_note(engine, session_id, new_session().started_at, SECRETS[2])
    return session_id


def found(folder: Path) -> set[tuple[str, str]]:
    return {
        (secret, path.name)
        for path in folder.iterdir()
        for secret in SECRETS
        if secret.encode() in path.read_bytes() or secret.encode("utf-16-le") in path.read_bytes()
    }


def test_an_erased_session_is_in_no_byte_of_the_folder(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, tmp_path: Path
) -> None:
    folder = Path(str(sqlite_engine.url.database)).parent
    recorder = Recorder(sqlite_engine)
    kept = recorder.open_session(new_session(name="Kept"))
    recorder.commit(record(kept))
    session_id = fill(sqlite_engine, new_session, record)
    recorder.close_session(session_id, new_session().started_at + timedelta(minutes=1))
    scripts = tmp_path / "scripts"
    shutil.copytree(script_folder(), scripts)
    head = ScriptDirectory.from_config(alembic_config(script_folder())).get_current_head()
    (scripts / "versions" / "9999_later.py").write_text(
        f'revision = "9999"\ndown_revision = "{head}"\nbranch_labels = depends_on = None\n\n\n'
        "def upgrade():\n    pass\n"
    )
    assert migrate(sqlite_engine, scripts) is not None
    names = {name for _, name in found(folder)}
    assert any("backup" in name for name in names)
    assert len({secret for secret, _ in found(folder)}) == len(SECRETS)

    queries.erase_session(sqlite_engine, session_id)

    assert found(folder) == set()
    assert len(queries.readings_since(sqlite_engine, kept)) == 3
    assert len(queries.readings_since(sqlite_engine, session_id)) == 0


def test_the_number_of_an_erased_session_is_never_given_again(
    engine: Engine, new_session: MakeSession
) -> None:
    recorder = Recorder(engine)
    first = recorder.open_session(new_session())
    recorder.close_session(first, new_session().started_at)
    queries.erase_session(engine, first)
    assert recorder.open_session(new_session()) > first
    with pytest.raises(UnknownSessionError, match=f"no session {first}"):
        queries.erase_session(engine, first)


def test_a_session_that_runs_is_not_erased(engine: Engine, session_id: int) -> None:
    with pytest.raises(SessionBusyError, match="still open, held by classpulse watch"):
        queries.erase_session(engine, session_id)
    assert queries.find_session(engine, "last").id == session_id


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = fill(sqlite_engine, new_session, record)
    Recorder(sqlite_engine).close_session(session_id, new_session().started_at)
    monkeypatch.setattr("storage.database.BUSY_SECONDS", 0.2)
    impatient = open_database(f"sqlite:///{sqlite_engine.url.database}")
    with sqlite_engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM readings").scalar()
        with pytest.raises(DatabaseLockedError, match="was erased, but another program reads"):
            queries.erase_session(impatient, session_id)
    impatient.dispose()
    assert queries.sessions(sqlite_engine).empty


def test_what_a_reader_kept_from_being_overwritten_is_overwritten_later(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(str(sqlite_engine.url.database)).parent
    session_id = fill(sqlite_engine, new_session, record)
    Recorder(sqlite_engine).close_session(session_id, START)
    copy = folder / "classpulse.db.backup-20260101T000000000000Z-0002"
    copy.write_bytes(SECRETS[0].encode())
    monkeypatch.setattr("storage.database.BUSY_SECONDS", 0.2)
    impatient = open_database(f"sqlite:///{sqlite_engine.url.database}")
    later = datetime.now(UTC) + 30 * DAY
    with sqlite_engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM readings").scalar()
        with pytest.raises(DatabaseLockedError, match=r"another program reads.*tries it again"):
            purge(impatient, 30, later)
        # nobody else had the copy open
        assert not copy.exists()
        with pytest.raises(DatabaseLockedError, match=r"another program reads"):
            purge(impatient, 30, later)
    assert found(folder)
    assert purge(impatient, 30, later) == []
    assert found(folder) == set()
    with reading(impatient) as connection:
        assert connection.scalars(select(ErasingTable.id)).all() == []
    # nothing is due any more: the tables are not written anew every hour
    monkeypatch.setattr(retention, "_write_anew", None)
    assert purge(impatient, 30, later) == []
    impatient.dispose()


def test_what_somebody_was_killed_over_is_overwritten_later(
    engine: Engine, new_session: MakeSession, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = fill(engine, new_session, record)
    Recorder(engine).close_session(session_id, START)
    with monkeypatch.context() as killed:
        killed.setattr(retention, "_leave_no_bytes", lambda _engine: None)
        queries.erase_session(engine, session_id)
    tidied: list[Engine] = []
    tidy = retention._leave_no_bytes
    monkeypatch.setattr(retention, "_leave_no_bytes", lambda one: (tidied.append(one), tidy(one)))
    assert purge(engine, 30, datetime.now(UTC)) == []
    assert purge(engine, 30, datetime.now(UTC)) == []
    assert tidied == [engine]


def test_a_copy_that_cannot_be_removed_is_told_and_tried_again(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    folder = Path(str(sqlite_engine.url.database)).parent
    session_id = fill(sqlite_engine, new_session, record)
    Recorder(sqlite_engine).close_session(session_id, START)
    # a folder is no file, for root too
    (folder / "classpulse.db.backup-20260101T000000000000Z-0002").mkdir()
    with pytest.raises(StorageError, match=r"the copy .*backup.* could not be removed: remove it"):
        queries.erase_session(sqlite_engine, session_id)
    (folder / "classpulse.db.backup-20260101T000000000000Z-0002").rmdir()
    assert found(folder) == set()
    assert purge(sqlite_engine, 30, datetime.now(UTC)) == []
    with reading(sqlite_engine) as connection:
        assert connection.scalars(select(ErasingTable.id)).all() == []


NAME = "Wilhelmina Becker-Õun"
CLASS = "Physics 3B"
BIAS = np.array([0.7391, -0.7391, 0, 0, 0, 0, 0], np.float32)


def lessons(engine: Engine, new_session: MakeSession, record: MakeRecord) -> list[int]:
    """Three sessions: under her name, a short form matched by hand, and two seats that were said to be one."""
    recorder = Recorder(engine)
    made = []
    for number, label in enumerate((NAME, "willi on tablet", NAME.upper())):
        session_id = recorder.open_session(new_session(source=f"window of {label}"))
        recorder.say_condition(Condition.RESTARTING, f"The window of {label} was closed.", START)
        about_her = Episode(Rule.ABSENT, 2, f"Looks like {NAME}", START, None, {"who": [NAME, "Ada"], "n": 2})
        hers = Episode(Rule.TURNED_AWAY, 1, f"{label} turned away", START, None, {"share": 0.8})
        for index in range(40):
            others = tuple(Seat(n, f"Classmate {n} {index % 7}", f"p{n}-{index}") for n in (2, 3))
            first = replace(record(session_id).readings[0], seat=1 if index < 20 or number != 2 else 4)
            recorder.commit(
                record(
                    session_id,
                    index,
                    seats=(Seat(first.seat, label, "fingerprint-of-hers"), *others),
                    readings=(first, *record(session_id).readings[1:]),
                    episodes=(about_her, hers),
                    offers=(SeatOffer(4, 1, OfferReason.RENAMED),) if first.seat == 4 else (),
                )
            )
        recorder.close_session(session_id, START + timedelta(minutes=2))
        made.append(session_id)
    return made


def bytes_of_hers(folder: Path) -> set[tuple[str, str]]:
    return {
        (secret, path.name)
        for path in folder.iterdir()
        for secret in (
            "Wilhelmina",
            "WILHELMINA",
            "willi on tablet",
            "fingerprint-of-hers",
            "Becker",
            "Helmina B",
            "0.7391",
        )
        if secret.encode() in path.read_bytes()
    }


def test_an_erased_student_is_in_no_byte_of_the_folder(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    engine, folder = sqlite_engine, Path(str(sqlite_engine.url.database)).parent
    made = lessons(engine, new_session, record)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(bytes_of_hers(folder)) == 5  # in the file itself, not only in its log
    others = [students.add_student(engine, CLASS, f"Classmate {n}") for n in range(40)]
    her = students.add_student(engine, CLASS, "Helmina B")
    students.rename_student(engine, her, NAME)
    students.set_consent(engine, her, Consent.AGREED, f"letter of {NAME}", START)
    students.set_consent(engine, others[0], Consent.AGREED, f"letter with {NAME}", START)
    students.update_class_list(engine, CLASS, own_label=NAME.upper())
    students.match_label(engine, CLASS, "willi on tablet", her)
    students.answer_offer(engine, made[2], 4, 1, OfferAnswer.SAME)
    keep_bias(engine, her, BIAS, START)
    assert "0.7391" in {secret for secret, _ in bytes_of_hers(folder)}
    (folder / "classpulse.db.backup-20260101T000000000000Z-0002").write_bytes(NAME.encode())

    erase_student(engine, her)

    assert bytes_of_hers(folder) == set()
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert [one.id for one in kept.students] == sorted(others, key=lambda one: str(others.index(one)))
    for session_id in made:
        assert set(queries.readings_since(engine, session_id)["seat"]) == {2, 3}
        assert len(queries.intervals_since(engine, session_id)) == 40
        episodes = queries.episodes(engine, session_id)
        assert episodes["reason"].tolist() == ["Looks like a student"]
        assert episodes["evidence"].tolist() == [{"who": ["a student", "Ada"], "n": 2}]
        assert queries.seat_offers(engine, session_id).empty
    with pytest.raises(UnknownStudentError, match=f"no student {her}"):
        erase_student(engine, her)


def test_a_name_in_other_texts_of_the_class_is_told_exported_and_erased(
    engine: Engine, new_session: MakeSession
) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(source=f'window "{NAME}\'s Zoom Meeting"'))
    recorder.say_condition(Condition.STOPPED, f'The window "{NAME.upper()}" is minimised', START)
    recorder.close_session(session_id, START + timedelta(minutes=2))
    elsewhere = recorder.open_session(new_session(name="Algebra", source=f"window {NAME}"))
    al, ben = students.add_student(engine, CLASS, "Al"), students.add_student(engine, CLASS, "Ben")
    her = students.add_student(engine, CLASS, NAME)
    told_by = f"told by {NAME}, Al, Al and Al, {'x' * 200}"
    students.set_consent(engine, ben, Consent.REFUSED, told_by, START)
    students.set_consent(engine, her, Consent.REFUSED, f"{NAME} herself", START)
    students.update_class_list(engine, CLASS, own_label=f"{NAME} (iPad)")

    told = traces(engine, her)
    assert [one.where for one in told.mentions] == [
        f"what was watched in session {session_id}",
        f"why session {session_id} broke off",
        "where the answer of Ben stands",
        f"the label of your own tile, {NAME} (iPad)",
    ]
    exported = json.loads(export_student(engine, her))["mentions"]
    assert [one["text"] for one in exported] == [
        f'window "{NAME}\'s Zoom Meeting"',
        f'The window "{NAME.upper()}" is minimised',
    ]
    # somebody who is erased later, with a name that is shorter than what stands there then
    for student in (her, al):
        erase_student(engine, student)
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert kept.own_label is None
    by_id = {one.id: one.consent_source for one in kept.students}
    anonymous = f"told by {', '.join(['a student'] * 3)} and a student, {'x' * 200}"
    assert by_id == {ben: anonymous[:200], her: f"{NAME} herself"}
    rows = queries.sessions(engine).set_index("id")
    assert rows.loc[session_id, "source"] == 'window "a student\'s Zoom Meeting"'
    assert rows.loc[elsewhere, "source"] == f"window {NAME}"
    with engine.connect() as connection:
        reason = connection.execute(select(HeartbeatTable.reason)).scalar_one()
    assert reason == 'The window "a student" is minimised'


def looked_at(engine: Engine, *labels: str) -> list[Look]:
    """What the next lesson of the class does with tiles of these labels."""
    roll = roll_of(students.read_class_list(engine, CLASS), Mode.INDIVIDUAL)
    return list(roll.looks([Label("", label) for label in labels]))


@pytest.mark.parametrize("with_refusal", [False, True])
def test_the_refusal_of_one_who_is_erased_stays_unless_it_is_to_go_too(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, with_refusal: bool
) -> None:
    engine, folder = sqlite_engine, Path(str(sqlite_engine.url.database)).parent
    made = lessons(engine, new_session, record)
    her = students.add_student(engine, CLASS, NAME)
    students.add_student(engine, CLASS, "Classmate")
    students.match_label(engine, CLASS, "willi on tablet", her)
    students.answer_offer(engine, made[2], 4, 1, OfferAnswer.SAME)
    students.set_consent(engine, her, Consent.REFUSED, "letter", START)
    assert traces(engine, her).by_hand == ("willi on tablet",)

    assert erase_student(engine, her, with_refusal=with_refusal) is not with_refusal

    for session_id in made:
        assert set(queries.readings_since(engine, session_id)["seat"]) == {2, 3}
        assert queries.episodes(engine, session_id)["reason"].tolist() == ["Looks like a student"]
        assert queries.seat_offers(engine, session_id).empty
    looks = looked_at(engine, NAME, "willi on tablet")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    left = b"".join(path.read_bytes() for path in folder.iterdir())
    if with_refusal:
        assert bytes_of_hers(folder) == set()
        assert looks == [Look.READ, Look.READ]
        return
    # the name stands once, on the list, and the label that leads to it in its table and the index of that
    assert left.count(NAME.encode()) == 1
    assert left.count(b"willi on tablet") == 2
    assert b"WILHELMINA" not in left
    assert b"fingerprint-of-hers" not in left
    assert looks == [Look.OPTED_OUT, Look.OPTED_OUT]
    kept = students.read_student(engine, her)
    assert (kept.consent, kept.consent_source) == (Consent.REFUSED, "letter")
    assert (traces(engine, her).readings, traces(engine, her).episodes) == (0, 0)
    assert dict(audit_entries(engine)[0].detail) == {"refusal_kept": True}
    # what was kept may still go later
    assert erase_student(engine, her, with_refusal=True) is False
    assert bytes_of_hers(folder) == set()


def test_erasing_a_student_leaves_the_others_and_other_classes(
    engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    made = lessons(engine, new_session, record)
    elsewhere = Recorder(engine).open_session(new_session(name="Algebra"))
    Recorder(engine).commit(record(elsewhere, seats=(Seat(1, NAME, ""), *record(elsewhere).seats[1:])))
    her = students.add_student(engine, CLASS, NAME)
    add_note(engine, made[0], START, "becker left early")
    erase_student(engine, her)
    assert set(queries.readings_since(engine, made[0])["seat"]) == {2, 3}
    assert queries.seats(engine, made[1])["name"].tolist()[0] == "willi on tablet"
    assert queries.notes(engine, made[0])["text"].tolist() == ["becker left early"]
    assert queries.seats(engine, elsewhere)["name"].tolist()[0] == NAME


def test_a_student_whose_class_is_watched_is_not_erased(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    Recorder(engine).commit(record(session_id))
    ada = students.add_student(engine, CLASS, "Ada")
    with pytest.raises(SessionBusyError, match=r"still open.*stop it first, then erase Ada"):
        erase_student(engine, ada)
    assert students.read_student(engine, ada).name == "Ada"
    assert len(queries.readings_since(engine, session_id)) == 3


def test_what_is_kept_of_a_student_is_told_and_exported(
    engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    made = lessons(engine, new_session, record)
    her = students.add_student(engine, CLASS, NAME)
    students.set_consent(engine, her, Consent.AGREED, "letter", START)
    students.add_student(engine, "Algebra", NAME)
    add_note(engine, made[0], START, "Wilhelmina: left early")
    add_note(engine, made[0], START, "wilhelminas exercise")
    told = traces(engine, her)
    assert (told.labels, told.sessions, told.readings, told.episodes) == ((NAME,), 1, 40, 1)
    assert [note.text for note in told.notes] == ["Wilhelmina: left early"]
    assert told.other_classes == ("Algebra",)
    assert told.unsure == 2  # the third session has two seats of that name

    body = json.loads(export_student(engine, her))
    assert (body["class"], body["student"]["name"], body["student"]["consent"]) == (CLASS, NAME, "agreed")
    assert body["student"]["consent_at"] == START.isoformat()
    assert [one["id"] for one in body["sessions"]] == made[:1]
    (seat,) = body["sessions"][0]["seats"]
    assert len(seat["readings"]) == 40
    row = dict(zip(body["reading_columns"], seat["readings"][1], strict=True))
    assert (row["at"], row["state"], row["happy"], row["yaw"]) == (
        (START + timedelta(seconds=2)).isoformat(),
        "seen",
        0.7,
        3.5,
    )
    assert [one["reason"] for one in seat["episodes"]] == [f"{NAME} turned away"]
    assert "left early" not in json.dumps(body)
    students.match_label(engine, CLASS, "willi on tablet", her)
    students.answer_offer(engine, made[2], 4, 1, OfferAnswer.SAME)
    told = traces(engine, her)
    assert (told.sessions, told.readings, told.episodes, told.unsure) == (3, 120, 3, 0)


def test_rows_that_moved_leave_nothing_behind(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    engine, folder = sqlite_engine, Path(str(sqlite_engine.url.database)).parent
    last = students.add_student(engine, CLASS, "Last")
    session_id = Recorder(engine).open_session(new_session())
    Recorder(engine).close_session(session_id, START)
    random = np.random.default_rng(7)
    hers = [int(number) for number in random.permutation(400)[:380]]

    def texts(number: int, most: int) -> dict[str, Any]:
        name = f"Zq{number:03d}"
        evidence = {"who": name * int(random.integers(1, most))}
        return {"reason": f"{name}{'x' * int(random.integers(1, 200))}", "evidence": evidence}

    with writing(engine) as connection:
        rows = [
            {"session_id": session_id, "rule": "absent", "seat": n + 1, "started_at": START, **texts(n, 18)}
            for n in map(int, random.permutation(400))
        ]
        connection.execute(insert(EpisodeTable), rows)
        # as rows grow and shrink they move from page to page, and leave bytes where they were
        for n in (*map(int, random.permutation(400)), *map(int, random.permutation(400))):
            connection.execute(update(EpisodeTable).where(EpisodeTable.seat == n + 1).values(texts(n, 60)))
        for n in hers:
            connection.execute(delete(EpisodeTable).where(EpisodeTable.seat == n + 1))
    erase_student(engine, last)
    left = b"".join(path.read_bytes() for path in folder.iterdir())
    assert [n for n in hers if f"Zq{n:03d}".encode() in left] == []
    assert len(queries.episodes(engine, session_id)) == 20


def test_bytes_that_cannot_be_overwritten_are_told_and_nothing_else_is_lost(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = lessons(sqlite_engine, new_session, record)
    her = students.add_student(sqlite_engine, CLASS, NAME)
    monkeypatch.setattr(
        retention, "_ANEW", (*retention._ANEW[:2], "INSERT INTO {} SELECT * FROM temp.nothing")
    )
    with pytest.raises(StorageError, match=r"^It was erased, but old bytes"):
        erase_student(sqlite_engine, her)
    assert queries.seats(sqlite_engine, made[0])["seat"].tolist() == [2, 3]
    assert len(queries.episodes(sqlite_engine, made[1])) == 2
    monkeypatch.undo()
    erase_student(sqlite_engine, students.add_student(sqlite_engine, CLASS, "Anybody"))
    assert len(queries.episodes(sqlite_engine, made[1])) == 2


def made_at(engine: Engine, new_session: MakeSession, at: datetime, *, ended: bool = True) -> int:
    """A session that was opened then, by the clock on the wall; its lesson is of long ago, as that of a recording."""
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(name=f"Opened {at}"))
    if ended:
        recorder.close_session(session_id, START + timedelta(minutes=40))
    with writing(engine) as connection:
        connection.execute(update(SessionTable).where(SessionTable.id == session_id).values(opened_at=at))
    return session_id


def test_sessions_are_purged_at_the_boundary_unless_they_are_kept(
    engine: Engine, new_session: MakeSession
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    second = timedelta(seconds=1)
    due = made_at(engine, new_session, now - 30 * DAY)
    older = made_at(engine, new_session, now - 400 * DAY)
    young = made_at(engine, new_session, now - 30 * DAY + second)
    spared = made_at(engine, new_session, now - 31 * DAY)
    running = made_at(engine, new_session, now - 31 * DAY - second, ended=False)
    set_kept(engine, spared, kept=True)
    assert purge(engine, 30, now) == [due, older]
    assert sorted(queries.sessions(engine)["id"]) == [young, spared, running]
    assert purge(engine, 30, now) == []
    set_kept(engine, spared, kept=False, actor="command line")
    assert purge(engine, 30, now + second) == [young, spared]
    told = [(one.action, one.subject, dict(one.detail)) for one in reversed(audit_entries(engine))]
    assert [one for one in told if one[0] is not AuditAction.SESSION_STARTED] == [
        (AuditAction.SESSION_KEPT, spared, {"kept": True}),
        (AuditAction.SESSION_PURGED, due, {"after_days": 30}),
        (AuditAction.SESSION_PURGED, older, {"after_days": 30}),
        (AuditAction.SESSION_KEPT, spared, {"kept": False}),
        (AuditAction.SESSION_PURGED, young, {"after_days": 30}),
        (AuditAction.SESSION_PURGED, spared, {"after_days": 30}),
    ]
    with pytest.raises(UnknownSessionError):
        set_kept(engine, due, kept=True)


def test_a_short_name_is_no_common_word_and_a_long_one_is_found_in_any_capitals() -> None:
    found = whole_words({"Min", "Zebulon", "Ada B."})
    assert [bool(found.search(text)) for text in ("No face for 3 min", "Min's mail", "Minna")] == [
        False,
        True,
        False,
    ]
    assert all(found.search(text) for text in ("zebulon's mother", "ADA B. on tablet"))


def test_a_session_that_was_made_by_a_clock_that_was_ahead_goes_too(
    engine: Engine, new_session: MakeSession
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    far = made_at(engine, new_session, now + 3650 * DAY)
    near = made_at(engine, new_session, now + 20 * DAY)
    running = made_at(engine, new_session, now + 3651 * DAY, ended=False)
    due = made_at(engine, new_session, now - 31 * DAY)
    # a clock without a battery, or one that is behind, is no reason to take all that there is for old
    assert purge(engine, 30, datetime(1970, 1, 1, tzinfo=UTC)) == []
    assert purge(engine, 30, now - 100 * DAY) == []
    assert purge(engine, 30, now) == [due]
    assert purge(engine, 30, now + 29 * DAY) == []
    assert purge(engine, 30, now + 30 * DAY) == [far]
    assert purge(engine, 30, now + 50 * DAY) == [near]
    # an agent knows its session by when it was opened
    opened = queries.sessions(engine).set_index("id").loc[running, "opened_at"]
    assert opened == now + 3651 * DAY


def test_what_is_purged_is_in_no_byte_of_the_folder(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    folder = Path(str(sqlite_engine.url.database)).parent
    session_id = fill(sqlite_engine, new_session, record)
    Recorder(sqlite_engine).close_session(session_id, START + timedelta(minutes=1))
    assert found(folder)
    assert purge(sqlite_engine, 30, datetime.now(UTC) + 30 * DAY) == [session_id]
    assert found(folder) == set()
    keep_bias(sqlite_engine, students.add_student(sqlite_engine, CLASS, "Ada"), BIAS, START)
    assert bytes_of_hers(folder)
    assert purge(sqlite_engine, 30, START + 30 * DAY) == []
    assert bytes_of_hers(folder) == set()


def test_erasing_and_consenting_stand_in_the_log_without_a_name(
    engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    made = lessons(engine, new_session, record)
    rows = [students.NewStudent(NAME, Consent.AGREED), students.NewStudent("Ada", None)]
    students.import_students(engine, CLASS, rows, source="list.csv", at=START, actor="page")
    her = next(one.id for one in students.read_class_list(engine, CLASS).students if one.name == NAME)  # type: ignore[union-attr]
    students.set_consent(engine, her, Consent.REFUSED, "letter", START, actor="command line")
    erase_student(engine, her, actor="page")
    queries.erase_session(engine, made[0])
    told = [(one.actor, one.action, one.subject, dict(one.detail)) for one in audit_entries(engine)][:4]
    assert told == [
        ("this computer", AuditAction.SESSION_ERASED, made[0], {}),
        ("page", AuditAction.STUDENT_ERASED, her, {"refusal_kept": True}),
        ("command line", AuditAction.CONSENT_CHANGED, her, {"consent": "refused"}),
        ("page", AuditAction.CONSENT_CHANGED, her, {"consent": "agreed"}),
    ]
    # with an account it is the account, whatever the door
    with restricted(Scope("ms.lovelace", frozenset({CLASS}))):
        students.set_consent(engine, students.add_student(engine, CLASS, "Ben"), Consent.AGREED, None, None)
    assert audit_entries(engine)[0].actor == "ms.lovelace"


def postgres_bytes(engine: Engine) -> set[str]:
    """What of hers the files of the cluster hold; its write-ahead log has a test of its own."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
    files = [path for part in ("base", "global", "pg_stat") for path in (folder / part).rglob("*")]
    contents = [path.read_bytes().lower() for path in files if path.is_file()]
    secrets = ("wilhelmina", "willi on tablet", "fingerprint-of-hers", "becker")
    return {secret for secret in secrets for data in contents if secret.encode() in data}


def test_an_erased_student_is_in_no_table_file_of_postgresql(
    postgres_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    engine = postgres_engine
    made = lessons(engine, new_session, record)
    her = students.add_student(engine, CLASS, NAME)
    students.match_label(engine, CLASS, "willi on tablet", her)
    students.answer_offer(engine, made[2], 4, 1, OfferAnswer.SAME)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "ANALYZE"
        )  # as the server does by itself: nothing of hers may stay with the planner
    assert len(postgres_bytes(engine)) == 4
    erase_student(engine, her)
    assert postgres_bytes(engine) == set()
    assert len(queries.episodes(engine, made[0])) == 1


@pytest.fixture
def school(postgres_engine: Engine) -> Iterator[Engine]:
    """A database of its own on that server, of a role that may do nothing else there."""
    with postgres_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper:
        keeper.exec_driver_sql("CREATE ROLE school LOGIN")
        keeper.exec_driver_sql("CREATE DATABASE school OWNER school")
    made = open_database(
        postgres_engine.url.set(username="school", database="school").render_as_string(hide_password=False)
    )
    migrate(made)
    yield made
    made.dispose()
    with postgres_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper:
        keeper.exec_driver_sql("ALTER SYSTEM RESET wal_recycle")
        keeper.exec_driver_sql("SELECT pg_reload_conf()")
        keeper.exec_driver_sql("DROP DATABASE school")
        keeper.exec_driver_sql("DROP ROLE school")


def files_that_hold(folder: Path, *texts: str) -> set[str]:
    """The parts of a cluster (`base`, `pg_wal`, ...) in whose files one of the texts stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"base", "pg_wal", "global"} <= {path.relative_to(folder).parts[0] for path in files}
    return {
        path.relative_to(folder).parts[0]
        for path in files
        for contents in (path.read_bytes(),)
        if any(text.encode() in contents for text in texts)
    }


def test_the_log_of_postgresql_is_let_go_of_where_our_role_may_ask_for_it(
    postgres_engine: Engine, school: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    with postgres_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper:
        folder = Path(str(keeper.exec_driver_sql("SHOW data_directory").scalar()))

        def write_down(name: str) -> int:
            session_id = Recorder(school).open_session(new_session())
            first, *others = record(session_id).seats
            Recorder(school).commit(record(session_id, seats=(replace(first, name=name), *others)))
            Recorder(school).close_session(session_id, START)
            student = students.add_student(school, CLASS, name)
            keeper.exec_driver_sql("CHECKPOINT")
            assert files_that_hold(folder, name) == {"base", "pg_wal"}
            return student

        # our role alone: the tables are clean, the log is its keeper's, as docs/students.md says
        erase_student(school, write_down("Ottilie Vandersloot"))
        keeper.exec_driver_sql("CHECKPOINT")
        assert files_that_hold(folder, "Ottilie Vandersloot") == {"pg_wal"}
        # what docs/students.md tells the keeper to do
        keeper.exec_driver_sql("ALTER SYSTEM SET wal_recycle = off")
        keeper.exec_driver_sql("SELECT pg_reload_conf()")
        keeper.exec_driver_sql("GRANT pg_checkpoint TO school")
        # its rights are those of one database
        theirs = open_database(
            postgres_engine.url.set(database="school").render_as_string(hide_password=False)
        )
        with theirs.begin() as connection:
            connection.exec_driver_sql("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO school")
        theirs.dispose()
        her = write_down("Leopoldine Haverkamp")
        erase_student(school, her)
        assert files_that_hold(folder, "Leopoldine Haverkamp", "Ottilie Vandersloot") == set()
        session_id = queries.find_session(school, "last").id
        assert queries.seats(school, session_id)["seat"].tolist() == [2, 3]
