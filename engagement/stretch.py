"""Clocks over observed time: how long something holds, and how much of a while it held."""

from collections import deque
from datetime import datetime


class Stretch:
    """How long a condition has held on one seat, in seconds of observed time.

    A break shorter than the recovery time belongs to the stretch; one that lasts ends it. What is unknown neither
    holds nor breaks.
    """

    __slots__ = ("_began", "broken", "broken_at", "held", "readings", "since", "spent")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stretch."""
        self.since: datetime | None = None  # when it began
        self.broken_at: datetime | None = None  # when the present break began
        self.broken = 0.0  # seconds of the present break
        self.held = 0.0  # seconds in which it held for sure
        self.readings = 0  # readings in which it held
        self.spent = False  # it may not open an episode (any more)
        self._began = 0.0

    def advance(self, met: bool | None, at: datetime, span: float, clock: float) -> None:
        """One reading at `at` that stands for `span` seconds; `clock` is the seat's observed time after it."""
        if met is None:
            return
        if met:
            if self.since is None:
                self.since, self._began = at, clock - span
            self.broken_at, self.broken = None, 0.0
            self.held += span
            self.readings += 1
        elif self.since is not None:
            self.broken_at = self.broken_at or at
            self.broken += span

    def elapsed(self, clock: float) -> float:
        """Observed seconds since it began, the present break left out; 0 if it has not."""
        return 0.0 if self.since is None else clock - self._began - self.broken

    def lasts(self, after: float, clock: float) -> bool:
        """Whether it holds now and has for `after` seconds, at least half of them for sure."""
        return (
            self.since is not None
            and self.broken_at is None
            and self.elapsed(clock) >= after
            and 2 * self.held >= after
        )


class Window:
    """Seconds spent in each of several conditions over the last `length` seconds of observed time."""

    __slots__ = ("_entries", "_length", "sums", "total")

    def __init__(self, length: float, conditions: int) -> None:
        self._length = length
        self._entries: deque[tuple[float, tuple[bool, ...], datetime]] = deque()
        self.sums = [0.0] * conditions
        self.total = 0.0

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.sums = [0.0] * len(self.sums)
        self.total = 0.0

    def add(self, span: float, conditions: tuple[bool, ...], at: datetime) -> None:
        """One reading at `at` that stands for `span` seconds."""
        self._entries.append((span, conditions, at))
        self._count(span, conditions, 1.0)
        while self.total - self._entries[0][0] >= self._length:
            oldest, met, _ = self._entries.popleft()
            self._count(oldest, met, -1.0)

    @property
    def full(self) -> bool:
        """Whether it spans its length."""
        return self.total >= self._length

    def first(self, condition: int) -> datetime | None:
        """When the condition was first met within the window."""
        return next((at for _, met, at in self._entries if met[condition]), None)

    def _count(self, span: float, conditions: tuple[bool, ...], sign: float) -> None:
        self.total += sign * span
        for index, met in enumerate(conditions):
            if met:
                self.sums[index] += sign * span
