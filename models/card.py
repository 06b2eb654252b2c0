"""The model card, generated from the manifest and an evaluation, so that no figure is typed by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engagement.emotion import EXPRESSIONS
from inference.quality import QualityGate
from models.manifest import read_table
from models.runs import teachers_of


def write_card(path: Path, report: dict[str, Any], manifest: Path, name: str) -> None:
    """Write MODEL_CARD.md for `name` from `report` (see `models.evaluate.measure`), its folder made if absent.

    Raises ManifestError.
    """
    entry = read_table(manifest, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_card(report, entry, name), encoding="utf-8")


def served(report: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a report that is of the head which is served: the second where there are two."""
    return dict(report.get("votes", report))


def render_card(report: dict[str, Any], entry: dict[str, Any], name: str) -> str:
    """The card as Markdown; its figures are those of `models.evaluate.write_figures` in `card/` beside it."""
    asked = served(report)
    parts = (
        _what(entry, name),
        _headline(report, entry),
        _by_expression(asked),
        _calibration(asked),
        _by_height(asked, entry, report["min_height"]),
        _not_valid(),
        _making(entry),
        _data(entry["settings"]),
    )
    return "\n".join(line for part in parts for line in (*part, ""))


def _what(entry: dict[str, Any], name: str) -> list[str]:
    return [
        f"# Model card: {name}",
        "",
        f"`{entry['file']}` (SHA-256 `{entry['sha256'][:16]}...`): {entry['architecture']}, "
        f"{entry['parameters']:,} parameters, {entry['precision']}, "
        f"{entry['input_size']} x {entry['input_size']} grey faces, " + _looks(entry),
        f"It names one of {', '.join(EXPRESSIONS)}, or nothing when unsure.",
        "",
        *(_heads() if entry.get("head") else []),
        *_prior(entry),
        "It reads the expression that a face shows in one picture. It does not know what a person feels, thinks or "
        "how attentive they are, and must not be used to grade, rank or discipline anyone.",
    ]


def _looks(entry: dict[str, Any]) -> str:
    """How often a face is looked at."""
    share = entry["second_look_share"]
    if share in (0, 1):
        return "looked at once each." if not share else "looked at twice each, as they are and mirrored."
    chosen, points = entry["data"]["chosen_on"], 100 * entry["second_look"]
    return (
        f"looked at once each. Those whose two likeliest expressions in either head lie less than {points:.1f} points "
        f"apart, before the temperature, are looked at mirrored too ({share:.0%} of {chosen})."
    )


