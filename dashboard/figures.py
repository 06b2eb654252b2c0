"""Figures as plain Plotly JSON, made of the data frames of `storage.queries`. Pure functions.

Traces of the timeline stand at fixed places (`MOOD_TRACES`, `SHARE_TRACES`), so that a live update extends them by the
new rows and touches nothing else. Times are local to the viewer, without offset: Plotly draws them as they stand.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from dashboard.glance import readable_mood
from dashboard.theme import PALETTES, Scheme, template, with_opacity
from dashboard.wording import EXPRESSIONS, STATES, clock, local_time, local_times, percent, plotly_text
from engagement.phrases import count, duration, signed
from engagement.records import NoteKind, Rule, State

if TYPE_CHECKING:
    from dash import Patch

Figure = dict[str, Any]
"""A Plotly figure as JSON types: {"data": [...], "layout": {...}}."""

Span = tuple[datetime, datetime]
"""Start and end of a time axis, aware."""

SHARE_WINDOW: Final = timedelta(seconds=30)
"""Shares are taken over this much time: from one interval to the next those of 27 faces jump in steps of 4 %."""

FIRST_SPAN: Final = timedelta(minutes=10)
"""The time axis shows at least this much, so that the first minutes do not look like a storm."""

COVERAGE: Final = "Read"
FACING: Final = "Facing"
NOTES: Final = "Notes"
TOPICS: Final = "Topics"
_AREA = "Read, area"
"""Under the line of coverage, a stack of one: an area that only ends at zero is filled across a gap."""
_STRIP = (_AREA, COVERAGE, FACING)
_MARKS = (NOTES, TOPICS)
MOOD_TRACES: Final = (*_STRIP, *_MARKS, "low", "95 % band", "Mood")
SHARE_TRACES: Final = (*_STRIP, *_MARKS, *EXPRESSIONS.values())
TIMELINE_COLUMNS: Final = frozenset(
    {"id", "started_at", "not_observed", "tiles", "n_seen", "facing", "valence", "low", "high", *EXPRESSIONS}
)
"""What a timeline and its description need of the intervals."""

ROOM: Final = "room"
"""Name of the invisible last trace of a timeline that grows: it keeps the axis from being shorter than `FIRST_SPAN`
(Plotly's own `autorangeoptions.include` cuts off what lies before the time to include)."""

_LINES: Final = frozenset({COVERAGE, FACING, "Mood"})

_MOOD_RANGE = (-0.8, 0.8)
_MARK_HEIGHT = 0.94
"""Where notes stand, 0..1: at the very top they would reach into the legend."""

_TOPIC_LENGTH = 20
"""Characters of a topic on the chart; the rest is in its hover text."""

_TOPIC_ROOM = 0.13
"""Share of the time axis that a topic's name needs: one that is followed by another sooner shows its mark alone."""

_KEY_WIDTH = 84
"""Pixels of a word in the legend: Plotly's own measure leaves one column on a phone."""

_TIME_AXIS: Final[Figure] = {
    "type": "date",
    # never the same words on two ticks
    "tickformatstops": [
        {"dtickrange": [None, 999], "value": "%H:%M:%S.%1f"},
        {"dtickrange": [1000, 59_999], "value": "%H:%M:%S"},
        {"dtickrange": [60_000, None], "value": "%H:%M"},
    ],
    "hoverformat": "%H:%M:%S",
    "tickangle": 0,
    "showgrid": False,
}

_FILL_PATTERNS = {
    "neutral": "",
    "happy": ".",
    "surprise": "x",
    "sad": "/",
    "fear": "|",
    "disgust": "-",
    "angry": "\\",
}


def blank() -> Figure:
    """Nothing yet: no axes and no ground that would flash white."""
    hidden = {"visible": False, "fixedrange": True}
    ground = "rgba(0,0,0,0)"
    return {
        "data": [],
        "layout": {"paper_bgcolor": ground, "plot_bgcolor": ground, "xaxis": hidden, "yaxis": hidden},
    }


class Timeline:
    """One chart over the time of a session: the mood or the shares of expressions above, a thin strip of how much
    was read and how many face the screen below.

    Args:
        view: "mood", "shares", or "presence" where no expression may be read.
        scheme: light or dark.
        zone: of the viewer, None for the computer's own.
    """

    def __init__(self, view: str, scheme: Scheme, zone: tzinfo | None) -> None:
        self._view = view
        self._scheme = scheme
        self._palette = PALETTES[scheme]
        self._zone = zone

    def figure(
        self,
        intervals: pd.DataFrame,
        notes: pd.DataFrame,
        lows: Sequence[tuple[datetime, datetime]],
        key: str,
        *,
        numbered: bool = False,
        span: Span | None = None,
        most: int | None = None,
    ) -> Figure:
        """The whole figure.

        Args:
            intervals: as from `queries.intervals_since`.
            notes: as from `queries.notes`.
            lows: start and end of the stretches to shade.
            key: zoom and hidden series are kept as long as it stays the same.
            numbered: write 1, 2, ... on the shaded stretches.
            span: of the time axis where nothing will be added; None lets it grow with the rows.
            most: rows that are drawn; of more, every second, third, ... up to the last. None draws all.
        """
        traces = self._empty_traces()
        step = 1 if most is None else max(1, math.ceil(len(intervals) / most))
        for trace, values in zip(traces, self._columns(intervals), strict=False):
            trace.update({name: every(column, step) for name, column in values.items()})
        for trace, values in zip(traces[len(_STRIP) :], self._marks(notes), strict=False):
            trace.update(values)
        if span is not None:
            for trace in traces:
                if trace["name"] in _LINES:
                    _mark_single(trace)
        elif not intervals.empty:
            traces.append(self._room(intervals["started_at"].iloc[0].to_pydatetime()))
        layout = self._layout(lows, key, numbered=numbered, span=span)
        shown = span or _times_of(intervals)
        if shown is not None:
            layout["shapes"] += self._topic_lines(notes)
            layout["annotations"] += self._topic_names(notes, shown)
        return {"data": traces, "layout": layout}

    def extension(
        self,
        intervals: pd.DataFrame,
        new: int,
        notes: pd.DataFrame,
        lows: Sequence[tuple[datetime, datetime]],
        first: datetime,
    ) -> "Patch":
        """A patch that adds the last `new` rows of `intervals` (the rows before them are there for the windows).

        Args:
            intervals, notes, lows: as for `figure`.
            new: how many rows are new.
            first: when the first interval of the session began, aware.
        """
        from dash import Patch  # only a live page needs it, not a report

        patch = Patch()
        if new:
            for place, values in enumerate(self._columns(intervals)):
                for name, column in values.items():
                    patch["data"][place][name].extend(column[-new:])
        for place, marks in enumerate(self._marks(notes), start=len(_STRIP)):
            for name, column in marks.items():
                patch["data"][place][name] = column
        last = first if intervals.empty else intervals["started_at"].iloc[-1].to_pydatetime()
        patch["layout"]["shapes"] = self._shapes(lows) + self._topic_lines(notes)
        patch["layout"]["annotations"] = self._topic_names(notes, (first, last))
        return patch

    def _columns(self, intervals: pd.DataFrame) -> list[dict[str, list[Any]]]:
        """x, y and hover text per trace, in the order of the traces; the notes are given apart."""
        times = local_times(intervals["started_at"], self._zone)
        read, facing = smoothed(coverage(intervals), intervals), smoothed(intervals["facing"], intervals)
        columns: list[dict[str, list[Any]]] = [
            {"x": times, "y": _json(read)},
            {"x": times, "y": _json(read), "customdata": _read_of(intervals)},
            {"x": times, "y": _json(facing)},
            {},
            {},
        ]
        if self._view == "mood":
            valence = intervals["valence"].astype(float)
            # the band has no width where there is no mood: a gap in a filled area would be bridged
            rest = valence.ffill().fillna(0.0)
            columns += [
                {"x": times, "y": _json(intervals["low"].astype(float).fillna(rest))},
                {"x": times, "y": _json(intervals["high"].astype(float).fillna(rest))},
                {"x": times, "y": _json(readable_mood(intervals)), "customdata": _read_of(intervals)},
            ]
        elif self._view == "shares":
            shares = expression_shares(intervals)
            columns += [{"x": times, "y": _json(shares[name])} for name in EXPRESSIONS]
        return columns

    def _marks(self, notes: pd.DataFrame) -> list[dict[str, Any]]:
        """x, y, hover text of the notes and of the topics; what there is none of has no place in the legend."""
        topical = notes["kind"] == NoteKind.TOPIC
        return [
            {
                "x": local_times(own["at"], self._zone),
                "y": [_MARK_HEIGHT] * len(own),
                "customdata": [plotly_text(str(text)) for text in own["text"]],
                "showlegend": len(own) > 0,
            }
            for own in (notes[~topical], notes[topical])
        ]

    def _topic_lines(self, notes: pd.DataFrame) -> list[Figure]:
        return [
            {
                "type": "line",
                "xref": "x",
                "yref": "y domain",
                "x0": at,
                "x1": at,
                "y0": 0,
                "y1": 1,
                "line": {"width": 1.5, "color": self._palette.note, "dash": "dash"},
                "opacity": 0.7,
            }
            for at in local_times(notes.loc[notes["kind"] == NoteKind.TOPIC, "at"], self._zone)
        ]

    def _topic_names(self, notes: pd.DataFrame, span: Span) -> list[Figure]:
        """The names of the topics beside their lines, where there is room for them."""
        topics = notes[notes["kind"] == NoteKind.TOPIC]
        first, last = span
        length = max(last - first, FIRST_SPAN)
        places = [(at.to_pydatetime() - first) / length for at in topics["at"]]
        names = []
        for place, after, at, text in zip(
            places,
            [*places, None][1:],
            local_times(topics["at"], self._zone),
            topics["text"],
            strict=True,
        ):
            if after is not None and after - place < _TOPIC_ROOM:
                continue
            words = str(text).replace("\n", " ")
            short = words if len(words) <= _TOPIC_LENGTH else f"{words[: _TOPIC_LENGTH - 1].rstrip()}…"
            names.append(
                {
                    "xref": "x",
                    "yref": "y domain",
                    "x": at,
                    "y": 1,
                    "yanchor": "top",
                    # at the right end there is no room to the right of the line
                    "xanchor": "right" if place > 1 - _TOPIC_ROOM else "left",
                    "text": plotly_text(short),
                    "showarrow": False,
                    "font": {"color": self._palette.note, "size": 11},
                    "bgcolor": with_opacity(self._palette.card, 0.85),
                    "borderpad": 2,
                }
            )
        return names

    def _empty_traces(self) -> list[Figure]:
        palette = self._palette
        tall = self._view == "presence"
        strip: list[Figure] = [
            {
                "name": _AREA,
                "stackgroup": "read",
                "line": {"width": 0, "color": palette.mood},
                "fillcolor": with_opacity(palette.mood, 0.16),
                "showlegend": False,
                "hoverinfo": "skip",
                "yaxis": "y" if tall else "y2",
            },
            {
                "name": COVERAGE,
                "legendrank": 1001,
                "line": {"color": palette.mood, "width": 1.5},
                "hovertemplate": "%{customdata} read<extra></extra>",
                "yaxis": "y" if tall else "y2",
            },
            {
                "name": FACING,
                "legendrank": 1002,
                "line": {"color": palette.note, "width": 1.5, "dash": "dot"},
                "hovertemplate": "%{y:.0%} facing the screen<extra></extra>",
                "yaxis": "y" if tall else "y2",
            },
            {
                "name": NOTES,
                "legendrank": 1003,
                "mode": "markers",
                "marker": {"symbol": "triangle-down", "size": 11, "color": palette.note},
                "hovertemplate": "%{x|%H:%M}  %{customdata}<extra></extra>",
                "yaxis": "y3",
                "cliponaxis": False,
            },
            {
                "name": TOPICS,
                "legendrank": 1004,
                "mode": "markers",
                "marker": {"symbol": "square", "size": 9, "color": palette.note},
                "hovertemplate": "%{x|%H:%M}  %{customdata} begins<extra></extra>",
                "yaxis": "y3",
                "cliponaxis": False,
            },
        ]
        above: list[Figure] = []
        if self._view == "mood":
            above = [
                {
                    "name": "low",
                    "line": {"width": 0},
                    "showlegend": False,
                    "hoverinfo": "skip",
                },
                {
                    "name": "95 % band",
                    "line": {"width": 0},
                    "fill": "tonexty",
                    "fillcolor": with_opacity(palette.mood, 0.20),
                    "hoverinfo": "skip",
                },
                {
                    "name": "Mood",
                    "legendrank": 999,
                    "line": {"color": palette.mood, "width": 2.5, "shape": "spline", "smoothing": 0.4},
                    "hovertemplate": "mood %{y:+.2f} (%{customdata} read)<extra></extra>",
                },
            ]
        elif self._view == "shares":
            above = [
                {
                    "name": word,
                    "stackgroup": "expressions",
                    "line": {"width": 0, "color": palette.expressions[name]},
                    "fillcolor": with_opacity(palette.expressions[name], 0.72),
                    "fillpattern": {
                        "shape": _FILL_PATTERNS[name],
                        "fgcolor": palette.card,
                        "fgopacity": 0.55,
                        "fillmode": "overlay",
                        "size": 7,
                        "solidity": 0.22,
                    },
                    "hovertemplate": f"%{{y:.0%}} {word.lower()}<extra></extra>",
                }
                for name, word in EXPRESSIONS.items()
            ]
        traces = [*strip, *above]
        for trace in traces:
            trace.setdefault("mode", "lines")
            trace.update({"type": "scatter", "x": [], "y": [], "connectgaps": False})
        return traces

    def _room(self, first: datetime) -> Figure:
        return {
            "name": ROOM,
            "type": "scatter",
            "mode": "lines",
            "x": [local_time(at, self._zone) for at in (first, first + FIRST_SPAN)],
            "y": [0.0, 0.0],
            "line": {"width": 0},
            "showlegend": False,
            "hoverinfo": "skip",
            "yaxis": "y3",
        }

    def _layout(
        self,
        lows: Sequence[tuple[datetime, datetime]],
        key: str,
        *,
        numbered: bool,
        span: Span | None,
    ) -> Figure:
        share_axis = {
            "range": [0, 1.02],
            "tickformat": ".0%",
            "fixedrange": True,
            "nticks": 4,
            "automargin": False,
        }
        top, bottom = [0.30, 1.0], [0.0, 0.17]
        axes: Figure
        if self._view == "presence":
            axes = {
                "yaxis": {**share_axis, "domain": [0.0, 1.0]},
                "yaxis2": {"visible": False, "domain": [0, 0.01]},
            }
        elif self._view == "shares":
            axes = {
                "yaxis": {**share_axis, "range": [0, 1], "domain": top},
                "yaxis2": {**share_axis, "domain": bottom, "tickvals": [0, 0.5, 1]},
            }
        else:
            axes = {
                "yaxis": {
                    "range": list(_MOOD_RANGE),
                    "domain": top,
                    "fixedrange": True,
                    "automargin": False,
                    "tickvals": [-0.6, -0.3, 0, 0.3, 0.6],
                    "ticktext": ["negative", "", "neutral", "", "positive"],
                    "zeroline": True,
                    "zerolinewidth": 1.5,
                },
                "yaxis2": {**share_axis, "domain": bottom, "tickvals": [0, 0.5, 1]},
            }
        axis: Figure = {
            **_TIME_AXIS,
            # the margins are there: where Plotly measures them it draws the chart twice
            "automargin": False,
            "anchor": "y" if self._view == "presence" else "y2",
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": self._palette.grid,
        }
        if span is not None:
            axis["range"] = _range(span, self._zone)
        return {
            "template": template(self._scheme),
            # room for one row of the legend: where Plotly has to make it, it first draws the legend into the chart
            "margin": {"l": 62, "r": 14, "t": 48, "b": 26},
            "hovermode": "x unified",
            "dragmode": "zoom",
            "uirevision": key,
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"size": 12},
                "traceorder": "normal",
                "itemwidth": 30,
                "entrywidth": _KEY_WIDTH,
            },
            "xaxis": axis,
            **axes,
            "yaxis3": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
            "shapes": self._shapes(lows),
            "annotations": self._numbers(lows) if numbered else [],
        }

    def _shapes(self, lows: Sequence[tuple[datetime, datetime]]) -> list[Figure]:
        return [
            {
                "type": "rect",
                "xref": "x",
                "yref": "y domain",
                "x0": local_time(start, self._zone),
                "x1": local_time(end, self._zone),
                "y0": 0,
                "y1": 1,
                "fillcolor": with_opacity(self._palette.low, 0.14),
                "line": {"width": 1, "color": with_opacity(self._palette.low, 0.5), "dash": "dot"},
                "layer": "below",
            }
            for start, end in lows
        ]

    def _numbers(self, lows: Sequence[tuple[datetime, datetime]]) -> list[Figure]:
        return [
            {
                "xref": "x",
                "yref": "y domain",
                "x": local_time(start + (end - start) / 2, self._zone),
                "y": 0.02,
                "yanchor": "bottom",
                "text": f"<b>{number}</b>",
                "showarrow": False,
                "font": {"color": self._palette.low, "size": 13},
                "bgcolor": self._palette.card,
                "bordercolor": self._palette.low,
                "borderpad": 3,
            }
            for number, (start, end) in enumerate(lows, start=1)
        ]


