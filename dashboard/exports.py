"""A session as one self-contained HTML file, PDF, CSV, workbook and JSON. Names and notes are hostile text in each."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sqlalchemy import Engine

from dashboard import figures
from dashboard.cells import harmless
from dashboard.charts import plotly_js
from dashboard.material import Material, read_material
from dashboard.printing import print_pdf
from dashboard.theme import PALETTES
from dashboard.wording import (
    EXPRESSIONS,
    LIMITS,
    MODES,
    NOT_OBSERVED,
    RULES,
    STATES,
    TOO_SHORT,
    clock,
    day,
    method,
    mode_meaning,
    percent,
)
from engagement.phrases import count, duration, signed
from engagement.records import EpisodeMark, Mode, NoteKind, NotObservedReason, Rule, State
from storage.audit import THIS_COMPUTER, AuditAction, audit

if TYPE_CHECKING:
    import jinja2

CSV_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "started_at_utc": "start of the interval, ISO 8601 in UTC",
        "started_at_local": "the same on this computer's clock",
        "seconds": "length of the interval",
        "mode": "mode of the session: what may be inferred and kept",
        "not_observed": "why nothing was observed, empty where it was",
        "seats_present": "participants shown",
        "seats_read": "seats whose face was read",
        "coverage": "seats_read / seats_present, 0..1",
        **{str(state): f"seats in the state {STATES[state]}" for state in State if state is not State.SEEN},
        **{
            name: f"seats whose top expression was {name}; empty where the mode forbids it"
            for name in EXPRESSIONS
        },
        "valence": "smoothed mood of the class, -1..1",
        "valence_low": "lower end of its 95 % band",
        "valence_high": "upper end of its 95 % band",
        "arousal": "smoothed arousal of the class, -1..1",
        "facing": "share of the faces found that face the screen, 0..1",
        "dropped_frames": "frames dropped because the agent was late",
        "processing_ms": "time from grab to record",
        "notes": "notes of the teacher in this interval",
        "topics": "topics that the teacher marked as beginning in this interval",
        "episodes": "attention episodes that began in this interval, with seat and reason",
    }
)
"""The columns of the CSV export and what they hold."""

_TEMPLATES: Final = Path(__file__).parent / "templates"


def report_html(engine: Engine, session_id: int) -> str:
    """The report as one HTML file that opens offline and asks nothing of any server.

    Raises:
        UnknownSessionError: there is no such session.
    """
    return render_html(read_material(engine, session_id), zone=None)


def report_csv(engine: Engine, session_id: int) -> str:
    """One row per interval, columns as in `CSV_COLUMNS`, with the byte order mark that spreadsheets look for.

    Raises:
        UnknownSessionError: there is no such session.
    """
    return render_csv(read_material(engine, session_id))


def report_json(engine: Engine, session_id: int) -> str:
    """Session, summary, intervals, seats, episodes and notes as one JSON object; times in UTC, null for nothing.

    Raises:
        UnknownSessionError: there is no such session.
    """
    return render_json(read_material(engine, session_id))


def report_pdf(engine: Engine, session_id: int) -> bytes:
    """The HTML report as printed by an installed Chrome, Chromium or Edge.

    Raises:
        UnknownSessionError: there is no such session.
        ExportError: there is no browser, or it did not print.
    """
    return print_pdf(report_html(engine, session_id))


def report_xlsx(engine: Engine, session_id: int) -> bytes:
    """An Excel workbook; the sheet Intervals has the columns of `CSV_COLUMNS`.

    Raises:
        UnknownSessionError: there is no such session.
    """
    from dashboard.spreadsheet import workbook  # its library takes its time to load

    material = read_material(engine, session_id)
    return workbook(material, interval_rows(material), CSV_COLUMNS, low_rows(material, None), None)


@dataclass(frozen=True, slots=True)
class Export:
    """A format of the report.

    Attributes:
        media: its media type.
        make: the report of a session; raises UnknownSessionError and ExportError.
    """

    media: str
    make: Callable[[Engine, int], bytes]


def _encoded(make: Callable[[Engine, int], str]) -> Callable[[Engine, int], bytes]:
    return lambda engine, session_id: make(engine, session_id).encode("utf-8")


FORMATS: Final[Mapping[str, Export]] = MappingProxyType(
    {
        "html": Export("text/html", _encoded(report_html)),
        "pdf": Export("application/pdf", report_pdf),
        "xlsx": Export("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", report_xlsx),
        "csv": Export("text/csv", _encoded(report_csv)),
        "json": Export("application/json", _encoded(report_json)),
    }
)
"""The formats per file name suffix."""


def export_session(engine: Engine, session_id: int, suffix: str, *, actor: str = THIS_COMPUTER) -> bytes:
    """The report of a session in one of `FORMATS`; the audit log keeps that it was asked for.

    Raises:
        UnknownSessionError: there is no such session.
        ExportError: it cannot be printed on this computer.
    """
    body = FORMATS[suffix].make(engine, session_id)
    audit(engine, AuditAction.SESSION_EXPORTED, actor, session_id, format=suffix)
    return body


def render_csv(material: Material) -> str:
    """As `report_csv`."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for cells in interval_rows(material):
        writer.writerow([csv_cell(cell) for cell in cells])
    return "\ufeff" + rows.getvalue()