def _headline(report: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    at, as_what = served(report)["at_threshold"], "as most voters did" if "votes" in report else "as labelled"
    low, high = report["macro_f1_interval"]
    lines = [
        f"## Measured on {report['split']}",
        "",
        "`classpulse models evaluate --data DATA/fer2013/fer2013plus.parquet --split "
        f"{report['split']} --card models/MODEL_CARD.md` wrote this page. {_chosen(entry)}",
        "",
        "| figure | value | 95 % interval | n |",
        "|---|---|---|---|",
        _row("FER2013 accuracy", report["accuracy"]),
        f"| FER2013 macro F1 | {report['macro_f1']:.3f} | {low:.3f} to {high:.3f} | {report['accuracy']['n']} |",
    ]
    if "ferplus_majority" in report:
        lines.append(_row("FER+ majority accuracy", report["ferplus_majority"]))
    unseen = report.get("unseen", {})
    if unseen:
        lines.append(_row("FER2013 accuracy, pictures not in Training", unseen["accuracy"]))
    if "ferplus_majority" in unseen:
        lines.append(_row("FER+ majority accuracy, pictures not in Training", unseen["ferplus_majority"]))
    lines.append(_ece("ECE, 15 bins", report))
    if "votes" in report:
        lines.append(_ece("ECE against FER+ majority, 15 bins", report["votes"]))
    lines += [
        f"| named at threshold {at['threshold']:.2f} | {at['coverage']:.1%} of the faces, "
        f"{_percent(at['accuracy'])} of them {as_what} | | |",
        *(
            [f"| looked at twice | {report['looked_at_twice']:.1%} of the faces | | |"]
            if 0 < entry["second_look_share"] < 1
            else []
        ),
        f"| 49 faces, two threads | {report['milliseconds_49_faces']:.1f} ms on the machine that wrote this page"
        + (f", at a load of {report['load']:g}" if "load" in report else "")
        + " | | |",
        "",
        "Labels of FER2013 are noisy: people agree with them on about 65 % of the pictures. FER+ majority is "
        "Microsoft's rule: emotions with one vote dropped, the winner has more than half of the rest; contempt, which "
        "is not named here, counts as an error."
        + (
            " Among the faces named, one on which the voters did not agree counts as an error too."
            if "votes" in report
            else ""
        ),
        "",
        *_repeated(report),
        *_rounding(entry),
    ]
    return lines


def _chosen(entry: dict[str, Any]) -> str:
    """Of the export's decisions, those that were made on the split to choose on, and those that were given to it."""
    heads, given = entry.get("heads", 1), entry.get("given", [])
    decided = ["epoch", "temperatures" if heads > 1 else "temperature", "thresholds", "least height"]
    decided += ["margin of the second look"] if 0 < entry["second_look_share"] < 1 else []
    decided += [] if "prior" in given else ["prior"]
    told = (
        f" {' and '.join(given).capitalize()} {'was' if len(given) == 1 else 'were'} given." if given else ""
    )
    return (
        f"{', '.join(decided).capitalize()} and precision were chosen on {entry['data']['chosen_on']}.{told}"
    )


def _rounding(entry: dict[str, Any]) -> list[str]:
    """What int8 costs, as it was measured when the weights were exported."""
    found = entry["metrics"]
    if entry["precision"] != "int8":
        return []
    figures = [
        f"{title} {found[key]:.2%} (float {found[f'{key}_float']:.2%})"
        for key, title in (
            ("public_accuracy", "FER2013 accuracy"),
            ("public_ferplus", "FER+ majority accuracy"),
        )
        if key in found
    ]
    return [
        "",
        f"The weights are rounded to int8. On {entry['data']['chosen_on']} that gives {' and '.join(figures)}; "
        f"{found['agreement_with_float']:.1%} of the faces are named as in float."
        + (
            f" One look at each face gives {found['public_accuracy_once']:.2%} and {found['public_ferplus_once']:.2%}."
            if 0 < entry["second_look_share"] < 1 and "public_ferplus_once" in found
            else ""
        ),
    ]


def _repeated(report: dict[str, Any]) -> list[str]:
    told = "FER2013 repeats pictures across its splits, so some of the test pictures were trained on"
    if "unseen" not in report:
        return [f"{told}; `classpulse models evaluate` measures the others by themselves (`unseen`)."]
    count = report["accuracy"]["n"] - report["unseen"]["accuracy"]["n"]
    return [f"{told}: {count} of these pictures stand in Training too, pixel by pixel."]


def _by_expression(report: dict[str, Any]) -> list[str]:
    lines = [
        "## By expression",
        "",
        "| expression | precision | recall | 95 % interval | F1 | faces |",
        "|---|---|---|---|---|---|",
    ]
    for expression in EXPRESSIONS:
        row = report["by_expression"][expression]
        lines.append(
            f"| {expression} | {row['precision']:.3f} | {row['recall']:.3f} | "
            f"{row['recall_low']:.3f} to {row['recall_high']:.3f} | {row['f1']:.3f} | {row['support']:.0f} |"
        )
    return [*lines, "", "![Confusion matrix](card/confusion.svg)"]


def _calibration(report: dict[str, Any]) -> list[str]:
    lines = [
        "## Calibration and abstention",
        "",
        "![How often it is right at each confidence](card/reliability.svg)",
        "![Accuracy on the faces named against how many are named](card/coverage.svg)",
        "",
        "| abstention threshold | faces named | accuracy on them |",
        "|---|---|---|",
    ]
    return lines + [
        f"| {row['threshold']:.2f} | {row['coverage']:.1%} | {_percent(row['accuracy'])} |"
        for row in report["coverage"]
    ]


def _by_height(report: dict[str, Any], entry: dict[str, Any], least: int) -> list[str]:
    lines = [
        "## By the height of the face",
        "",
        "Faces shrunk to the height and enlarged again, without the blur and the compression of a call. Small faces "
        "ask for a higher threshold, so that those that are named stay right in "
        f"{entry.get('named_accuracy', 0.75):.0%} on {entry['data']['chosen_on']}; below {least} px none is read."
        + (" Each height has a temperature of its own." if entry.get("temperatures") else ""),
        "",
        "![Accuracy and coverage against height](card/height.svg)",
        "",
        "| height, px | accuracy | 95 % interval | threshold | faces named | right of them | 95 % interval | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return lines + [
        f"| {row['height']} | {row['value']:.1%} | {row['low']:.1%} to {row['high']:.1%} | "
        + (
            f"{row['threshold']:.2f} | {row['coverage']:.1%} | {_percent(row['named_accuracy'])} | "
            f"{row['named_low']:.1%} to {row['named_high']:.1%} | {row['ece']:.3f} |"
            if row["height"] >= least
            else "not read | | | | |"
        )
        for row in report["by_height"]
    ]


def _not_valid() -> list[str]:
    gate = QualityGate()
    return [
        "## What it is not valid for",
        "",
        "- Feelings, attention, understanding, engagement or truthfulness: a face shows an expression, no more.",
        "- Judging or comparing persons. Errors differ between people, and one reading of one face is often wrong.",
        "- Faces behind masks: the pictures are of 2013. Babies, children and faces partly behind hands are among "
        "them, but were not measured apart.",
        f"- Heads turned aside by more than {gate.max_yaw:.0f} degrees, or up or down by more than "
        f"{gate.max_pitch:.0f}, as far as the landmarks tell: they count as turned away and are not read. Tilted heads "
        "are turned upright first.",
        "- Posed and acted expressions as evidence: the labels are onlookers' guesses at found pictures.",
        "- Groups that the data do not name: age, gender, skin tone, veil and glasses were not measured apart.",
    ]


def _making(entry: dict[str, Any]) -> list[str]:
    settings, crop, run = entry["settings"], entry["crop"], entry["run"]
    phases = "; ".join(map(_phase, settings["phases"]))
    taught = _taught(settings) + _others(settings, run)
    if settings.get("self_weight"):
        taught += (
            f" The network's own probabilities, averaged over earlier epochs, grow to {settings['self_weight']:g} of "
            "the targets (Kim et al. 2021)."
        )
    if settings.get("sharpness"):
        taught += (
            f" Gradients were taken {settings['sharpness']:g} uphill (sharpness-aware, Foret et al. 2021)."
        )
    return [
        "## How it was made",
        "",
        f"Trained from {run.get('begun', 'random weights')} on {entry['data']['name']}, split {entry['data']['train']} "
        f"(file SHA-256 `{entry['data']['sha256'][:16]}...`), epoch {run['chosen_epoch']} of "
        f"{run['epochs']}: {phases}. Targets: {_targets(settings)}.{taught} SGD with Nesterov momentum, "
        f"batch {settings['batch']}, learning rate {settings['learning_rate']:g} with warm-up and cosine, weight decay "
        f"{settings['weight_decay']:g} (decoupled), moving average of the weights {settings['average']:g}, "
        f"{settings['precision']}, seed {settings['seed']}." + (f" {run['note']}" if "note" in run else ""),
        "",
        *_command(settings, run.get("averaged", ())),
        "A face is cut out as FER2013 shows it: turned upright by its landmarks, a square of "
        f"{crop['side']:g} detector box heights, centre "
        f"{crop['offset_x']:+g}, {crop['offset_y']:+g} box heights from the box's, grey "
        f"({entry['preprocessing']['grey']}), resized with {entry['preprocessing']['resize']}, handed over as "
        f"{entry['preprocessing']['range']}.",
    ]


def _phase(phase: dict[str, Any]) -> str:
    strength, mixed = phase.get("strength", 1.0), phase.get("mixed", 0.0)
    return (
        f"{phase['epochs']} epochs at {phase['size']} px (degraded {phase['degraded']:.0%}, "
        f"erased {phase['erased']:.0%}"
        + (f", turned, moved and scaled {strength:g} times as far as usual" if strength != 1 else "")
        + (f", {mixed:.0%} mixed with another face" if mixed else "")
        + ")"
    )


def _taught(settings: dict[str, Any]) -> str:
    teachers = teachers_of(settings)
    if not teachers:
        return ""
    half_mirrored = ", of half of them mirrored" if settings.get("teachers_mirror") else ""
    names = [
        name + (f", which counts {times} times" if times > 1 else "") for name, times in teachers.items()
    ]
    return (
        f" {settings['teacher_weight']:g} of the targets are the mean probabilities of {len(teachers)} other "
        f"run{'s' if len(teachers) > 1 else ''} ({'; '.join(names)})"
        + (
            f", asked of every view that the network saw{half_mirrored} (Beyer et al. 2022)."
            if settings.get("teachers_see_views")
            else ", asked once of every whole face."
        )
    )


def _others(settings: dict[str, Any], run: dict[str, Any]) -> str:
    """Of faces beside those of the data set."""
    told = ""
    if run.get("posed_faces"):
        told += (
            f" {run['posed_faces']:,} posed faces ({', '.join(settings['posed'])}) were learnt beside them by their "
            "labels alone, which are sure."
        )
    if run.get("unlabelled_faces"):
        told += (
            f" Of {run['unlabelled_faces']:,} faces without labels ({', '.join(settings['unlabelled'])}) all that was "
            "learnt is what the teachers say."
        )
    if run.get("averaged"):
        told += (
            f" The weights are the mean of those of the runs {' and '.join(run['averaged'])} (Wortsman et al. 2022), "
            "the last of which is described here."
        )
    return told


def _command(settings: dict[str, Any], averaged: Sequence[str]) -> list[str]:
    from models.train import command_of  # which imports this module

    command, others = command_of(settings), teachers_of(settings) or settings.get("start")
    told = f"`{command}` trains such a run" + ("; the other runs stand there by name." if others else ".")
    if averaged:
        told += f" `classpulse models average OUT {' '.join(averaged)}` takes the mean."
    return [told, ""] if command else []


_COLLECTIONS: Final = {
    "ck48.parquet": "CK+ (Lucey et al. 2010): 118 people, who posed for it; research use.",
    "portraits.parquet": "LFW (Huang et al. 2007): press photos; research use.",
    "masks.parquet": "People with and without masks, pictures from public sources; the collection is MIT.",
}
"""Terms of faces that may be learnt beside FER2013's."""


def _data(settings: dict[str, Any]) -> list[str]:
    others = [
        _COLLECTIONS.get(name, f"{name}.")
        for key in ("posed", "unlabelled")
        for name in settings.get(key, ())
    ]
    return [
        "## Data, terms and licence",
        "",
        "FER2013 (Goodfellow et al. 2013): faces found on the web by words for emotions; people threw out what did not "
        "show them. FER+ (Barsoum et al. 2016): ten votes per face, MIT. "
        + " ".join([*others, "No picture is part of classpulse."])
        + " The people "
        "pictured are not a fair sample: ages, skin tones, glasses, veils and masks are represented unevenly, and "
        "errors differ between groups in ways that were not measured here.",
        "",
        "The weights are the project's own work, under its licence, Apache 2.0.",
    ]


def _targets(settings: dict[str, Any]) -> str:
    label = f"FER2013 label (smoothed by {settings['smoothing']:g})"
    if settings.get("heads", 1) > 1:
        return f"for one head the {label}, for the other the FER+ votes, both of the same weight"
    return f"{settings['hard_weight']:g} {label} + {1 - settings['hard_weight']:g} FER+ votes"


def _heads() -> list[str]:
    return [
        "It has two heads on the same features: one learnt FER2013's labels, the words by which the pictures were "
        "searched for, the other what FER+'s ten voters saw in each. The product asks the second. Figures of FER2013 "
        "are those of the first; all others, unless they say so, are those of the second, against the majority of the "
        "voters.",
        "",
    ]


def _ece(title: str, report: dict[str, Any]) -> str:
    return (
        f"| {title} | {report['ece']:.3f} (before temperature {report['ece_before_temperature']:.3f}) | | |"
    )


_REACHED: Final = {
    "fer2013": ("FER2013", ".1%"),
    "ferplus": ("FER+ majority", ".1%"),
    "macro_f1": ("macro F1 against it", ".3f"),
}
"""Of `models.operating_point`: how the card calls and writes it."""


def _prior(entry: dict[str, Any]) -> list[str]:
    points = entry.get("operating_points", [])
    at = next((point for point in points if point["prior"] == entry["prior"]), None)
    if not entry["prior"] and at is None:
        return []
    told = f"The class frequencies that it learnt are shifted by {entry['prior']:g} of the way to FER2013's labels, "
    if entry.get("head"):
        told += "fewer of which are neutral: less of what is rare is missed."
    else:
        told += "which buys accuracy on FER2013 with accuracy on FER+ (whose voters see more neutral faces)."
    if at is not None:
        kinds = [(key, *kind) for key, kind in _REACHED.items() if key in at]
        reached = [
            " and ".join(format(point[key], how) for key, _, how in kinds)
            for point in (at, points[0], points[-1])
        ]
        told += (
            f" On {entry['data']['chosen_on']}, in float, {' and '.join(title for _, title, _ in kinds)} are "
            f"{reached[0]} there, {reached[1]} at 0, {reached[2]} at 1."
        )
    return [told, ""]


def _row(title: str, share: dict[str, Any]) -> str:
    if share["value"] is None:
        return f"| {title} | none to measure | | 0 |"
    return (
        f"| {title} | {share['value']:.2%} | {share['low']:.1%} to {share['high']:.1%} | {share['n']:.0f} |"
    )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