def _times_of(intervals: pd.DataFrame) -> Span | None:
    """When the first and the last interval began, None where there is none."""
    if intervals.empty:
        return None
    times = intervals["started_at"]
    return times.iloc[0].to_pydatetime(), times.iloc[-1].to_pydatetime()


def coverage(intervals: pd.DataFrame) -> "pd.Series[float]":
    """Seats read / seats present per interval, 0..1; NaN where nobody was present or nothing was observed."""
    present = intervals["tiles"].astype(float)
    return (intervals["n_seen"].astype(float) / present.where(present > 0)).rename("coverage")


def smoothed(share: "pd.Series[float]", intervals: pd.DataFrame) -> "pd.Series[float]":
    """The mean of a share over the last `SHARE_WINDOW`; NaN stays NaN."""
    timed = pd.Series(share.to_numpy(dtype=float), index=intervals["started_at"])
    mean = timed.rolling(SHARE_WINDOW, min_periods=1).mean().where(timed.notna())
    return mean.reset_index(drop=True)


def expression_shares(intervals: pd.DataFrame) -> pd.DataFrame:
    """Share of each expression among the faces read in the last `SHARE_WINDOW`, one column per expression.

    Rows sum to 1; NaN where no face was read in the window, or the interval itself was not observed.
    """
    counts = intervals.set_index("started_at")[list(EXPRESSIONS)].astype(float)
    sums = counts.rolling(SHARE_WINDOW, min_periods=1).sum()
    total = sums.sum(axis="columns")
    shares = sums.div(total.where(total > 0), axis="index")
    return shares.where(counts.notna().all(axis="columns")).reset_index(drop=True)


