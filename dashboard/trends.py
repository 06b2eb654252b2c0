"""Charts and sentences of the page Trends, made of the figures of `storage.trend_queries`. Pure functions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from types import MappingProxyType
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.theme import PALETTES, Palette, Scheme, template, with_opacity
from dashboard.wording import clock, day, percent
from engagement.phrases import count, duration, signed
from engagement.records import Mode
from engagement.trends import Comparison, Measure, MoodGap, SessionFigures

FEWEST_SESSIONS: Final = 2
"""One session is a report; a trend begins with the second."""

HALF: Final = 0.5
"""Under this coverage a session's mark is hollow: most of the class is not in its mood."""

MEASURES: Final[Mapping[Measure, str]] = MappingProxyType(
    {Measure.MOOD: "Mood", Measure.FACING: "Facing", Measure.COVERAGE: "Read"}
)

GAPS: Final[Mapping[MoodGap, str]] = MappingProxyType(
    {
        MoodGap.MODE: "participation mode",
        MoodGap.NOT_OBSERVED: "nothing observed",
        MoodGap.SHORT: "too short",
        MoodGap.FEW: "too few faces read",
        MoodGap.SEATS: "too few of the seats read",
    }
)

_TICKS: Final = 6
_KEY_WIDTH: Final = 78
_TOP, _BOTTOM = (0.34, 1.0), (0.0, 0.2)
_SHARE_AXIS: Final[Figure] = {
    "range": [0, 1.04],
    "tickformat": ".0%",
    "fixedrange": True,
    "tickvals": [0, 0.5, 1],
}


def with_mood(sessions: Sequence[SessionFigures]) -> bool:
    """Whether any of the sessions may have a mood: participation sessions have none."""
    return any(session.mode is not Mode.PARTICIPATION for session in sessions)


def course_figure(sessions: Sequence[SessionFigures], scheme: Scheme, zone: tzinfo | None) -> Figure:
    """Mood with its band per session, above how much was read and how many faced the screen.

    Args:
        sessions: as from `trend_queries.class_sessions`.
        scheme: light or dark.
        zone: of the viewer.
    """
    palette = PALETTES[scheme]
    places = _places(sessions, zone)
    tall = not with_mood(sessions)
    few = [(session.coverage or 0) < HALF for session in sessions]
    axis = "y" if tall else "y2"
    traces = [
        {
            **_line("Read", palette.mood, width=1.5),
            "legendrank": 1001,
            "x": places,
            "y": [_rounded(session.coverage) for session in sessions],
            "fill": "tozeroy",
            "fillcolor": with_opacity(palette.mood, 0.16),
            "hovertemplate": "%{y:.0%} read<extra></extra>",
            "yaxis": axis,
        },
        {
            **_line("Facing", palette.note, width=1.5),
            "legendrank": 1002,
            "line": {"color": palette.note, "width": 1.5, "dash": "dot"},
            "x": places,
            "y": [_rounded(session.facing) for session in sessions],
            "hovertemplate": "%{y:.0%} facing the screen<extra></extra>",
            "yaxis": axis,
        },
    ]
    if not tall:
        moods = [session.told_mood for session in sessions]
        traces += [
            {
                **_line("Mood", palette.mood, width=2),
                "legendrank": 999,
                "mode": "lines+markers",
                "marker": {
                    "size": 9,
                    "symbol": ["circle-open" if hollow else "circle" for hollow in few],
                    "line": {"width": 2, "color": palette.mood},
                    "color": palette.mood,
                },
                "x": places,
                "y": [_rounded(mood) for mood in moods],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        _reach(mood, session.high) for session, mood in zip(sessions, moods, strict=True)
                    ],
                    "arrayminus": [
                        _reach(mood, session.low) for session, mood in zip(sessions, moods, strict=True)
                    ],
                    "thickness": 5,
                    "width": 0,
                    "color": with_opacity(palette.mood, 0.3),
                },
                "customdata": [percent(session.coverage) for session in sessions],
                "hovertemplate": "mood %{y:+.2f} (%{customdata} read)<extra></extra>",
            },
        ]
    layout = _layout(scheme, palette)
    layout["xaxis"] |= _day_axis(places)
    layout["xaxis"]["anchor"] = axis
    if tall:
        layout["yaxis"] = {**_SHARE_AXIS, "domain": [0, 1]}
        layout["yaxis2"] = {"visible": False, "domain": [0, 0.01]}
    else:
        layout["yaxis"] = _mood_axis(
            [(session.low, session.high) for session in sessions if not session.mood_gap]
        )
        layout["yaxis2"] = {**_SHARE_AXIS, "domain": list(_BOTTOM)}
    return {"data": traces, "layout": layout}


