"""What an agent is doing, for whoever keeps it alive: one line per stage, with how long it may take, and why it ended.

The lines go to the agent's standard output, which the supervisor reads. They do not go through the database: one that
is locked would look like an agent that hangs.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple


class Stage(StrEnum):
    """The stages of an agent, in their order; the last four come once per interval."""

    OPEN = "open"
    LOAD = "load"
    RESUME = "resume"
    WAIT = "wait"
    GRAB = "grab"
    READ = "read"
    COMMIT = "commit"


GRAB_SECONDS: Final = 5.0
"""A live source that gives nothing for so long is blocked: a grab takes a tenth of a second, a slow camera one."""

OPEN_SECONDS: Final = 7.0
"""A source that is not open after so long is blocked. Some cameras take longer: whoever tries again waits longer."""

_SECONDS: Final = {
    Stage.OPEN: OPEN_SECONDS,
    Stage.LOAD: 90.0,
    Stage.RESUME: 90.0,
    Stage.GRAB: 120.0,  # of a recording: it is decoded up to the next interval
    Stage.READ: 30.0,  # a full class on a busy computer takes seconds: slow is not blocked
    Stage.COMMIT: 60.0,  # longer than the database waits for a lock
}

_LINE: Final = re.compile(r"classpulse:stage ([a-z]+) ([0-9.]+)\s*")
_REASON: Final = re.compile(r"classpulse:error (.+?)\s*")


class StageLine(NamedTuple):
    """One line: the stage that was entered, and the seconds after which it counts as blocked."""

    stage: str
    seconds: float


def seconds_allowed(stage: Stage, *, interval: float, live: bool) -> float:
    """How long an agent may stay in a stage, in seconds; `interval` is that between two frames."""
    if stage is Stage.WAIT:
        return interval + GRAB_SECONDS
    if stage is Stage.GRAB and live:
        return GRAB_SECONDS
    if stage is Stage.READ:
        return max(_SECONDS[stage], 5 * interval)
    return _SECONDS[stage]


def tell(write: Callable[[str], object], stage: Stage, seconds: float) -> None:
    """Write the line of a stage."""
    write(f"classpulse:stage {stage} {seconds:g}\n")


def parse(line: str) -> StageLine | None:
    """The stage that a line tells; None for any other line."""
    match = _LINE.fullmatch(line)
    return None if match is None else StageLine(match[1], float(match[2]))


def tell_error(write: Callable[[str], object], sentence: str) -> None:
    """Write the line of an error that ends the agent."""
    write(f"classpulse:error {' '.join(sentence.split())}\n")


def parse_error(line: str) -> str | None:
    """The sentence of an error that a line tells; None for any other line."""
    match = _REASON.fullmatch(line)
    return None if match is None else match[1]
