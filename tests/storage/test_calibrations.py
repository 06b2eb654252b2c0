"""The bias of a seat: kept with a student, gone with them, their agreement and their time."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.records import Consent, IntervalRecord, Mode, Reading, Seat, State
from storage import students
from storage.audit import AuditAction, audit_entries
from storage.calibrations import as_array, keep_bias, looks_of, remove_bias, student_seats
from storage.errors import UnknownStudentError
from storage.recorder import NewSession, Recorder
from storage.requests import read_requests
from storage.retention import erase_student, purge
from storage.scope import Scope, restricted
from storage.traces import export_student

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
BIAS = np.array([0.5, -0.25, 0.0, 0.125, -0.375, 0.0, 0.0], np.float32)


@pytest.fixture
def ada(engine: Engine) -> int:
    return students.add_student(engine, "Physics", "Ada Okafor")


def lesson(engine: Engine, student: int, *, close: bool = True) -> int:
    """Four looks at Ada and at somebody who is nobody's: of the third nothing could be read."""
    recorder = Recorder(engine)
    session_id = recorder.open_session(
        NewSession("Physics", Mode.INDIVIDUAL, 2.0, "window", START, "test", 1, agreed=True)
    )
    for index in range(4):
        probabilities = np.full(7, 0.1, np.float32)
        probabilities[index] = 0.4
        seen = index != 2
        readings = (
            Reading(
                1,
                0,
                State.SEEN if seen else State.NO_FACE,
                probabilities if seen else None,
                None,
                None,
                0.5,
            ),
            Reading(2, 1, State.NO_FACE, None, None, None, 0.0),
        )
        recorder.commit(
            IntervalRecord(
                session_id=session_id,
                started_at=START + timedelta(seconds=2 * index),
                seconds=2.0,
                tiles=2,
                faces=int(seen),
                faces_read=int(seen),
                states={State.SEEN: int(seen), State.NO_FACE: 2 - int(seen)},
                expressions={name: int(seen and place == index) for place, name in enumerate(EXPRESSIONS)},
                mood=None,
                facing=None,
                readings=readings,
                seats=(Seat(1, "Ada O.", "a", student), Seat(2, "Ben", "b")),
            )
        )
    if close:
        recorder.close_session(session_id, START + timedelta(seconds=8))
    return session_id


def bias_of(engine: Engine, student: int) -> object:
    return students.read_student(engine, student).bias


def biases_logged(engine: Engine) -> list[tuple[int | None, dict[str, object]]]:
    """What the audit log tells of calibrations, newest first."""
    log = audit_entries(engine)
    return [
        (entry.subject, dict(entry.detail)) for entry in log if entry.action is AuditAction.SEAT_CALIBRATED
    ]


def test_it_is_fitted_to_what_was_read_on_a_students_seat_in_a_stretch(engine: Engine, ada: int) -> None:
    session_id = lesson(engine, ada)
    (seat,) = student_seats(engine, session_id)
    assert (seat.number, seat.student_id, seat.name, seat.bias) == (1, ada, "Ada Okafor", None)
    all_looks = looks_of(engine, session_id, 1, START, START + timedelta(seconds=8))
    assert all_looks.dtype == np.float32
    assert all_looks.argmax(axis=1).tolist() == [0, 1, 3]
    some = looks_of(engine, session_id, 1, START + timedelta(seconds=2), START + timedelta(seconds=6))
    assert some.argmax(axis=1).tolist() == [1]
    assert looks_of(engine, session_id, 2, START, NOW).shape == (0, 7)


def test_it_is_kept_taken_up_and_removed(engine: Engine, ada: int) -> None:
    session_id = lesson(engine, ada, close=False)
    before = read_requests(engine, session_id).class_list
    keep_bias(engine, ada, BIAS, NOW)
    kept = read_requests(engine, session_id).class_list
    assert kept != before
    student = students.read_student(engine, ada)
    assert student.calibrated_at == NOW
    assert student.bias is not None
    assert as_array(student.bias) == pytest.approx(BIAS)
    (seat,) = student_seats(engine, session_id)
    assert (seat.calibrated_at, seat.bias) == (NOW, student.bias)
    keep_bias(engine, ada, -BIAS, NOW + timedelta(minutes=1))
    assert read_requests(engine, session_id).class_list != kept
    remove_bias(engine, ada)
    assert read_requests(engine, session_id).class_list == before
    assert biases_logged(engine) == [
        (ada, {"kept": False}),
        (ada, {"kept": True}),
        (ada, {"kept": True}),
    ]


