"""Asking a session to end: kept once, by an open session only, and final."""

import os
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, select

from storage.database import reading
from storage.recorder import NewSession, Recorder
from storage.schema import SessionTable
from storage.stop import request_stop

Make = Callable[..., NewSession]


def asked_at(engine: Engine, session_id: int) -> object:
    with reading(engine) as connection:
        return connection.scalar(select(SessionTable.stop_requested_at).where(SessionTable.id == session_id))


def test_the_first_time_is_kept(engine: Engine, session_id: int) -> None:
    assert asked_at(engine, session_id) is None
    request_stop(engine, session_id)
    first = asked_at(engine, session_id)
    assert first is not None
    request_stop(engine, session_id)
    assert asked_at(engine, session_id) == first


def test_a_session_that_has_ended_is_left_as_it_is(engine: Engine, new_session: Make) -> None:
    recorder, new = Recorder(engine), new_session()
    session_id = recorder.open_session(new)
    recorder.close_session(session_id, new.started_at)
    request_stop(engine, session_id)
    assert asked_at(engine, session_id) is None


def test_one_that_was_to_end_is_not_gone_on_with_when_its_agent_dies(
    engine: Engine, new_session: Make
) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: pid == os.getpid())
    new = new_session(pid=4_000_001)
    first = recorder.open_session(new)
    request_stop(engine, first)
    again = new_session(started_at=new.started_at + timedelta(seconds=20), may_resume=True)
    opened = recorder.open_or_resume(again)
    assert opened.id != first
    assert opened.resumed_from is None