def attendance_figure(sessions: Sequence[SessionFigures], scheme: Scheme, zone: tzinfo | None) -> Figure:
    """Most participants shown at once, per session."""
    values = [session.most_tiles or None for session in sessions]
    return _bars(sessions, values, "%{y} at once<extra></extra>", scheme, zone)


def length_figure(sessions: Sequence[SessionFigures], scheme: Scheme, zone: tzinfo | None) -> Figure:
    """Minutes from start to end, per session."""
    values = [round(session.length / 60, 1) for session in sessions]
    return _bars(sessions, values, "%{y:.0f} min<extra></extra>", scheme, zone)


def comparison_figure(comparison: Comparison, scheme: Scheme) -> Figure:
    """One lesson as a line over the quiet band of the ones before it, by minutes from its start."""
    palette = PALETTES[scheme]
    minutes = list(range(len(comparison.values)))
    mood = comparison.measure is Measure.MOOD
    strip = comparison.measure is not Measure.COVERAGE
    word = MEASURES[comparison.measure]
    shape = (
        "mood %{y:+.2f} (%{customdata} read)" if mood else f"%{{y:.0%}} {word.lower()} (%{{customdata}} read)"
    )
    traces: list[Figure] = []
    if comparison.earlier:
        traces += _band(minutes, comparison.low, comparison.high, palette.muted, "Earlier ones")
        traces.append(
            {
                **_line("Their middle", palette.muted, width=1.2),
                "line": {"color": palette.muted, "width": 1.2, "dash": "dash"},
                "x": minutes,
                "y": [_rounded(value) for value in comparison.middle],
                "hovertemplate": (
                    "%{y:+.2f} in the earlier ones<extra></extra>"
                    if mood
                    else "%{y:.0%} in the earlier ones<extra></extra>"
                ),
            }
        )
    traces.append(
        {
            **_line("This lesson", palette.mood, width=2.5),
            "legendrank": 999,
            "x": minutes,
            "y": [_rounded(value) for value in comparison.values],
            "customdata": [percent(value) for value in comparison.coverage],
            "hovertemplate": f"{shape if strip else '%{y:.0%} read'}<extra></extra>",
        }
    )
    if strip:
        traces.append(
            {
                **_line("Read", palette.mood, width=1.5),
                "legendrank": 1001,
                "x": minutes,
                "y": [_rounded(value) for value in comparison.coverage],
                "fill": "tozeroy",
                "fillcolor": with_opacity(palette.mood, 0.16),
                "hoverinfo": "skip",
                "yaxis": "y2",
            }
        )
    layout = _layout(scheme, palette)
    layout["xaxis"] |= {
        "title": {"text": "minutes from the start", "standoff": 6},
        "anchor": "y2" if strip else "y",
        "hoverformat": "d",
        "ticksuffix": "",
        "nticks": 10,
        "range": [0, max(len(minutes) - 1, 1)],
    }
    layout["margin"]["b"] = 40
    if mood:
        ends = [*zip(comparison.low, comparison.high, strict=True)]
        layout["yaxis"] = _mood_axis([*ends, *((value, value) for value in comparison.values)])
    else:
        layout["yaxis"] = {**_SHARE_AXIS, "domain": list(_TOP) if strip else [0, 1]}
    if strip:
        layout["yaxis2"] = {**_SHARE_AXIS, "domain": list(_BOTTOM)}
    for trace in traces:
        _mark_alone(trace)
    return {"data": traces, "layout": layout}


def sentences(sessions: Sequence[SessionFigures], zone: tzinfo | None) -> list[str]:
    """The sessions of a class in a few sentences: ranges and how much stands behind them, no direction.

    Args:
        sessions: at least one, as from `trend_queries.class_sessions`.
        zone: of the viewer.
    """
    first, last = day(sessions[0].started_at, zone), day(sessions[-1].started_at, zone)
    over = f"on {first}" if first == last else f"from {first} to {last}"
    mean = sum(session.length for session in sessions) / len(sessions)
    told = [f"{count(len(sessions), 'session')} {over}, {duration(mean)} long on average."]
    if with_mood(sessions):
        told.append(_mood_sentence(sessions))
    coverage = [session.coverage for session in sessions if session.coverage is not None]
    if coverage:
        seats = [session.most_tiles for session in sessions if session.most_tiles]
        word = "read" if with_mood(sessions) else "seen"
        told.append(
            f"Of the seats shown, {_range([percent(min(coverage)), percent(max(coverage))])} could be {word}. The most "
            f"shown at once: {_range([str(min(seats)), str(max(seats))])}."
        )
    facing = [session.facing for session in sessions if session.facing is not None]
    if facing:
        told.append(
            f"Of the faces found, {_range([percent(min(facing)), percent(max(facing))])} faced the screen."
        )
    return told