def drawable(intervals: pd.DataFrame) -> bool:
    """Whether there are intervals enough for a line or an area: one alone has no width."""
    return len(intervals) > 1


def states_figure(
    intervals: pd.DataFrame, scheme: Scheme, zone: tzinfo | None, span: Span | None = None
) -> Figure:
    """How many seats were in which state over the session, stacked, in about 150 steps.

    Args:
        intervals: as from `queries.intervals_since`, of a whole session.
        scheme: light or dark.
        zone: of the viewer.
        span: of the time axis, None for that of the rows.
    """
    palette = PALETTES[scheme]
    columns = [f"n_{state}" for state in State]
    binned = _binned(intervals, columns)
    times = local_times(binned["started_at"], zone)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": STATES[state].capitalize(),
            "stackgroup": "states",
            "x": times,
            "y": _json(binned[f"n_{state}"]),
            "line": {"width": 0, "color": palette.states[state]},
            "fillcolor": with_opacity(palette.states[state], 0.65),
            "fillpattern": {
                "shape": _STATE_PATTERNS[state],
                "fgcolor": palette.card,
                "fgopacity": 0.55,
                "fillmode": "overlay",
                "size": 7,
                "solidity": 0.22,
            },
            "hovertemplate": f"%{{y:.0f}} {STATES[state]}<extra></extra>",
        }
        for state in State
        if intervals[f"n_{state}"].sum() > 0
    ]
    return {
        "data": traces,
        "layout": _plain_layout(
            scheme, _range(span, zone), yaxis={"title": {"text": "seats"}, "rangemode": "tozero"}
        ),
    }


