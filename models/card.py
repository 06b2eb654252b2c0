"""The model card, generated from the manifest and an evaluation, so that no figure is typed by hand."""

import tomllib
from pathlib import Path
from typing import Any

from engagement.emotion import EXPRESSIONS
from models.errors import ManifestError


def write_card(path: Path, report: dict[str, Any], manifest: Path, name: str) -> None:
    """Write MODEL_CARD.md for `name` from `report` (see `models.evaluate.measure`). Raises ManifestError."""
    try:
        entry = tomllib.loads(manifest.read_text(encoding="utf-8"))[name]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(
            f"{manifest} has no readable entry {name!r} ({error!r}); export the model."
        ) from error
    path.write_text(render_card(report, entry, name), encoding="utf-8")


def render_card(report: dict[str, Any], entry: dict[str, Any], name: str) -> str:
    """The card as Markdown."""
    settings, crop, at = entry["settings"], entry["crop"], report["at_threshold"]
    lines = [
        f"# Model card: {name}",
        "",
        f"`{entry['file']}` (SHA-256 `{entry['sha256'][:16]}...`): {entry['architecture']}, "
        f"{entry['parameters']:,} parameters, {entry['precision']}, "
        f"{entry['input_size']} x {entry['input_size']} grey faces, "
        + ("logits averaged over the face and its mirror image." if entry["flip"] else "one pass per face."),
        f"It names one of {', '.join(EXPRESSIONS)}, or nothing when unsure.",
        "",
        *_prior(entry),
        "It reads the expression that a face shows in one picture. It does not know what a person feels, thinks or "
        "how attentive they are, and must not be used to grade, rank or discipline anyone.",
        "",
        f"## Measured on {report['split']}",
        "",
        "`classpulse models evaluate --data DATA/fer2013/fer2013plus.parquet --split "
        f"{report['split']} --card models/MODEL_CARD.md` wrote this page. Epoch, temperature, threshold, flip, prior "
        f"and precision were chosen on {entry['data']['chosen_on']}.",
        "",
        "| figure | value | 95 % interval | n |",
        "|---|---|---|---|",
        _row("FER2013 accuracy", report["accuracy"]),
        f"| FER2013 macro F1 | {report['macro_f1']:.3f} | | {report['accuracy']['n']} |",
    ]
    if "ferplus_majority" in report:
        lines.append(_row("FER+ majority accuracy", report["ferplus_majority"]))
    lines += [
        f"| ECE, 15 bins | {report['ece']:.3f} (before temperature {report['ece_before_temperature']:.3f}) | | |",
        f"| named at threshold {at['threshold']:.2f} | {at['coverage']:.1%} of the faces, "
        f"{at['accuracy']:.1%} of them as labelled | | |",
        f"| 49 faces, two threads | {report['milliseconds_49_faces']:.1f} ms on the machine that wrote this page | | |",
        "",
        "Labels of FER2013 are noisy: people agree with them on about 65 % of the pictures. FER+ majority is "
        "Microsoft's rule: emotions with one vote dropped, the winner has more than half of the rest; contempt, which "
        "is not named here, counts as an error.",
        "",
        "| expression | precision | recall | F1 | faces |",
        "|---|---|---|---|---|",
    ]
    for expression in EXPRESSIONS:
        row = report["by_expression"][expression]
        lines.append(
            f"| {expression} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['support']:.0f} |"
        )
    lines += ["", "| face height, px | accuracy | 95 % interval |", "|---|---|---|"]
    lines += [
        f"| {row['height']} | {row['value']:.1%} | {row['low']:.1%} to {row['high']:.1%} |"
        for row in report["by_height"]
    ]
    lines += ["", "| abstention threshold | faces named | accuracy on them |", "|---|---|---|"]
    lines += [
        f"| {row['threshold']:.2f} | {row['coverage']:.1%} | {row['accuracy']:.1%} |"
        for row in report["coverage"]
    ]
    phases = "; ".join(
        f"{phase['epochs']} epochs at {phase['size']} px (degraded {phase['degraded']:.0%}, "
        f"erased {phase['erased']:.0%})"
        for phase in settings["phases"]
    )
    lines += [
        "",
        "## How it was made",
        "",
        f"Trained from scratch on {entry['data']['name']}, split {entry['data']['train']} "
        f"(file SHA-256 `{entry['data']['sha256'][:16]}...`), epoch {entry['run']['chosen_epoch']} of "
        f"{entry['run']['epochs']}: {phases}. Targets: {settings['hard_weight']:g} FER2013 label (smoothed by "
        f"{settings['smoothing']:g}) + {1 - settings['hard_weight']:g} FER+ votes. SGD with Nesterov momentum, batch "
        f"{settings['batch']}, learning rate {settings['learning_rate']:g} with warm-up and cosine, weight decay "
        f"{settings['weight_decay']:g} (decoupled), moving average of the weights {settings['average']:g}, "
        f"{settings['precision']}, seed {settings['seed']}."
        + (f" {entry['run']['note']}" if "note" in entry["run"] else ""),
        "",
        f"A face is cut out as FER2013 shows it: a square of {crop['side']:g} detector box heights, centre "
        f"{crop['offset_x']:+g}, {crop['offset_y']:+g} box heights from the box's, grey "
        f"({entry['preprocessing']['grey']}), resized with {entry['preprocessing']['resize']}; normalisation is part "
        "of the graph.",
        "",
        "## Data and terms",
        "",
        "FER2013 (Goodfellow et al. 2013): faces found on the web, labelled by one person each. FER+ (Barsoum et al. "
        "2016): ten votes per face, MIT. No picture is part of classpulse. The people pictured are not a fair sample: "
        "ages, skin tones, glasses, veils and masks are represented unevenly, and errors differ between groups in "
        "ways that were not measured here.",
        "",
    ]
    return "\n".join(lines)


def _prior(entry: dict[str, Any]) -> list[str]:
    if not entry["prior"]:
        return []
    return [
        f"The class frequencies learnt from the mixed targets are shifted by {entry['prior']:g} of the way to those of "
        "FER2013's labels, which buys accuracy on FER2013 with accuracy on FER+ (whose voters see more neutral faces).",
        "",
    ]


def _row(title: str, share: dict[str, float]) -> str:
    return (
        f"| {title} | {share['value']:.2%} | {share['low']:.1%} to {share['high']:.1%} | {share['n']:.0f} |"
    )
