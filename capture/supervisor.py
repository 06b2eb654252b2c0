"""Keeps the agent process alive: restarts it when it crashes or blocks, gives up when that does not help."""

import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from capture.errors import AgentError

logger = logging.getLogger(__name__)

FINAL_EXIT_CODES: Final = frozenset({0, 1, 2})
"""Done, an error that the user must mend, wrong usage: a restart would not help."""

POLL_SECONDS: Final = 0.5
STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, and how often it tries.

    Attributes:
        start: seconds until the first sign of progress (models are loaded in that time).
        stall: seconds without progress after that before the agent counts as blocked.
        failures: this many crashes or blocks ...
        window: ... within this many seconds end the attempt.
    """

    start: float = 90.0
    stall: float = 10.0
    failures: int = 5
    window: float = 60.0


class Supervisor:
    """Runs one agent process at a time until it is done.

    The child gets a pipe as its standard input and stops when that is closed: this works on every system, and the
    child ends when the supervisor dies, however it dies.

    Args:
        command: the agent's command line.
        progress: any value that changes as the agent gets on, such as the id of the last interval.
        patience: when to restart and when to give up.
    """

    def __init__(
        self, command: Sequence[str], progress: Callable[[], object], patience: Patience | None = None
    ) -> None:
        self._command = list(command)
        self._progress = progress
        self._patience = patience or Patience()
        self._failures: deque[float] = deque()

    def run(self, stop: threading.Event) -> int:
        """Run until the agent is done or `stop` is set; the agent's exit code, 0 after a stop.

        Raises:
            AgentError: the agent failed too often.
        """
        while True:
            failure = self._run_once(stop)
            if isinstance(failure, int):
                return failure
            now = time.monotonic()
            self._failures.append(now)
            while now - self._failures[0] > self._patience.window:
                self._failures.popleft()
            if len(self._failures) >= self._patience.failures:
                raise AgentError(
                    f"The agent failed {len(self._failures)} times within {self._patience.window:.0f} seconds (last: "
                    f"it {failure}) and was stopped. The log says why; `classpulse doctor` checks the machine."
                )
            logger.warning("the agent %s; restarting it", failure)
            if stop.wait(1.0):
                return 0

    def _run_once(self, stop: threading.Event) -> int | str:
        """The exit code of an agent that is done, or what happened to one that is not."""
        with subprocess.Popen(self._command, stdin=subprocess.PIPE) as child:  # noqa: S603 - our own command line
            last, moved_at, allowed = self._progress(), time.monotonic(), self._patience.start
            try:
                while child.poll() is None:
                    if stop.wait(POLL_SECONDS):
                        _end(child)
                        return 0
                    current = self._progress()
                    if current != last:
                        last, moved_at, allowed = current, time.monotonic(), self._patience.stall
                    elif time.monotonic() - moved_at > allowed:
                        child.kill()
                        return f"gave no sign for {allowed:.0f} seconds"
            except BaseException:
                _end(child)
                raise
            code = child.returncode
        return code if code in FINAL_EXIT_CODES else f"ended with exit code {code}"


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ask the agent to stop, and insist after `STOP_SECONDS`."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
