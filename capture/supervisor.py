"""Keeps the agent process alive: restarts it when it crashes or blocks, gives up when that does not help."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from capture.errors import AgentError

logger = logging.getLogger(__name__)

FINAL_EXIT_CODES: Final = frozenset({1, 2})
"""An error that the user must mend, wrong usage: a restart would not help."""

POLL_SECONDS: Final = 0.5
STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, and how often it tries.

    Attributes:
        start: seconds until the first sign of progress (models are loaded in that time).
        stall: seconds without progress after that before the agent counts as blocked.
        failures: give up after this many crashes or blocks in a row; an agent that got on for longer than `steady`
            starts a new row.
        steady: seconds from the first sign of progress.
    """

    start: float = 90.0
    stall: float = 10.0
    failures: int = 5
    steady: float = 60.0


class Supervisor:
    """Runs one agent process at a time until it is done.

    The child gets a pipe as its standard input and stops when that is closed: this works on every system, and the
    child ends when the supervisor dies, however it dies.

    Args:
        command: makes the agent's command line for each start; None when there is no time left to run.
        progress: any value that changes as the agent gets on, such as the id of the last interval.
        patience: when to restart and when to give up.
        environment: of the agent; None for our own. What must not stand in the list of processes goes here.
    """

    def __init__(
        self,
        command: Callable[[], Sequence[str] | None],
        progress: Callable[[], object],
        patience: Patience | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._progress = progress
        self._patience = patience or Patience()
        self._environment = environment
        self.made_progress = False
        """Whether an agent has got anywhere yet."""

    def run(self, stop: threading.Event) -> int:
        """Run until the agent is done or `stop` is set; the agent's exit code, 0 after a stop.

        An exit code that a restart would not help (wrong usage, an error that the user must mend) is final until the
        first sign of progress: a class that runs is not given up because its display or database is away for a while.

        Raises:
            AgentError: the agent failed too often.
        """
        in_a_row = 0
        while (command := self._command()) is not None:
            outcome = self._run_once(command, stop)
            if stop.is_set() or outcome.code == 0:
                return 0
            if outcome.code in FINAL_EXIT_CODES and not self.made_progress:
                return outcome.code
            in_a_row = 1 if outcome.steady_for > self._patience.steady else in_a_row + 1
            if in_a_row >= self._patience.failures:
                raise AgentError(
                    f"The agent failed {in_a_row} times in a row (last: it {outcome.failure}) and was stopped. "
                    "The log says why; `classpulse doctor` checks the machine."
                )
            logger.warning("the agent %s; restarting it", outcome.failure)
            if stop.wait(1.0):
                return 0
        return 0

    def _run_once(self, command: Sequence[str], stop: threading.Event) -> "_Outcome":
        with subprocess.Popen(  # noqa: S603 - our own command line
            command, stdin=subprocess.PIPE, env=self._environment
        ) as child:
            last, moved_at, allowed = self._progress(), time.monotonic(), self._patience.start
            first_moved_at: float | None = None
            try:
                while child.poll() is None:
                    if stop.wait(POLL_SECONDS):
                        _end(child)
                        break
                    current = self._progress()
                    if current != last:
                        last, moved_at, allowed = current, time.monotonic(), self._patience.stall
                        first_moved_at = first_moved_at or moved_at
                        self.made_progress = True
                    elif time.monotonic() - moved_at > allowed:
                        child.kill()
                        return _Outcome(
                            None, f"gave no sign for {allowed:.0f} seconds", _since(first_moved_at)
                        )
            except BaseException:
                _end(child)
                raise
        code = child.returncode
        return _Outcome(code, f"ended with exit code {code}", _since(first_moved_at))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one agent ended: its exit code (None if it was killed for blocking), in words, and for how long it got on."""

    code: int | None
    failure: str
    steady_for: float


def _since(moment: float | None) -> float:
    return 0.0 if moment is None else time.monotonic() - moment


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ask the agent to stop, and insist after `STOP_SECONDS`."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