_STATE_PATTERNS = {
    State.SEEN: "",
    State.TURNED_AWAY: "/",
    State.NO_FACE: "x",
    State.CAMERA_OFF: "-",
    State.UNREADABLE: ".",
    State.OPTED_OUT: "|",
}


def seat_strips_figure(
    readings: pd.DataFrame,
    names: dict[int, str],
    scheme: Scheme,
    zone: tzinfo | None,
    span: Span | None = None,
    episodes: pd.DataFrame | None = None,
) -> Figure:
    """One strip per seat: its most frequent state per step of time, with its episodes as lines over it.

    Args:
        readings: as from `queries.readings_since`, of a whole session.
        names: display name per seat number, in the order from top to bottom.
        scheme: light or dark.
        zone: of the viewer.
        span: of the time axis, None for that of the rows.
        episodes: as from `queries.episodes`; those of the class and of seats without a strip are left out.
    """
    palette = PALETTES[scheme]
    states = list(State)
    length = readings["started_at"].max() - readings["started_at"].min()
    step = pd.Timedelta(seconds=max(5.0, np.ceil(length.total_seconds() / 360)))
    codes = readings["state"].map({state.value: code for code, state in enumerate(states)})
    counts = (
        pd.DataFrame({"seat": readings["seat"], "at": readings["started_at"].dt.floor(step), "code": codes})
        .value_counts()
        .reset_index(name="n")
        .sort_values("n")
        .drop_duplicates(["seat", "at"], keep="last")
    )
    steps = counts["at"].drop_duplicates().sort_values()
    ahead = steps.diff().shift(-1).dt.total_seconds()
    usual = max(step.total_seconds(), ahead.median()) if len(steps) > 1 else step.total_seconds()
    # a cell reaches to the next one: where nothing was read for long, an empty one stands between
    steps = pd.concat([steps, steps[ahead > 3 * usual] + pd.Timedelta(seconds=usual)]).sort_values()
    grid = counts.pivot_table(index="seat", columns="at", values="code", aggfunc="last")
    grid = grid.reindex(index=list(names), columns=pd.DatetimeIndex(steps))
    # the edges of the cells: one step alone would have no width
    times = local_times(pd.concat([steps, steps.tail(1) + step]), zone)
    colours = [palette.states[state] for state in states]
    edges = np.linspace(0, 1, len(states) + 1)
    labels = [plotly_text(name) for name in names.values()]
    short = [plotly_text(name if len(name) < 24 else name[:22] + "…") for name in names.values()]
    words = [STATES[state] for state in states]
    cells = grid.to_numpy(dtype=float)
    heat: Figure = {
        "type": "heatmap",
        "x": times,
        "y": list(range(len(labels))),
        "z": [[None if np.isnan(cell) else int(cell) for cell in row] for row in cells],
        "customdata": [
            ["" if np.isnan(cell) else f"{label}: {words[int(cell)]}" for cell in row]
            for label, row in zip(labels, cells, strict=True)
        ],
        "zmin": -0.5,
        "zmax": len(states) - 0.5,
        "colorscale": [
            stop
            for code, colour in enumerate(colours)
            for stop in ([float(edges[code]), colour], [float(edges[code + 1]), colour])
        ],
        "showscale": False,
        "ygap": 8,
        "opacity": 0.85,
        "hovertemplate": "%{x|%H:%M}  %{customdata}<extra></extra>",
    }
    present = sorted({int(code) for code in np.unique(cells[~np.isnan(cells)])})
    keys: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": words[code],
            "x": [None],
            "y": [None],
            "marker": {"symbol": "square", "size": 11, "color": colours[code]},
            "hoverinfo": "skip",
        }
        for code in present
    ]
    layout = _plain_layout(
        scheme,
        _range(span, zone),
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": short,
            "range": [len(labels) - 0.5, -0.5],
            "showgrid": False,
            "automargin": True,
            "fixedrange": True,
        },
    )
    layout["height"] = 70 + 21 * len(labels)
    layout["hovermode"] = "closest"
    marks = [] if episodes is None else _episode_marks(episodes, names, scheme, zone, times[-1])
    return {"data": [heat, *keys, *marks], "layout": layout}