def interval_rows(material: Material) -> Iterator[list[Any]]:
    """One row per interval with the values of `CSV_COLUMNS`, times as ISO 8601, None or NaN for nothing."""
    intervals = material.intervals
    topical = material.notes["kind"] == NoteKind.TOPIC
    notes, topics = (
        _by_interval(intervals, own, "at", lambda note: str(note["text"]))
        for own in (material.notes[~topical], material.notes[topical])
    )
    episodes = _by_interval(
        intervals,
        material.episodes,
        "started_at",
        lambda episode: f"{_who(episode['seat'], material.names)}: {episode['reason']}",
    )
    coverage = figures.coverage(intervals)
    for place, row in enumerate(intervals.to_dict("records")):
        start = row["started_at"].to_pydatetime()
        yield [
            start.isoformat(),
            start.astimezone().replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds"),
            row["seconds"],
            str(material.session.mode),
            row["not_observed"],
            row["tiles"],
            row["n_seen"],
            coverage.iloc[place],
            *(row[f"n_{state}"] for state in State if state is not State.SEEN),
            *(row[name] for name in EXPRESSIONS),
            row["valence"],
            row["low"],
            row["high"],
            row["arousal"],
            row["facing"],
            row["dropped"],
            row["processing_ms"],
            " | ".join(notes.get(place, [])),
            " | ".join(topics.get(place, [])),
            " | ".join(episodes.get(place, [])),
        ]


def csv_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, nothing is empty."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return harmless(value, parted=True) if isinstance(value, str) else str(value)


def render_json(material: Material) -> str:
    """As `report_json`."""
    session, summary = material.session, material.summary
    states = material.seat_states() if material.names else pd.DataFrame()
    body = {
        "format": "classpulse report",
        "version": 1,
        "made_at": datetime.now(UTC),
        "session": {
            "id": session.id,
            "name": session.name,
            "mode": str(session.mode),
            "interval_seconds": session.interval,
            "source": session.source,
            "started_at": session.started_at,
            "ended_at": session.ended_at,
        },
        "summary": {
            "sentences": list(summary.sentences),
            "observed_seconds": summary.seconds,
            "not_observed_seconds": summary.not_observed,
            "seats": summary.seats,
            "coverage": summary.coverage,
            "mood": summary.mood,
            "facing": summary.facing,
        },
        "low_moments": [asdict(low) for low in summary.low_moments],
        "intervals": material.intervals.drop(columns="id").to_dict("records"),
        "seats": [
            {
                "seat": seat,
                "name": name,
                "states": states.loc[seat].to_dict() if seat in states.index else {},
                "calibrated": seat in material.calibrated,
            }
            for seat, name in material.names.items()
        ],
        "episodes": material.episodes.drop(columns="id").to_dict("records"),
        "notes": material.notes.drop(columns="id").to_dict("records"),
    }
    return json.dumps(_plain(body), ensure_ascii=False, allow_nan=False, indent=1)


