"""An agent that is killed, and one that hangs: the class goes on in the same session, by itself."""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest
from sqlalchemy import Engine

from engagement.errors import ClasspulseError
from storage import queries
from storage.database import open_database
from tests.e2e.conftest import Home

pytestmark = pytest.mark.timeout(600)


def wait_for(what: Callable[[], bool], seconds: float = 180.0) -> float:
    """Wait until it is so; the seconds that took."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        # the database is made by the agent that is only starting
        with suppress(ClasspulseError):
            if what():
                return time.monotonic() - started
        time.sleep(0.1)
    raise AssertionError("it did not come")


def restarts(engine: Engine) -> int:
    session = queries.find_session(engine, "last")
    return int((queries.intervals_since(engine, session.id)["not_observed"] == "restarted").sum())


def observed_last(engine: Engine) -> bool:
    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    return len(kept) > 0 and bool(kept["not_observed"].isna().iloc[-1])


def health(address: str) -> dict[str, Any]:
    """What the page says of itself, also where that is bad (503)."""
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection:
        connection.request("GET", "/health")
        return dict(json.load(connection.getresponse()))


def test_a_class_goes_on_in_its_session_when_its_agent_is_killed_or_hangs(home: Home) -> None:
    engine = open_database(home.database)
    arguments = (
        "start",
        "--source",
        "demo:4",
        "--session",
        "Physics",
        "--mode",
        "individual",
        "--interval",
        "1",
    )
    with home.serving(*arguments) as (address, _process):
        wait_for(lambda: len(queries.intervals_since(engine, queries.find_session(engine, "last").id)) >= 3)
        first = queries.find_session(engine, "Physics")
        seats = queries.seats(engine, first.id)["name"].tolist()
        os.kill(first.agent_pid, signal.SIGKILL)
        wait_for(lambda: health(address).get("condition") == "restarting", 10.0)
        wait_for(lambda: restarts(engine) == 1 and observed_last(engine))
        assert health(address)["condition"] is None

        second = queries.find_session(engine, "Physics")
        assert second.agent_pid != first.agent_pid
        # a moment ago it has kept an interval and waits for the next: while it reads, it may be silent for longer
        before = len(queries.intervals_since(engine, second.id))
        wait_for(lambda: len(queries.intervals_since(engine, second.id)) > before)
        os.kill(second.agent_pid, signal.SIGSTOP)
        # said within ten seconds: the other agent is started a second later
        assert wait_for(lambda: health(address).get("condition") == "restarting", 30.0) < 9.0
        wait_for(lambda: restarts(engine) == 2 and observed_last(engine))
    rows = queries.sessions(engine)
    assert rows["id"].tolist() == [first.id]
    assert queries.find_session(engine, "last").interrupted_at is None
    kept = queries.intervals_since(engine, first.id)
    # no time is missing and none is counted twice
    ends = kept["started_at"] + kept["seconds"].map(lambda seconds: f"{seconds}s").astype("timedelta64[us]")
    gaps = (kept["started_at"].shift(-1) - ends).dropna().dt.total_seconds()
    after_restart = gaps[kept["not_observed"].iloc[:-1] == "restarted"]
    before_restart = gaps[kept["not_observed"].shift(-1).iloc[:-1] == "restarted"]
    assert (after_restart.abs() < 0.001).all()
    assert (before_restart.abs() < 0.001).all()
    assert queries.seats(engine, first.id)["name"].tolist() == seats
    engine.dispose()