def comparison_sentences(comparison: Comparison) -> list[str]:
    """What a comparison shows, for all readers and for those who cannot see it."""
    word = MEASURES[comparison.measure].lower()
    if not any(value is not None for value in comparison.values):
        if comparison.measure is Measure.MOOD:
            return [
                "No mood was kept in this lesson: its mode keeps none, or too few faces were read at once."
            ]
        return ["Nothing of this was read in this lesson."]
    if not comparison.earlier:
        return [f"No earlier session of this class has a figure for {word}."]
    # a mood has an article, shares have nouns
    subject = {
        Measure.MOOD: "the mood",
        Measure.FACING: "the share that faced the screen",
        Measure.COVERAGE: "the share of the seats read",
    }[comparison.measure]
    band = "the middle half" if comparison.is_half else "all" if comparison.earlier > 1 else "the line"
    of = count(comparison.earlier, "earlier session")
    found = [
        f"{_spans(stretches)} {subject} was {side} {band} of {of}."
        for side, stretches in (("above", comparison.above), ("below", comparison.below))
        if stretches
    ]
    quiet = f"For no three minutes in a row was {subject} clearly outside {band} of {of}."
    told = (
        [found[0][0].upper() + found[0][1:], *(one[0].upper() + one[1:] for one in found[1:])]
        if found
        else [quiet]
    )
    return [*told, "Lessons differ in what is taught: a difference is a reason to remember, not a verdict."]


def session_rows(sessions: Sequence[SessionFigures], zone: tzinfo | None) -> list[dict[str, Any]]:
    """The sessions as text, the newest first: id, when, length, most at once, read, facing, mood, mode's own words."""
    return [
        {
            "id": session.id,
            "when": f"{day(session.started_at, zone)}, {clock(session.started_at, zone)}",
            "length": duration(session.length) + (" so far" if session.runs else ""),
            "seats": str(session.most_tiles or "–"),
            "read": percent(session.coverage),
            "facing": percent(session.facing),
            "mood": mood_text(session),
        }
        for session in reversed(sessions)
    ]


def mood_text(session: SessionFigures) -> str:
    """Mood and band such as "+0.12 (+0.05 to +0.20)", or why there is none."""
    if session.mood_gap is not None:
        return f"– ({GAPS[session.mood_gap]})"
    assert session.mood is not None  # noqa: S101 - what `mood_gap` says
    band = (
        ""
        if session.low is None or session.high is None
        else f" ({signed(session.low)} to {signed(session.high)})"
    )
    return f"{signed(session.mood)}{band}"


def when(session: SessionFigures, zone: tzinfo | None) -> str:
    """Day and time of a session, "Fri 20 Nov 2026, 10:05"."""
    return f"{day(session.started_at, zone)}, {clock(session.started_at, zone)}"


def _mood_sentence(sessions: Sequence[SessionFigures]) -> str:
    moods = [session.told_mood for session in sessions if session.told_mood is not None]
    gaps = Counter(session.mood_gap for session in sessions if session.mood_gap is not None)
    why = ", ".join(f"{GAPS[gap]} {number}" for gap, number in gaps.most_common())
    rest = f" The others have none ({why})." if gaps else ""
    if not moods:
        return f"No session has a mood that could be told ({why})."
    few = sum((session.coverage or 0) < HALF for session in sessions if session.told_mood is not None)
    hollow = f" In {few} of these, fewer than half of the seats were read (hollow marks)." if few else ""
    span = _range([signed(min(moods)), signed(max(moods))], "between", "and")
    return f"The mean mood of {len(moods)} of {count(len(sessions), 'session')} lay {span}.{hollow}{rest}"


def _range(ends: Sequence[str], before: str = "", between: str = "to") -> str:
    low, high = ends
    if low == high:
        return f"at {low}" if before else low
    return f"{before} {low} {between} {high}".strip()


def _spans(stretches: Sequence[tuple[int, int]]) -> str:
    parts = [f"{first} to {last + 1}" for first, last in stretches]
    return "from minute " + ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def _line(name: str, colour: str, width: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "connectgaps": False,
        "line": {"color": colour, "width": width},
    }


