"""The supervisor against real child processes."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from capture.errors import AgentError
from capture.supervisor import Patience, Supervisor

QUICK = Patience(start=30.0, stall=1.0, failures=3, steady=60.0)


def child(program: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-c", program]


def test_the_exit_code_of_an_agent_that_is_done() -> None:
    assert Supervisor(child("pass"), lambda: 0).run(threading.Event()) == 0
    assert Supervisor(child("raise SystemExit(1)"), lambda: 0).run(threading.Event()) == 1


def test_a_crash_is_restarted_until_it_works(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    program = (
        f"tries = open({str(tries)!r}, 'a+'); tries.write('x'); tries.seek(0)\n"
        "raise SystemExit(70 if len(tries.read()) < 2 else 0)"
    )
    assert Supervisor(child(program), lambda: 0, QUICK).run(threading.Event()) == 0
    assert tries.read_text() == "xx"


def test_too_many_crashes_end_with_a_sentence() -> None:
    with pytest.raises(AgentError, match="failed 3 times"):
        Supervisor(child("raise SystemExit(70)"), lambda: 0, QUICK).run(threading.Event())


def test_an_agent_that_blocks_is_restarted(tmp_path: Path) -> None:
    """The first child makes progress once and hangs; the second one ends well."""
    mark = tmp_path / "progress"
    program = (
        "import pathlib, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "again = mark.exists()\n"
        "mark.write_text('1')\n"
        "time.sleep(0 if again else 600)\n"
    )
    started = time.monotonic()
    assert Supervisor(child(program), mark.exists, QUICK).run(threading.Event()) == 0
    assert time.monotonic() - started < 60


def test_a_stop_closes_the_input_of_the_agent(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    program = f"import sys, pathlib; sys.stdin.read(); pathlib.Path({str(ended)!r}).write_text('cleanly')"
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    assert Supervisor(child(program), lambda: 0).run(stop) == 0
    assert ended.read_text() == "cleanly"


def test_slow_crashes_end_too() -> None:
    """No window of time: an agent that needs long to fail is not restarted for ever."""
    hangs = Patience(start=0.6, failures=2)
    with pytest.raises(AgentError, match=r"failed 2 times in a row .*no sign"):
        Supervisor(child("import time; time.sleep(600)"), lambda: 0, hangs).run(threading.Event())


def test_an_error_after_progress_is_no_reason_to_give_the_class_up(tmp_path: Path) -> None:
    mark = tmp_path / "progress"
    program = (
        "import pathlib, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "again = mark.exists()\n"
        "mark.write_text('1')\n"
        "time.sleep(0 if again else 2)\n"
        "raise SystemExit(0 if again else 1)\n"
    )
    assert Supervisor(child(program), mark.exists, QUICK).run(threading.Event()) == 0


def test_no_time_left_is_no_failure() -> None:
    assert Supervisor(lambda: None, lambda: 0).run(threading.Event()) == 0