def _episode_marks(
    episodes: pd.DataFrame, names: dict[int, str], scheme: Scheme, zone: tzinfo | None, end: str
) -> list[Figure]:
    """One line per episode from its start to its end (to `end` while it is open), with its reason as hover text."""
    rows = {seat: row for row, seat in enumerate(names)}
    own = episodes[episodes["seat"].isin(list(rows)) & (episodes["rule"] != Rule.CAMERA_OFF.value)]
    if own.empty:
        return []
    x: list[str | None] = []
    y: list[int | None] = []
    words: list[str] = []
    for start, episode in zip(local_times(own["started_at"], zone), own.to_dict("records"), strict=True):
        stop = end if pd.isna(episode["ended_at"]) else local_time(episode["ended_at"], zone)
        row = rows[int(episode["seat"])]
        x += [start, stop, None]
        y += [row, row, None]
        words += [plotly_text(str(episode["reason"]))] * 2 + [""]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "episode",
            "x": x,
            "y": y,
            "customdata": words,
            "line": {"color": PALETTES[scheme].text, "width": 2},
            "marker": {"symbol": "diamond", "size": 6, "color": PALETTES[scheme].text},
            "connectgaps": False,
            "hovertemplate": "%{x|%H:%M}  %{customdata}<extra></extra>",
        }
    ]


