"""One page that sets runs, engines of others and published figures side by side; it asks nothing of the network."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2

from models import charts, zoo
from models.anchors import ANCHORS
from models.card import served
from models.charts import Dot, Line
from models.data import SIZE
from models.errors import TrainingError
from models.evaluate import NAMED_ACCURACY
from models.runs import EVALUATION, RUN, heads_of, input_size_of, teachers_of

_TEMPLATES: Final = Path(__file__).with_name("templates")
_NEEDED: Final = {"model", "kind", "split", "accuracy", "by_height", "by_expression", "confusion"}
"""Of a report that can stand on the page."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was measured, and of what.

    report: as `models.evaluate.measure` and its callers write it.  run: `run.json`, empty where there is none.
    """

    name: str
    report: Mapping[str, Any]
    run: Mapping[str, Any]


def read_entry(folder: Path) -> Entry:
    """The report in a folder, with the run that stands beside it. Raises TrainingError."""
    try:
        report = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
        run = json.loads((folder / RUN).read_text(encoding="utf-8")) if (folder / RUN).exists() else {}
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{folder} holds no {EVALUATION} ({error}); classpulse models evaluate writes one."
        ) from error
    if not (isinstance(report, dict) and isinstance(run, dict) and set(report) >= _NEEDED):
        raise TrainingError(
            f"{folder / EVALUATION} lacks figures; classpulse models evaluate writes it anew."
        )
    return Entry(str(report["model"]), report, run)


def write_page(entries: Sequence[Entry], out: Path, command: str) -> None:
    """Write the page; all reports are of the same faces. `command` is what made it. Raises TrainingError."""
    splits = sorted({str(entry.report["split"]) for entry in entries})
    if len(splits) != 1:
        raise TrainingError(
            f"The reports are of {', '.join(splits) or 'no split'}; compare what was measured on one split."
        )
    kept = entries[0].report.get("data_sha256")
    others = [entry.name for entry in entries if entry.report.get("data_sha256") != kept]
    if others:
        raise TrainingError(
            f"{', '.join(others)} and {entries[0].name} were not measured on the same data; evaluate them again."
        )
    out.write_text(render_page(entries, splits[0], command), encoding="utf-8")


def render_page(entries: Sequence[Entry], split: str, command: str) -> str:
    """The page as HTML."""
    ordered = sorted(entries, key=lambda entry: -entry.report["accuracy"]["value"])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["published"] = charts.published
    faces = ordered[0].report["accuracy"]["n"] if ordered else 0
    return environment.get_template("compare.html").render(
        rows=[_row(entry) for entry in ordered],
        anchors=ANCHORS,
        split=split,
        faces=f"{faces:,}",
        command=command,
        style=charts.STYLE,
        accuracy=_accuracy_chart(ordered, split),
        heights=_height_charts(ordered),
        named=NAMED_ACCURACY,
        details=[_detail(entry) for entry in ordered],
        loads=[entry.report["load"] for entry in ordered if "load" in entry.report],
    )


def _row(entry: Entry) -> dict[str, Any]:
    report = entry.report
    size = _size(entry)
    votes = report.get("ferplus_majority")
    return {
        "name": entry.name,
        "what": _what(entry),
        "accuracy": report["accuracy"],
        "unseen": report.get("unseen", {}).get("accuracy"),
        "ferplus": votes,
        "macro_f1": report["macro_f1"],
        "ece": report["ece"],
        "small": next(row for row in report["by_height"] if row["height"] == 24),
        "parameters": size.get("parameters"),
        "multiply_adds": size.get("multiply_adds"),
        "milliseconds": report.get("milliseconds_49_faces"),
        "epochs": len(entry.run.get("history", [])) or None,
        "begun": entry.run.get("begun", ""),
    }


def _what(entry: Entry) -> str:
    """What it is, in a few words."""
    settings = entry.run.get("settings", {})
    architecture = str(settings.get("architecture", ""))
    if entry.report["kind"] == "shipped":
        return "shipped: LiteRT, as the product runs it"
    if entry.report["kind"] == "engine":
        return f"{entry.report['note']} (version {entry.report['version']})"
    faces = entry.run.get("faces")
    trained = f", {faces:,} faces" if settings.get("limit") and faces else ""
    if architecture in zoo.MACHINES:
        return f"{zoo.MACHINES[architecture]}{trained}"
    teachers = len(teachers_of(settings))
    taught = ", two heads" if settings.get("heads", 1) > 1 else ""
    taught += f", {teachers} teacher{'s' if teachers > 1 else ''}" if teachers else ""
    taught += " who judge every view" if teachers and settings.get("teachers_see_views") else ""
    for key, kind in (("posed_faces", "posed faces"), ("unlabelled_faces", "faces without labels")):
        taught += f", {entry.run[key]:,} {kind}" if entry.run.get(key) else ""
    averaged = entry.run.get("averaged", {}).get("runs", ())
    taught += f", mean of {len(averaged)} runs" if averaged else ""
    taught += ", faces mixed" if any(phase.get("mixed") for phase in settings.get("phases", ())) else ""
    taught += ", taught by itself" if settings.get("self_weight") else ""
    taught += ", sharpness-aware" if settings.get("sharpness") else ""
    return f"{architecture}, {len(entry.run.get('history', []))} epochs{taught}{trained}"


def _size(entry: Entry) -> dict[str, Any]:
    """Parameters, and multiply-adds at the size that it reads, where the architecture is ours."""
    settings = entry.run.get("settings", {})
    architecture = entry.report.get("architecture", settings.get("architecture"))
    if architecture not in zoo.ARCHITECTURES:
        return {}
    network = zoo.build(
        architecture,
        input_size_of(entry.run) if entry.run else entry.report.get("input_size", SIZE),
        heads=heads_of(entry.run) if entry.run else entry.report.get("heads", 1),
    )
    return {"parameters": network.count_params(), "multiply_adds": zoo.multiply_adds(network)}


def _accuracy_chart(entries: Sequence[Entry], split: str) -> str:
    dots = [
        Dot(entry.name, report["value"], report["low"], report["high"])
        for entry in entries
        for report in (entry.report["accuracy"],)
    ]
    published = [
        Dot(f"{anchor.name}, published", anchor.fer2013, anchor.low, anchor.high, ours=False)
        for anchor in ANCHORS
        if anchor.fer2013 is not None
    ]
    ordered = sorted([*dots, *published], key=lambda dot: -dot.value)
    lowest = min(0.35, *(dot.value for dot in ordered))
    ticks = [share / 20 for share in range(int(lowest * 20), 17)]
    return charts.dot_chart(
        "FER2013 accuracy",
        f"filled: measured here on {split}; hollow: published, on PrivateTest",
        ordered,
        ticks,
    )


def _height_charts(entries: Sequence[Entry]) -> list[str]:
    best = entries[: charts.COLOURS]
    shares = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    found = []
    for title, key in (
        ("Right, of all", "value"),
        ("Right, of those named", "named_accuracy"),
        ("Named", "coverage"),
    ):
        rows = best if key == "value" else [entry for entry in best if entry.report["kind"] != "engine"]
        if not rows:
            continue
        heights = [float(row["height"]) for row in rows[0].report["by_height"]]
        lines = [
            Line(
                entry.name,
                [
                    (row["height"], row[key])
                    # a threshold is the served head's; labels compare with those who have no other head
                    for row in (entry.report if key == "value" else served(entry.report))["by_height"]
                    if row[key] is not None
                ],
                colour,
            )
            for colour, entry in enumerate(best)
            if entry in rows
        ]
        found.append(
            charts.line_chart(
                title, lines, x="face height, px", y="against height", x_ticks=heights, y_ticks=shares
            )
        )
    return found


def _detail(entry: Entry) -> dict[str, Any]:
    history, asked = entry.run.get("history", []), served(entry.report)
    facts = {
        "what it is": _what(entry),
        "weights, SHA-256": str(entry.report.get("sha256", ""))[:16],
        "figures are of": "the head that learnt from voters, against their majority"
        if "votes" in entry.report
        else "",
        "began with": entry.run.get("begun", ""),
        "feature": entry.run.get("feature", ""),
        "machine": entry.run.get("machine", ""),
        "versions": ", ".join(f"{name} {version}" for name, version in entry.run.get("versions", {}).items()),
        "device": entry.run.get("device", ""),
        "data, SHA-256": str(entry.run.get("data_sha256", ""))[:16],
        "seed": entry.run.get("settings", {}).get("seed", ""),
        "chosen epoch": entry.run.get("chosen_epoch", "") if len(history) > 1 else "",
    }
    return {
        "name": entry.name,
        "facts": {key: value for key, value in facts.items() if value != ""},
        "curves": charts.curves_charts(history) if len(history) > 1 else (),
        "confusion": charts.confusion_chart("Confusion", asked["confusion"]),
        "reliability": charts.reliability_chart("Calibration", asked["reliability"]),
        "coverage": charts.coverage_chart("Coverage", asked["coverage"]),
        "by_expression": asked["by_expression"],
    }