def render_html(material: Material, zone: tzinfo | None) -> str:
    """As `report_html`, with times of a zone; None for the computer's own."""
    session, summary = material.session, material.summary
    lows = [(low.start, low.end) for low in summary.low_moments]
    charts: dict[str, figures.Figure] = {}
    if figures.drawable(material.intervals):
        view = "mood" if material.with_expressions else "presence"
        charts["timeline"] = figures.Timeline(view, "light", zone).figure(
            material.intervals, material.notes, lows, "report", numbered=True, span=material.span
        )
        if material.with_expressions:
            charts["shares"] = figures.Timeline("shares", "light", zone).figure(
                material.intervals, material.notes, [], "report", span=material.span
            )
        charts["states"] = figures.states_figure(material.intervals, "light", zone, material.span)
    if not material.readings.empty:
        charts["seats"] = figures.seat_strips_figure(
            material.readings, material.names, "light", zone, material.span, material.episodes
        )
    return _template().render(
        material=material,
        session=session,
        summary=summary,
        mode=MODES[session.mode],
        mode_meaning=mode_meaning(session.mode, session.source),
        day=day(session.started_at, zone),
        start=clock(session.started_at, zone),
        end=clock(material.ended_at, zone),
        length=duration((material.ended_at - session.started_at).total_seconds()),
        lows=low_rows(material, zone),
        no_low=no_low_text(material),
        quality=quality_rows(material),
        notes=note_rows(material.notes, zone),
        episodes=episode_rows(material, zone),
        seats=seat_rows(material),
        timeline_text=figures.describe_timeline(material.intervals, zone),
        shares_text=figures.describe_shares(material.intervals),
        states_text=figures.describe_states(material.intervals),
        method=method(session.interval, material.kept_interval),
        limits=LIMITS,
        too_short=TOO_SHORT,
        palette=PALETTES["light"],
        charts={name: script_json(figure) for name, figure in charts.items()},
        plotly=plotly_js(),
        made=f"{day(datetime.now(UTC), zone)}, {clock(datetime.now(UTC), zone)}",
    )


def note_rows(notes: pd.DataFrame, zone: tzinfo | None) -> list[dict[str, str]]:
    """The notes as text: when (`at`), what (`text`), and its `kind`, "topic" or "" for a plain note."""
    return [
        {
            "at": clock(note["at"].to_pydatetime(), zone),
            "text": str(note["text"]),
            "kind": "topic" if note["kind"] == NoteKind.TOPIC else "",
        }
        for note in notes.to_dict("records")
    ]


def low_rows(material: Material, zone: tzinfo | None) -> list[dict[str, str]]:
    """The low moments as text: number, when, length, change of the mood, note beside it."""
    return [
        {
            "number": str(low.number),
            "start": clock(low.start, zone),
            "length": duration((low.end - low.start).total_seconds()),
            "size": signed(low.size),
            "note": low.note or "",
        }
        for low in material.summary.low_moments
    ]


def no_low_text(material: Material) -> str:
    """What stands where no low moment is listed: that none stood out, or that too little was read to tell."""
    if material.summary.tells_course:
        return "No stretch in which the mood of the class stood clearly under its usual."
    return "Too little was read to tell low moments from the rest."