def test_who_did_not_agree_has_no_seat_where_only_those_are_read_who_did(engine: Engine, ada: int) -> None:
    session_id = lesson(engine, ada)
    students.update_class_list(engine, "Physics", only_agreed=True)
    assert student_seats(engine, session_id) == []
    students.set_consent(engine, ada, Consent.AGREED, None, None)
    assert [seat.student_id for seat in student_seats(engine, session_id)] == [ada]


def test_it_goes_with_their_agreement(engine: Engine, ada: int) -> None:
    students.set_consent(engine, ada, Consent.AGREED, None, None)
    keep_bias(engine, ada, BIAS, NOW)
    students.set_consent(engine, ada, Consent.UNKNOWN, None, None)
    assert bias_of(engine, ada) is None
    assert biases_logged(engine) == [(ada, {"kept": False}), (ada, {"kept": True})]
    # there was none any more
    students.set_consent(engine, ada, Consent.REFUSED, None, None)
    assert len(biases_logged(engine)) == 2


@pytest.mark.parametrize("by_list", [False, True])
def test_it_goes_when_they_refuse(engine: Engine, ada: int, by_list: bool) -> None:
    session_id = lesson(engine, ada)
    keep_bias(engine, ada, BIAS, NOW)
    if by_list:
        rows = [students.NewStudent("Ada Okafor", Consent.REFUSED)]
        students.import_students(engine, "Physics", rows, source="list", at=NOW)
    else:
        students.set_consent(engine, ada, Consent.AGREED, None, None)
        assert bias_of(engine, ada) is not None
        students.set_consent(engine, ada, Consent.REFUSED, None, None)
    assert bias_of(engine, ada) is None
    assert biases_logged(engine)[0] == (ada, {"kept": False})
    assert student_seats(engine, session_id) == []
    with pytest.raises(InvalidRecordError, match="refused and is not looked at"):
        keep_bias(engine, ada, BIAS, NOW)


def test_it_is_exported_and_erased_with_the_student(engine: Engine, ada: int) -> None:
    lesson(engine, ada)
    keep_bias(engine, ada, BIAS, NOW)
    told = json.loads(export_student(engine, ada))["student"]
    assert told["calibrated_at"] == NOW.isoformat()
    assert told["bias"] == pytest.approx(dict(zip(EXPRESSIONS, BIAS.tolist(), strict=True)))
    erase_student(engine, ada)
    with pytest.raises(UnknownStudentError):
        keep_bias(engine, ada, BIAS, NOW)


def test_it_goes_with_the_readings_to_which_it_was_fitted(engine: Engine, ada: int) -> None:
    keep_bias(engine, ada, BIAS, NOW)
    purge(engine, 30, NOW + timedelta(days=29))
    assert bias_of(engine, ada) is not None
    purge(engine, 30, NOW + timedelta(days=30))
    assert bias_of(engine, ada) is None
    assert biases_logged(engine)[0] == (ada, {"kept": False, "after_days": 30})
    # by a clock that was ahead
    keep_bias(engine, ada, BIAS, NOW + timedelta(days=400))
    purge(engine, 30, NOW)
    assert bias_of(engine, ada) is None


def test_what_is_no_bias_is_refused(engine: Engine, ada: int) -> None:
    for wrong in (np.zeros(6, np.float32), np.full(7, np.nan, np.float32)):
        with pytest.raises(InvalidRecordError, match="7 finite numbers"):
            keep_bias(engine, ada, wrong, NOW)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql("UPDATE students SET calibrated_at = '2026-03-02 09:00:00.000000'")


def test_a_teacher_calibrates_seats_of_their_own_classes_only(engine: Engine, ada: int) -> None:
    session_id = lesson(engine, ada)
    with restricted(Scope("Ms Berg", frozenset({"Chess"}), 1)):
        assert student_seats(engine, session_id) == []
        assert looks_of(engine, session_id, 1, START, NOW).shape == (0, 7)
        with pytest.raises(UnknownStudentError):
            keep_bias(engine, ada, BIAS, NOW)
        with pytest.raises(UnknownStudentError):
            remove_bias(engine, ada)
    with restricted(Scope("Mr Cho", frozenset({"Physics"}), 2)):
        keep_bias(engine, ada, BIAS, NOW)
    assert bias_of(engine, ada) is not None