def describe_timeline(intervals: pd.DataFrame, zone: tzinfo | None) -> str:
    """The timeline in one or two sentences, for who cannot see it."""
    if intervals.empty:
        return "Nothing was read yet."
    times = intervals["started_at"]
    first, last = times.iloc[0].to_pydatetime(), times.iloc[-1].to_pydatetime()
    parts = [f"From {clock(first, zone)} to {clock(last, zone)}, {duration((last - first).total_seconds())}."]
    valence = readable_mood(intervals)
    if valence.notna().any():
        lowest = (
            int(valence.to_numpy().argmin()) if valence.notna().all() else int(valence.fillna(2).argmin())
        )
        now = valence.iloc[-1]
        parts.append(
            f"Mood between {signed(valence.min())} and {signed(valence.max())}, lowest at "
            f"{clock(times.iloc[lowest].to_pydatetime(), zone)}"
            + (", not read at the end." if np.isnan(now) else f", {signed(now)} at the end.")
        )
    present = float(intervals["tiles"].sum())
    read = float(intervals["n_seen"].sum()) / present if present else None
    parts.append(f"On average {percent(read)} of the seats were read.")
    unseen = int(intervals["not_observed"].notna().sum())
    if unseen:
        parts.append(f"{count(unseen, 'interval')} could not be observed.")
    return " ".join(parts)