def _band(
    x: Sequence[int],
    low: Sequence[float | None],
    high: Sequence[float | None],
    colour: str,
    name: str,
) -> list[Figure]:
    """A filled area per stretch without gaps: one area over all would bridge them."""
    traces: list[Figure] = []
    edge = {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "legendgroup": name,
    }
    for stretch in _runs([a is not None and b is not None for a, b in zip(low, high, strict=True)]):
        places = [x[n] for n in stretch]
        bottom, top = [_rounded(low[n]) for n in stretch], [_rounded(high[n]) for n in stretch]
        if len(places) == 1:
            # a lone one has no width of its own
            places, bottom, top = [places[0] - 0.2, places[0] + 0.2], bottom * 2, top * 2  # type: ignore[list-item]
        traces.append({**edge, "name": f"{name}, lower end", "showlegend": False, "x": places, "y": bottom})
        traces.append(
            {
                **edge,
                "name": name,
                "showlegend": len(traces) == 1,
                "x": places,
                "y": top,
                "fill": "tonexty",
                "fillcolor": with_opacity(colour, 0.2),
            }
        )
    return traces


def _runs(there: Sequence[bool]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place, is_there in enumerate(there):
        if is_there and place and there[place - 1]:
            runs[-1].append(place)
        elif is_there:
            runs.append([place])
    return runs


def _bars(
    sessions: Sequence[SessionFigures],
    values: Sequence[float | None],
    hover: str,
    scheme: Scheme,
    zone: tzinfo | None,
) -> Figure:
    palette = PALETTES[scheme]
    layout = _layout(scheme, palette)
    layout["xaxis"] |= _day_axis(_places(sessions, zone))
    layout["yaxis"] = {"rangemode": "tozero", "fixedrange": True, "nticks": 4}
    layout["showlegend"] = False
    layout["margin"] |= {"l": 40, "t": 10}
    layout["bargap"] = 0.35
    bar = {
        "type": "bar",
        "x": _places(sessions, zone),
        "y": list(values),
        "marker": {"color": with_opacity(palette.mood, 0.75), "cornerradius": 3},
        "hovertemplate": hover,
    }
    return {"data": [bar], "layout": layout}


def _layout(scheme: Scheme, palette: Palette) -> Figure:
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
            "traceorder": "normal",
            "itemwidth": 30,
            "entrywidth": _KEY_WIDTH,
        },
        "xaxis": {
            "showgrid": False,
            "fixedrange": True,
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": palette.grid,
        },
    }


def _day_axis(places: Sequence[str]) -> Figure:
    """One place per session whatever time lies between them; every few of them carries its day."""
    # from the newest backwards, so that the last always has its day
    shown = list(places[::-1][:: -(-len(places) // _TICKS)])[::-1]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(places),
        "range": [-0.5, len(places) - 0.5],
        "tickvals": shown,
        "tickangle": 0,
        "ticktext": [" ".join(place.split(" ")[1:3]) for place in shown],
    }


def _places(sessions: Sequence[SessionFigures], zone: tzinfo | None) -> list[str]:
    """Where each session stands on the axis: its day and time, numbered where two share a minute."""
    names: list[str] = []
    for session in sessions:
        name = when(session, zone)
        names.append(name if name not in names else f"{name} (session {session.id})")
    return names


def _mood_axis(ends: Sequence[tuple[float | None, float | None]]) -> Figure:
    """As wide as it must be, at least ±0.4, in whole fifths: sessions differ by little, and little must look little."""
    widest = max([abs(end) for pair in ends for end in pair if end is not None], default=0.0)
    half = 0.4 if widest <= 0.4 else 0.6 if widest <= 0.6 else 1.0
    step = half / 2
    return {
        "range": [-half * 1.05, half * 1.05],
        "domain": list(_TOP),
        "fixedrange": True,
        "tickvals": [-half, -step, 0, step, half],
        "ticktext": [f"−{half:g}", "", "neutral", "", f"+{half:g}"],
        "zeroline": True,
        "zerolinewidth": 1.5,
    }


def _mark_alone(trace: Figure) -> None:
    """A marker on a value between two gaps, which no line would show."""
    there = [False, *(value is not None for value in trace["y"]), False]
    alone = [here and not (there[n] or there[n + 2]) for n, here in enumerate(there[1:-1])]
    if any(alone):
        trace["mode"] = "lines+markers"
        trace["marker"] = {"size": [6 if single else 0 for single in alone]}


def _reach(mood: float | None, end: float | None) -> float | None:
    """Length of an error bar from the mood to an end of its band."""
    return None if mood is None or end is None else round(abs(end - mood), 4)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
