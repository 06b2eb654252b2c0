"""The supervisor against real child processes."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from capture.errors import AgentError
from capture.stages import (
    GRAB_SECONDS,
    OPEN_SECONDS,
    Stage,
    parse,
    parse_error,
    seconds_allowed,
    tell,
    tell_error,
)
from capture.supervisor import Patience, Supervisor

QUICK = Patience(start=30.0, failures=3)

STAGES = (
    "import pathlib, sys, time\n"
    "def stage(name, seconds=30): print(f'classpulse:stage {name} {seconds}', flush=True)\n"
    "def interval(): stage('grab'); stage('read'); stage('commit'); stage('wait')\n"
)


def child(program: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-c", STAGES + program]


def times(path: Path) -> str:
    """Counts how often a child was started, in `count`."""
    return f"tries = open({str(path)!r}, 'a+'); tries.write('x'); tries.seek(0); count = len(tries.read())\n"


def test_the_exit_code_of_an_agent_that_is_done() -> None:
    assert Supervisor(child("pass")).run(threading.Event()) == 0
    assert Supervisor(child("raise SystemExit(1)")).run(threading.Event()) == 1


def test_a_crash_is_restarted_until_it_works(tmp_path: Path) -> None:
    said: list[str] = []
    program = times(tmp_path / "tries") + "stage('load')\nraise SystemExit(70 if count < 2 else 0)"
    assert Supervisor(child(program), QUICK, on_restart=said.append).run(threading.Event()) == 0
    assert (tmp_path / "tries").stat().st_size == 2
    assert said == ["The reading ended with exit code 70 in stage load."]


def test_five_failures_in_a_minute_end_with_a_sentence(tmp_path: Path) -> None:
    program = times(tmp_path / "tries") + "interval()\nraise SystemExit(70)"
    with pytest.raises(AgentError, match=r"failed 5 times within \d+ seconds .*exit code 70.* was stopped"):
        Supervisor(child(program)).run(threading.Event())
    assert (tmp_path / "tries").stat().st_size == 5


def test_failures_far_apart_are_no_reason_to_give_up_an_agent_that_gets_on(tmp_path: Path) -> None:
    program = times(tmp_path / "tries") + "interval()\nraise SystemExit(70 if count < 5 else 0)"
    assert Supervisor(child(program), Patience(failures=2, window=0.5)).run(threading.Event()) == 0


def test_slow_failures_without_one_interval_end_too(tmp_path: Path) -> None:
    program = times(tmp_path / "tries") + "stage('open', 0.2)\ntime.sleep(600)"
    with pytest.raises(AgentError, match=r"failed 2 times in a row .*gave no sign .*in stage open"):
        Supervisor(child(program), Patience(failures=2, window=0.1)).run(threading.Event())


@pytest.mark.parametrize(("stage", "least"), [(Stage.GRAB, GRAB_SECONDS), (Stage.OPEN, OPEN_SECONDS)])
def test_a_source_that_blocks_is_restarted_within_ten_seconds_and_its_stage_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stage: Stage, least: float
) -> None:
    """The first child blocks where it looks at its source, for as long as a live one may; the second one ends well."""
    allowed = seconds_allowed(stage, interval=2.0, live=True)
    program = (
        times(tmp_path / "tries")
        + "if count == 1:\n"
        + f"    interval(); stage({str(stage)!r}, {allowed}); print(time.monotonic(), file=sys.stderr)\n"
        + f"    pathlib.Path({str(tmp_path / 'blocked')!r}).write_text(str(time.monotonic()))\n"
        + "    time.sleep(600)\n"
        + f"pathlib.Path({str(tmp_path / 'again')!r}).write_text(str(time.monotonic()))\n"
    )
    with caplog.at_level(logging.WARNING):
        assert Supervisor(child(program), QUICK).run(threading.Event()) == 0
    took = float((tmp_path / "again").read_text()) - float((tmp_path / "blocked").read_text())
    assert least <= took < 10
    assert f"the agent gave no sign for {least:.0f} seconds in stage {stage}; restarting it" in caplog.text


def test_a_source_that_is_slow_to_open_is_given_more_time_with_every_try(tmp_path: Path) -> None:
    """Some cameras take longer than a source that blocks may: they are not started in vain for ever."""
    program = times(tmp_path / "tries") + "stage('open', 0.5)\ntime.sleep(1.4)\nstage('load')"
    supervisor = Supervisor(child(program), QUICK)
    assert supervisor.run(threading.Event()) == 0
    assert (tmp_path / "tries").stat().st_size == 3
    assert supervisor.stage == "load"


def test_the_sentence_with_which_an_agent_ends_is_kept() -> None:
    program = (
        "print('classpulse:error No window was found:  open the meeting.', flush=True)\nraise SystemExit(1)"
    )
    supervisor = Supervisor(child(program))
    assert supervisor.stage is None
    assert supervisor.run(threading.Event()) == 1
    assert supervisor.error == "No window was found:  open the meeting."
    lines: list[str] = []
    tell_error(lines.append, "The camera\nis away.")
    assert [parse_error(line) for line in [*lines, "classpulse:stage open 8\n"]] == [
        "The camera is away.",
        None,
    ]


def test_why_it_was_given_up_is_said_in_the_agents_own_words() -> None:
    program = "interval()\nprint('classpulse:error The disk is full.', flush=True)\nraise SystemExit(1)"
    with pytest.raises(AgentError, match=r"exit code 1 in stage wait: The disk is full\."):
        Supervisor(child(program), Patience(failures=2)).run(threading.Event())


def test_the_log_says_how_an_agent_ended_and_not_in_its_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A sentence may hold a title or a path with somebody's name; the page is told it all the same."""
    program = (
        times(tmp_path / "tries")
        + "interval()\nif count == 1:\n"
        + "    print('classpulse:error The window of Zebulon Quux is minimised.', flush=True)\n"
        + "    raise SystemExit(1)"
    )
    reasons: list[str] = []
    with caplog.at_level(logging.DEBUG):
        assert Supervisor(child(program), QUICK, on_restart=reasons.append).run(threading.Event()) == 0
    assert "the agent ended with exit code 1 in stage wait; restarting it" in caplog.text
    assert "Zebulon" not in caplog.text
    assert reasons == [
        "The reading ended with exit code 1 in stage wait: The window of Zebulon Quux is minimised."
    ]