def describe_shares(intervals: pd.DataFrame) -> str:
    """The shares of the expressions over all intervals in one sentence."""
    totals = {name: float(intervals[name].astype(float).sum()) for name in EXPRESSIONS}
    read = sum(totals.values())
    if read == 0:
        return "No expression was read."
    often = sorted(totals, key=lambda name: -totals[name])
    words = ", ".join(f"{EXPRESSIONS[name].lower()} {percent(totals[name] / read)}" for name in often)
    return f"Expressions among the faces read: {words}."


def describe_states(intervals: pd.DataFrame) -> str:
    """The shares of the states over all intervals in one sentence."""
    totals = {state: int(intervals[f"n_{state}"].sum()) for state in State}
    present = sum(totals.values())
    if present == 0:
        return "Nobody was seen."
    words = ", ".join(
        f"{STATES[state]} {percent(total / present)}" for state, total in totals.items() if total
    )
    return f"Seats over the lesson: {words}."


def _range(span: Span | None, zone: tzinfo | None) -> list[str] | None:
    """The range of a time axis as Plotly takes it, None for its own choice."""
    return None if span is None else [local_time(at, zone) for at in span]


def _mark_single(trace: Figure) -> None:
    """Markers on the values that stand between gaps, which no line would show."""
    there = [False, *(value is not None for value in trace["y"]), False]
    alone = [here and not (there[n] or there[n + 2]) for n, here in enumerate(there[1:-1])]
    if any(alone):
        trace["mode"] = "lines+markers"
        trace["marker"] = {"size": [6 if single else 0 for single in alone]}


