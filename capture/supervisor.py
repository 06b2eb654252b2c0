"""Keeps the agent process alive: restarts it when it crashes or blocks, gives up when that does not help."""

import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from capture.errors import AgentError
from capture.stages import Stage, StageLine, parse, parse_error

logger = logging.getLogger(__name__)

FINAL_EXIT_CODES: Final = frozenset({1, 2})
"""An error that the user must mend, wrong usage: a restart would not help."""

POLL_SECONDS: Final = 0.25
RESTART_SECONDS: Final = 1.0
STOOD_STILL: Final = 2.0
"""Seconds between two looks at the agent that should be `POLL_SECONDS`: the computer slept."""
STOP_SECONDS: Final = 10.0

MOST_PATIENCE: Final = 4.0
"""A source that does not open in its time is given twice as much the next time, up to so many times."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, and how often it tries.

    Attributes:
        start: seconds until the agent tells its first stage; after that each stage tells how long it may take.
        failures: give up after this many failures within `window`, or in a row without one interval kept.
        window: seconds.
    """

    start: float = 60.0
    failures: int = 5
    window: float = 60.0


class Supervisor:
    """Runs one agent process at a time until it is done.

    The child gets a pipe as its standard input and stops when that is closed: this works on every system, and the
    child also stops when we are killed. On its standard output it tells its stages (`capture.stages`).

    Args:
        command: makes the agent's command line for each start; None when there is no time left to run.
        patience: when to restart and when to give up.
        environment: of the agent; None for our own. What must not stand in the list of processes goes here.
        on_restart: called with a sentence before each restart, so that a page can say that it is under way.
    """

    def __init__(
        self,
        command: Callable[[], Sequence[str] | None],
        patience: Patience | None = None,
        environment: Mapping[str, str] | None = None,
        on_restart: Callable[[str], None] | None = None,
    ) -> None:
        self._command = command
        self._patience = patience or Patience()
        self._environment = environment
        self._on_restart = on_restart
        self._told: _Told | None = None
        self._open_factor = 1.0
        self.made_progress = False
        """Whether an agent has kept an interval yet."""
        self.error: str | None = None
        """The sentence with which the last agent ended, if it told one."""

    @property
    def stage(self) -> str | None:
        """What the agent is doing; None before the first one was started."""
        return None if self._told is None else self._told.line.stage

    def run(self, stop: threading.Event) -> int:
        """Run until the agent is done or `stop` is set; the agent's exit code, 0 after a stop.

        An exit code that a restart would not help (wrong usage, an error that the user must mend) is final until the
        first interval is kept: a class that runs is not given up because its display or database is away for a while.

        Raises:
            AgentError: the agent failed too often.
        """
        patience = self._patience
        failed_at: deque[float] = deque(maxlen=patience.failures)
        in_vain = 0
        while (command := self._command()) is not None:
            outcome = self._run_once(command, stop)
            if stop.is_set() or outcome.code == 0:
                return 0
            if outcome.code in FINAL_EXIT_CODES and not self.made_progress:
                return outcome.code
            failed_at.append(time.monotonic())
            in_vain = 0 if outcome.intervals else in_vain + 1
            often = len(failed_at) == patience.failures and failed_at[-1] - failed_at[0] <= patience.window
            if often or in_vain >= patience.failures:
                how = f"within {failed_at[-1] - failed_at[0]:.0f} seconds" if often else "in a row"
                raise AgentError(
                    f"The agent failed {patience.failures} times {how} (last: it {outcome.told}) and was stopped. "
                    "The log says why; `classpulse doctor` checks the machine."
                )
            # not its own words: a sentence may hold a title or a path with somebody's name
            logger.warning("the agent %s; restarting it", outcome.failure)
            if self._on_restart is not None:
                self._on_restart(f"The reading {outcome.told.removesuffix('.')}.")
            if stop.wait(RESTART_SECONDS):
                return 0
        return 0

    def _run_once(self, command: Sequence[str], stop: threading.Event) -> "_Outcome":
        with subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as child:
            told = self._told = _Told(self._patience.start, self._open_factor)
            listener = threading.Thread(target=told.listen, args=(child.stdout,), daemon=True)
            listener.start()
            blocked: StageLine | None = None
            looked_at = time.monotonic()
            try:
                while child.poll() is None:
                    if stop.wait(POLL_SECONDS):
                        _end(child)
                        break
                    # where we ourselves stood still (a closed lid, a computer out of breath), so did the agent
                    if (now := time.monotonic()) - looked_at > STOOD_STILL:
                        told.begin_again()
                    looked_at = now
                    self.made_progress = self.made_progress or told.intervals > 0
                    if (blocked := told.blocked()) is not None:
                        child.kill()
                        break
            except BaseException:
                _end(child)
                raise
            child.wait()
            listener.join(STOP_SECONDS)
        self.made_progress = self.made_progress or told.intervals > 0
        self.error = told.error
        slow_to_open = blocked is not None and blocked.stage == Stage.OPEN
        self._open_factor = min(2 * self._open_factor, MOST_PATIENCE) if slow_to_open else 1.0
        if blocked is not None:
            failure = f"gave no sign for {blocked.seconds:.0f} seconds in stage {blocked.stage}"
            return _Outcome(None, failure, told.intervals)
        code = child.returncode
        return _Outcome(
            code, f"ended with exit code {code} in stage {told.line.stage}", told.intervals, told.error
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one agent ended: its exit code (None if it was killed for blocking), in words, what it kept, and the sentence
    that it told."""

    code: int | None
    failure: str
    intervals: int
    error: str | None = None

    @property
    def told(self) -> str:
        """How it ended, and why."""
        return self.failure if self.error is None else f"{self.failure}: {self.error}"


class _Told:
    """What an agent has told of itself.

    Args:
        start: seconds until it tells its first stage.
        open_factor: how many times the usual time its source may take to open.
    """

    def __init__(self, start: float, open_factor: float) -> None:
        self.intervals = 0
        self.error: str | None = None
        self._open_factor = open_factor
        # one object, so that line and time are always of one stage
        self._entered = (StageLine("start", start), time.monotonic())

    @property
    def line(self) -> StageLine:
        """The stage it is in."""
        return self._entered[0]

    def listen(self, output: IO[str]) -> None:
        """Take in its lines until it closes its output."""
        for text in output:
            self.error = parse_error(text) or self.error
            line = parse(text)
            if line is None:
                continue
            if line.stage == Stage.OPEN:
                line = line._replace(seconds=line.seconds * self._open_factor)
            # an interval that is kept is followed by the wait for the next one
            self.intervals += line.stage == Stage.WAIT and self.line.stage == Stage.COMMIT
            self._entered = (line, time.monotonic())

    def begin_again(self) -> None:
        """Count the time of its stage from now on."""
        self._entered = (self.line, time.monotonic())

    def blocked(self) -> StageLine | None:
        """The stage in which it has been for longer than that may take."""
        line, entered = self._entered
        return line if time.monotonic() - entered > line.seconds else None


def _end(child: "subprocess.Popen[str]") -> None:
    """Ask the agent to stop, and insist after `STOP_SECONDS`."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