def test_an_agent_is_not_called_blocked_for_the_time_that_the_computer_slept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, slept = time.monotonic, []

    class Lid(threading.Event):
        """Closed for an hour while the agent waits."""

        def wait(self, timeout: float | None = None) -> bool:
            ended = super().wait(timeout)
            if supervisor.stage == "grab" and not slept:
                slept.append(3600.0)
            return ended

    monkeypatch.setattr("capture.supervisor.time.monotonic", lambda: clock() + sum(slept))
    supervisor = Supervisor(child("interval()\nstage('grab')\ntime.sleep(1.5)"))
    assert supervisor.run(Lid()) == 0
    assert slept


def test_a_stop_closes_the_input_of_the_agent(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    program = f"sys.stdin.read(); pathlib.Path({str(ended)!r}).write_text('cleanly')"
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    assert Supervisor(child(program)).run(stop) == 0
    assert ended.read_text() == "cleanly"


def test_an_agent_that_says_nothing_is_not_waited_for() -> None:
    with pytest.raises(AgentError, match="in stage start"):
        Supervisor(child("time.sleep(600)"), Patience(start=0.5, failures=1)).run(threading.Event())


def test_an_error_after_progress_is_no_reason_to_give_the_class_up(tmp_path: Path) -> None:
    program = times(tmp_path / "tries") + "interval()\nraise SystemExit(1 if count == 1 else 0)"
    assert Supervisor(child(program), QUICK).run(threading.Event()) == 0


def test_no_time_left_is_no_failure() -> None:
    assert Supervisor(lambda: None).run(threading.Event()) == 0


def test_a_stage_is_told_as_it_is_read() -> None:
    lines: list[str] = []
    for stage in Stage:
        tell(lines.append, stage, seconds_allowed(stage, interval=2.0, live=True))
    told = [parse(line) for line in lines]
    assert [line.stage for line in told if line] == list(Stage)
    assert [line.seconds for line in told if line] == [7, 90, 90, 7, 5, 30, 60]
    assert parse("Downloading a model: 30 %\n") is None
    # a recording is decoded up to the next interval, and long intervals may take long
    assert seconds_allowed(Stage.GRAB, interval=2.0, live=False) == 120
    assert seconds_allowed(Stage.READ, interval=60.0, live=True) == 300


def test_an_agent_that_does_not_heed_the_end_of_its_input_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.supervisor.STOP_SECONDS", 0.5)
    pid = tmp_path / "pid"
    program = f"import os, signal; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); interval(); time.sleep(600)"
    stop = threading.Event()

    def stop_once_it_runs() -> None:
        while not (pid.exists() and pid.read_text()):
            stop.wait(0.05)
        stop.set()

    threading.Thread(target=stop_once_it_runs).start()
    assert Supervisor(child(program)).run(stop) == 0
    assert not psutil.pid_exists(int(pid.read_text()))


def test_a_second_ctrl_c_ends_the_agent_too(tmp_path: Path) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if (tmp_path / "there").exists():
                raise KeyboardInterrupt
            return super().wait(timeout)

    ended = tmp_path / "ended"
    program = (
        f"pathlib.Path({str(tmp_path / 'there')!r}).touch(); sys.stdin.read()\n"
        f"pathlib.Path({str(ended)!r}).touch()"
    )
    with pytest.raises(KeyboardInterrupt):
        Supervisor(child(program)).run(Interrupted())
    assert ended.exists()


def test_a_stop_between_two_tries_is_heeded(tmp_path: Path) -> None:
    stop = threading.Event()
    program = times(tmp_path / "tries") + "raise SystemExit(70)"
    assert Supervisor(child(program), on_restart=lambda _why: stop.set()).run(stop) == 0
    assert (tmp_path / "tries").stat().st_size == 1


def test_the_environment_is_the_agents_and_what_else_it_prints_does_no_harm(tmp_path: Path) -> None:
    program = (
        "import os; print('Downloading: 30 %'); sys.stdout.buffer.write(b'\\xff\\xfe\\n'); interval()\n"
        f"pathlib.Path({str(tmp_path / 'said')!r}).write_text(os.environ['CLASS_OF'])"
    )
    supervisor = Supervisor(child(program), environment=os.environ | {"CLASS_OF": "9b"})
    assert supervisor.run(threading.Event()) == 0
    assert (tmp_path / "said").read_text() == "9b"
    assert supervisor.made_progress


def test_time_that_is_up_while_an_agent_broke_is_the_end() -> None:
    commands = iter([child("raise SystemExit(70)")(), None])
    assert Supervisor(lambda: next(commands)).run(threading.Event()) == 0