def _plain_layout(scheme: Scheme, span: list[str] | None, *, yaxis: Figure) -> Figure:
    return {
        "template": template(scheme),
        "margin": {"l": 62, "r": 14, "t": 30, "b": 26},
        "hovermode": "x unified",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "itemwidth": 30,
            "traceorder": "normal",
            "entrywidth": _KEY_WIDTH,
        },
        "xaxis": {**_TIME_AXIS, "range": span} if span else {**_TIME_AXIS},
        "yaxis": yaxis,
    }


def _binned(intervals: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Means of about 150 stretches, over what was observed of each; NaN where nothing was."""
    if intervals.empty:
        return intervals[["started_at", *columns]]
    span = (intervals["started_at"].iloc[-1] - intervals["started_at"].iloc[0]).total_seconds()
    step = pd.Timedelta(seconds=max(1.0, np.ceil(span / 150)))
    observed = intervals[columns].where(intervals["not_observed"].isna())
    return observed.groupby(intervals["started_at"].dt.floor(step)).mean().round(1).reset_index()


def _read_of(intervals: pd.DataFrame) -> list[str]:
    pairs = zip(intervals["n_seen"], intervals["tiles"], strict=True)
    return [f"{int(seen)} of {int(tiles)}" for seen, tiles in pairs]


def every(column: list[Any], step: int) -> list[Any]:
    """Each `step`-th value up to the last one; None where one of those that it stands for is None.

    The values are smoothed over more time than that, and a gap stays a gap.
    """
    if step == 1:
        return column
    ends = range((len(column) - 1) % step, len(column), step)
    return [None if None in column[max(0, end - step + 1) : end + 1] else column[end] for end in ends]


def _json(values: "pd.Series[float]") -> list[float | None]:
    """Floats rounded for the wire, None for NaN."""
    return [None if np.isnan(value) else round(float(value), 4) for value in values.to_numpy(dtype=float)]