def quality_rows(material: Material) -> list[tuple[str, str]]:
    """How much was seen and how well, as text: what, and its figure."""
    intervals, summary = material.intervals, material.summary
    seen = intervals[intervals["not_observed"].isna()]
    present = float(seen["tiles"].sum())
    rows = [
        ("Observed", duration(summary.seconds)),
        ("Seats read, of those present", percent(summary.coverage)),
    ]
    if present:
        rows.append(
            (
                "Faces too small, blurred or unsure",
                f"{percent(seen['n_unreadable'].sum() / present)} of the seats",
            )
        )
    lost = intervals[intervals["not_observed"].notna()].groupby("not_observed")["seconds"].sum()
    if len(lost):
        why = ", ".join(
            f"{_reason(str(reason))} {duration(seconds)}"
            for reason, seconds in lost.sort_values(ascending=False).items()
        )
        rows.append(("Not observed", f"{duration(summary.not_observed)} ({why})"))
    if not material.readings.empty:
        quality = material.readings.loc[material.readings["state"] == State.SEEN, "quality"]
        if len(quality):
            rows.append(("Quality of the faces read, 0 to 1", f"{float(quality.median()):.2f} (median)"))
    if material.calibrated:
        rows.append(("Read with a calibration", ", ".join(material.calibrated_names)))
    rows.append(("Frames dropped because reading was late", str(int(intervals["dropped"].sum()))))
    if len(seen):
        rows.append(
            ("Time to read a frame", f"{float(seen['processing_ms'].median()) / 1000:.2g} s (median)")
        )
    return rows


def episode_rows(material: Material, zone: tzinfo | None) -> list[dict[str, str]]:
    """The episodes in order of their start, as text: when, length, seat, kind, reason, the teacher's answer."""
    rows = []
    for episode in material.episodes.to_dict("records"):
        start, end = episode["started_at"], episode["ended_at"]
        length = duration(((material.ended_at if pd.isna(end) else end) - start).total_seconds())
        rows.append(
            {
                "start": clock(start.to_pydatetime(), zone),
                "length": length,
                "who": _who(episode["seat"], material.names),
                "kind": RULES[Rule(episode["rule"])],
                "reason": str(episode["reason"]),
                "answer": _answer(episode, zone),
            }
        )
    return rows


def seat_rows(material: Material) -> list[dict[str, str]]:
    """Per seat its name, how often it was read and what else, as text; empty unless the mode is `individual`."""
    if material.session.mode is not Mode.INDIVIDUAL or material.readings.empty:
        return []
    shares = material.seat_states()
    looks = material.episodes[material.episodes["rule"] != Rule.CAMERA_OFF.value].groupby("seat").size()
    rows = []
    for seat, name in material.names.items():
        own = {state: float(shares[str(state)][seat]) for state in State}
        rest = [
            f"{STATES[state]} {percent(own[state])}"
            for state in State
            if state is not State.SEEN and own[state] >= 0.005
        ]
        rows.append(
            {
                "name": name,
                "read": percent(own[State.SEEN]),
                "rest": ", ".join(rest),
                "looks": count(int(looks.get(seat, 0)), "episode") if looks.get(seat, 0) else "",
            }
        )
    return rows


def script_json(value: object) -> str:
    """JSON that is safe inside a script element of an HTML page, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
    )


@cache
def _template() -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _by_interval(
    intervals: pd.DataFrame, events: pd.DataFrame, column: str, text: Callable[[dict[Any, Any]], str]
) -> dict[int, list[str]]:
    """The texts of the events per place of the interval in which each lies; those before the first lie in the first."""
    found: dict[int, list[str]] = {}
    if intervals.empty or events.empty:
        return found
    places = (intervals["started_at"].searchsorted(events[column], side="right") - 1).clip(0)
    for place, event in zip(places, events.to_dict("records"), strict=True):
        found.setdefault(int(place), []).append(text(event))
    return found


def _who(seat: Any, names: dict[int, str]) -> str:
    return "The class" if pd.isna(seat) else names.get(int(seat), f"Seat {int(seat)}")


def _reason(reason: str) -> str:
    """Why nothing was observed, as it stands in a list: "another window covers the gallery"."""
    title = NOT_OBSERVED[NotObservedReason(reason)].title
    return title[0].lower() + title[1:]


def _answer(episode: Mapping[Any, Any], zone: tzinfo | None) -> str:
    """What the teacher answered to the card of an episode, such as "seen at 10:42"; "" where nothing."""
    if pd.isna(episode["mark"]):
        return ""
    words = "seen" if episode["mark"] == EpisodeMark.SEEN else "not now"
    return f"{words} at {clock(episode['marked_at'].to_pydatetime(), zone)}"


def _plain(value: Any) -> Any:
    """JSON types only: times as ISO 8601, nothing (None, NaN, NaT, NA) as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
