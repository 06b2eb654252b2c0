"""All that is kept of one session, read once, as report and exports need it."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import pandas as pd
from sqlalchemy import Engine

from dashboard.names import seat_names
from engagement.records import Mode, State
from engagement.summary import SessionSummary, summarise
from storage import queries
from storage.errors import UnknownSessionError
from storage.queries import SessionRow

_BREAK_SECONDS: Final = 60.0
_BREAK_INTERVALS: Final = 10
"""What is longer than both is no late frame: the agent was stopped and started again."""


@dataclass(frozen=True, slots=True)
class Material:
    """One session with everything that was kept of it.

    Attributes:
        session: its row.
        intervals, episodes, notes: as from `storage.queries`.
        readings: as from `queries.readings_since`; empty unless the mode is `individual`.
        names: display name per seat number; empty unless the mode is `individual`.
        calibrated: numbers of the seats to which a bias was applied.
        summary: what happened, in sentences and figures.
    """

    session: SessionRow
    intervals: pd.DataFrame
    readings: pd.DataFrame
    episodes: pd.DataFrame
    notes: pd.DataFrame
    names: dict[int, str]
    calibrated: frozenset[int]
    summary: SessionSummary

    @property
    def ended_at(self) -> datetime:
        """The end of the session; that of its last interval while it runs."""
        if self.session.ended_at is not None:
            return self.session.ended_at
        if self.intervals.empty:
            return self.session.started_at
        last = self.intervals.iloc[-1]
        end: datetime = (last["started_at"] + pd.Timedelta(seconds=float(last["seconds"]))).to_pydatetime()
        return end

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The time that its charts show: from the first row or note to the end."""
        times = pd.concat([self.intervals["started_at"], self.notes["at"]])
        if times.empty:
            return self.session.started_at, self.ended_at
        return times.min().to_pydatetime(), max(self.ended_at, times.max().to_pydatetime())

    @property
    def kept_interval(self) -> float | None:
        """Seconds from one interval to the next on average, without breaks; None where there are fewer than two."""
        gaps = self.intervals["started_at"].diff().dt.total_seconds()
        mean = gaps[gaps <= max(_BREAK_SECONDS, _BREAK_INTERVALS * self.session.interval)].mean()
        return None if pd.isna(mean) else float(mean)

    @property
    def with_expressions(self) -> bool:
        """Whether the mode lets expressions be read."""
        return self.session.mode is not Mode.PARTICIPATION

    @property
    def calibrated_names(self) -> list[str]:
        """Whose seats a bias was applied to, in the order of their numbers."""
        return [name for seat, name in self.names.items() if seat in self.calibrated]

    def seat_states(self) -> pd.DataFrame:
        """Share of the readings in each state per seat, 0..1, in order of the seats' numbers."""
        shares = pd.crosstab(self.readings["seat"], self.readings["state"], normalize="index")
        return shares.reindex(index=list(self.names), columns=[str(state) for state in State], fill_value=0.0)


def read_material(engine: Engine, session_id: int, zone: tzinfo | None = None) -> Material:
    """Read a session; `zone` is that of the times in its sentences, None for the computer's own.

    Raises:
        UnknownSessionError: there is none with this id.
    """
    session = queries.find_session(engine, str(session_id))
    if session.id != session_id:
        # a session may have a number for its name
        raise UnknownSessionError(
            f"There is no session {session_id}: the page Sessions lists those there are."
        )
    intervals = queries.intervals_since(engine, session.id)
    episodes = queries.episodes(engine, session.id)
    notes = queries.notes(engine, session.id)
    seats = queries.seats(engine, session.id)
    return Material(
        session=session,
        intervals=intervals,
        readings=queries.readings_since(engine, session.id),
        episodes=episodes,
        notes=notes,
        names=seat_names(seats),
        calibrated=frozenset(int(seat) for seat in seats.loc[seats["calibrated"], "seat"]),
        summary=summarise(intervals, episodes, notes, zone),
    )
