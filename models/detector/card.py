"""The detector's card, generated from the manifest and an evaluation, so that no figure is typed by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from models.detector.compose import HARD, WALL, WHOLE
from models.detector.groups import ASIDE, BEGUN, TURNED
from models.landmarks.card import pose_lines, recipe_lines
from models.manifest import read_table
from models.presence.card import presence_lines
from models.registry import FACE, LANDMARKS, PRESENCE

_OPTIONS: Final = (
    "rounds", "fresh", "steps", "batch", "learning_rate", "landmark_weight", "least_tile", "seed",
)  # fmt: skip


def write_card(path: Path, report: dict[str, Any], manifest: Path) -> None:
    """Write DETECTOR_CARD.md from `report` (see `models.detector.evaluate`). Raises ManifestError."""
    entries = (read_table(manifest, name) for name in (FACE, LANDMARKS, PRESENCE))
    path.write_text(render_card(report, *entries), encoding="utf-8")


def render_card(
    report: dict[str, Any], entry: dict[str, Any], landmarks: dict[str, Any], presence: dict[str, Any]
) -> str:
    """The card as Markdown, of the entries `face`, `landmarks` and `presence` of the manifest."""
    at = f"{report['threshold']:.2f}"
    lines = [
        "# Model card: face",
        "",
        f"`{entry['file']}` (SHA-256 `{entry['sha256'][:16]}...`): {entry['architecture']}, {entry['parameters']:,} "
        f"parameters, {entry['precision']}, RGB pictures of any size. It gives boxes and five landmarks of faces from "
        "about 12 pixels up (the product asks for 16 of a tile brought to 112); a face counts from a score of "
        f"{at} on.",
        "",
        f"`{landmarks['file']}` (SHA-256 `{landmarks['sha256'][:16]}...`): {landmarks['parameters']:,} parameters, "
        f"{landmarks['precision']}. It looks at each face once more, turned upright, and places the five landmarks "
        "anew; `refined` below means with it, which is what the product uses.",
        "",
        f"`{presence['file']}` (SHA-256 `{presence['sha256'][:16]}...`): {presence['parameters']:,} parameters, "
        f"{presence['precision']}. It looks closely at what the detector marks and is unsure of, and says whether that "
        "is a face; `ours` below means both, `alone` the detector without it.",
        "",
        "They say where a face is and where it looks, not whose it is: they recognise nobody.",
        "",
        "`classpulse models face evaluate --data DATA --card models/DETECTOR_CARD.md` wrote this page, and the "
        "figures in it as `weights/face.json`. All figures are of people on whom nothing was trained or chosen (split "
        "`test`), but for this: the composite heads of the synthetic class, which the detector saw in training too, "
        "are each mixed from dozens of all the portraits.",
        "",
        "| pictures | | faces | AP | recall | precision | landmark error | refined |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in report["sets"].items():
        for who in ("ours", "alone", "YuNet"):
            here = row[who]
            point = here["at_threshold"]
            closer = _error(row["refined"]) if who == "ours" else ""
            lines.append(
                f"| {name} ({row['pictures']}) | {who} | {here['faces']} | {here['ap']:.3f} | {point['recall']:.1%} | "
                f"{point['precision']:.1%} | {_error(here)} | {closer} |"
            )
    lines += [
        "",
        f"Recall and precision at {at} for all; a face is found where the boxes overlap by half. Landmark error: mean "
        "distance in face heights of the faces found whose landmarks are labelled. Galleries are composed (2 x 2 to "
        "7 x 7 tiles, dark rooms, blur, compression, tilts to 55 degrees, cut and covered faces, cards, avatars, "
        "slides) of photographs by YuNet's labels where a second look agrees; so are the groups below. Small "
        "photographs are the photographs at 15 to 50 % of their size. The truth of both is a table "
        f"(`models/detector/judged.txt`, which knows {report['judged_share']:.1%} of them): where YuNet, MTCNN and an "
        "earlier detector of ours were sure alike there is a face; whatever else one of them marked was judged by eye, "
        "in a crop that did not tell who had. Less than half a face, a blur, a crowd, a statue or a picture of a face "
        "counts neither way. Boxes are the median of the detectors', ours among them; landmarks are YuNet's, averaged "
        "with MTCNN's, so those of the unchanged photographs are YuNet's own. Photographs that stand in two splits are "
        "left out of the later.",
        "",
        *_by_group(report["groups"], at),
        "## By threshold",
        "",
    ]
    names, mains = list(report["sets"]), report["main_faces"]
    columns = [*names, *(f"{name}, main face" for name in mains)]
    lines += [
        "| threshold | " + " | ".join(f"{name}: ours | YuNet" for name in columns) + " |",
        "|---|" + "---|---|" * len(columns),
    ]
    for index, first in enumerate(report["sets"][names[0]]["ours"]["sweep"]):
        cells = [
            f"{row['recall']:.1%} / {row['precision']:.1%}"
            for name in names
            for row in (report["sets"][name][who]["sweep"][index] for who in ("ours", "YuNet"))
        ]
        cells += [
            f"{row[who][index]['found'] / row['pictures']:.1%}"
            for row in mains.values()
            for who in ("ours", "YuNet")
        ]
        lines.append(f"| {first['threshold']:.1f} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Recall / precision; of the main faces of {max(row['pictures'] for row in mains.values())} portraits, recall. "
        "LFW centred each portrait on one face that the detector of Viola and Jones had found, so that truth is "
        "neither YuNet's nor ours. As tiles: as a tile 45 to 150 px high would show the portrait, brought to 112 as "
        "the product does; small: at 15 to 50 % of its size. A face counts whose middle lies about the picture's and "
        "which is a quarter to three quarters of it high; what is found elsewhere is neither right nor wrong.",
        "",
        "By more than chance (95 % of 2,000 draws of the pictures) ours is, against YuNet at the same threshold: "
        + "; ".join(f"on {name} {_chance(row['chance'])}" for name, row in report["sets"].items())
        + ".",
        "",
        f"## By height, galleries, at {at}",
        "",
        "| face height, px | faces | recall: ours | YuNet | landmark error: ours | refined | YuNet |",
        "|---|---|---|---|---|---|---|",
    ]
    each = (report["sets"]["galleries"][who]["heights"] for who in ("ours", "refined", "YuNet"))
    lines += [
        f"| {ours['from']} to {ours['to'] - 1} | {ours['faces']} | {ours['recall']:.1%} | {theirs['recall']:.1%} | "
        f"{ours['landmarks']:.1%} | {closer['landmarks']:.1%} | {theirs['landmarks']:.1%} |"
        for ours, closer, theirs in zip(*each, strict=True)
    ]
    shots, drawings, seats = report["screenshots"], report["drawings"], report["synthetic_class"]
    first = shots["ours"][0]
    lines += [
        "",
        "## Five real screenshots, and drawings that are no faces",
        "",
        f"{first['faces']} tiles with a face, {first['faceless']} with a camera and none; {drawings['pictures']} drawn "
        "tiles (initials, avatars, animals, slides, patterns, rooms).",
        "",
        "| threshold | found: ours | YuNet | false on faceless tiles: ours | YuNet | false on drawings: ours | YuNet |",
        "|---|---|---|---|---|---|---|",
    ]
    for index, row in enumerate(shots["ours"]):
        other = shots["YuNet"][index]
        lines.append(
            f"| {row['threshold']:.1f} | {row['found']} | {other['found']} | {row['false']} | {other['false']} | "
            f"{drawings['ours'][index]['faces']} | {drawings['YuNet'][index]['faces']} |"
        )
    lines += [
        "",
        f"The product's synthetic class of 49 at four moments: {seats['found']} of {seats['faces']} heads found, "
        f"{seats['false']} in {seats['faceless']} empty rooms. Its heads, in classes with other seeds, were among the "
        "training pictures.",
        "",
        *_speed(report),
        *pose_lines(report["poses"]),
        "## How it was made",
        "",
        *_recipe(entry),
        "",
        *recipe_lines(landmarks),
        "",
        *presence_lines(presence),
        "",
        "## Data, terms, limits",
        "",
        "LFW (UMass, press photographs, research use) and face masks (MIT, pictures from public sources); labels by "
        "YuNet (MIT) and MTCNN (MIT), used as teachers and not shipped. No picture is part of classpulse. The people "
        "pictured are not a fair sample: beards, ages and sexes were not measured apart, skins only with the light on "
        "them, scarves and headsets only as drawn. Profiles "
        "beyond the point where the second eye vanishes, faces under about 12 pixels and faces tilted by more than 55 "
        "degrees were hardly taught. Pitch rests on one nose against a mean face: people differ by some degrees, so it "
        "is good for coarse limits. A photograph of a face, on a wall or as an avatar, is a face to it: the product "
        "does not look at tiles whose camera is off.",
        "",
    ]
    return "\n".join(lines)


def _by_group(groups: dict[str, Any], at: str) -> list[str]:
    lines = [
        f"## By group, at {at}",
        "",
        "| faces | | ours: recall | precision | AP | refined | YuNet: recall | precision | AP | landmark error |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in groups.items():
        cells = [
            f"{row[who]['at_threshold']['recall']:.1%} | {row[who]['at_threshold']['precision']:.1%} | "
            f"{row[who]['ap']:.3f} | {row[landmarks]['landmarks']:.1%}"
            for who, landmarks in (("ours", "refined"), ("YuNet", "YuNet"))
        ]
        lines.append(f"| {name} | {row['ours']['faces']} | " + " | ".join(cells) + " |")
    return [
        *lines,
        "",
        "Tiles 112 px high with one person each, whose face is a fifth to half as high. Of about 160 faces a recall of "
        "90 % is good to 5 points (95 % interval), so smaller differences between rows mean nothing. Scarves, "
        "headsets, glasses, hands and cups are drawn onto photographs; in the other rows one face in six carries one "
        "of these. Cut off: by 15 to 38 % of its width or height. Cheeks: portraits by the lightness L* of their "
        "cheeks, which is that of the skin and of the light on it together. Looking aside: as photographed, by the "
        f"pose of the labels, {ASIDE:.0f} to about 40 degrees; rendered: portraits that look {BEGUN:.0f} degrees aside "
        f"or more, turned on to {TURNED:.0f} by a generic head. No photograph here shows a full profile, and none can "
        "be rendered from these: what lies beyond is not measured.",
        "",
    ]


def _speed(report: dict[str, Any]) -> list[str]:
    ours, alone, yunet = (report["milliseconds"][who] for who in ("ours", "alone", "YuNet"))
    landmarks = report["landmark_milliseconds"]
    both = {kind: ours[kind] + landmarks[kind] for kind in ours}
    rows = (
        ("mosaic and detector alone", alone),
        ("mosaic, detector and presence network", ours),
        ("landmark network, crops included", landmarks),
        ("all, which is what the product does", both),
        ("mosaic and YuNet", yunet),
    )
    return [
        "## Speed",
        "",
        "| a 1920 x 1080 gallery of 49 faces | wall, ms | processor, ms |",
        "|---|---|---|",
        *(f"| {name} | {row['wall']:.1f} | {row['processor']:.1f} |" for name, row in rows),
        "",
        "Medians on the machine that wrote this page, warm; our networks over two threads, YuNet over those of OpenCV. "
        "All is the sum of the second and the third.",
        "",
    ]


def _chance(told: dict[str, dict[str, list[float]]]) -> str:
    """At which thresholds ours is better and worse, in words."""
    parts = []
    for side, measures in told.items():
        at = [f"{measure} at {_spans(where)}" for measure, where in measures.items() if where]
        parts.append(f"{side} in {' and in '.join(at)}" if at else f"nowhere {side}")
    return ", ".join(parts)


def _spans(thresholds: Sequence[float]) -> str:
    """Thresholds a tenth apart, such as 0.1, 0.4 to 0.6."""
    spans: list[list[float]] = []
    for value in thresholds:
        if spans and value - spans[-1][-1] < 0.15:
            spans[-1].append(value)
        else:
            spans.append([value])
    return ", ".join(f"{s[0]:.1f}" if len(s) == 1 else f"{s[0]:.1f} to {s[-1]:.1f}" for s in spans)


def _error(here: dict[str, Any]) -> str:
    return f"{here['landmarks']:.1%} (median {here['landmarks_median']:.1%})"


def _averaged(runs: Sequence[str]) -> str:
    names = " and ".join(f"`{run}`" for run in runs)
    return f" The weights are the mean of the runs {names}, of which that is the last." if runs else ""


def _recipe(entry: dict[str, Any]) -> list[str]:
    settings, calibration = entry["settings"], entry["calibration"]
    begun = settings.get("start")
    hard = f" ({HARD:.0%} of those are of the photographs that `{begun}` read wrong)" if begun else ""
    return [
        f"Trained on pictures of {settings['size']} px composed from {entry['data']['name']}; one in ten shows the "
        f"class, of the others {WHOLE:.0%} are one large photograph{hard}, {WALL:.0%} walls of small ones and the rest "
        f"tiles: {settings['rounds']} "
        f"rounds of {settings['steps']} steps of {settings['batch']}, {settings['fresh']} new pictures a round, AdamW "
        f"{settings['learning_rate']:g} with warm-up and cosine, weight decay {settings['weight_decay']:g}, moving "
        f"average {settings['average']:g}, {settings['precision']}, seed {settings['seed']}; round "
        f"{entry['run']['chosen_round']} was best on val."
        + _averaged(entry["run"].get("averaged", ()))
        + (f" {entry['run']['note']}" if "note" in entry["run"] else ""),
        "",
        "`classpulse models face train OUT "
        + " ".join(f"--{name.replace('_', '-')} {settings[name]:g}" for name in _OPTIONS)
        + (f" --start {begun}" if begun else "")
        + "` trains such a run.",
        "",
        "Strides 8, 16 and 32: the score is taught the overlap of its own box (generalised focal loss), the box the "
        "generalised intersection over union, the landmarks a smooth L1 in face sizes. In float32, its own scores "
        "were placed where, on galleries, photographs, small photographs and main faces of val, at as many thresholds "
        "as can be recall and precision are no worse than "
        f"YuNet's (logits from {calibration['half']:.2f} up x {calibration['above']:.2f}, down x "
        f"{calibration['below']:.2f}).",
    ]
