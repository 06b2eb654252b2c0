"""What the detector's card says of the landmark network, generated from the manifest and an evaluation."""

from typing import Any, Final

from models.landmarks.poses import ANGLES

_SHOWN: Final = ("refined", "ours", "YuNet", "MTCNN")


def pose_lines(report: dict[str, Any]) -> list[str]:
    """Where heads look: agreement with the teachers and answers to known angles, as Markdown."""
    photographs, turned, drawn = report["photographs"], report["turned"], report["drawn"]
    lines = [
        "## Where heads look",
        "",
        "Yaw, pitch and roll of the generic head that fits the five landmarks (`inference.pose`), in degrees.",
        "",
        f"On the {photographs['faces']} faces of the photographs that all four find; standard deviations: "
        + "; ".join(
            f"{_name(who)} " + " / ".join(f"{value:.1f}" for value in photographs["spread"][who])
            for who in _SHOWN
        )
        + ".",
        "",
        "| | " + " | ".join(f"{angle}: spread | correlation | difference" for angle in ANGLES) + " |",
        "|---|" + "---|" * (3 * len(ANGLES)),
    ]
    for one, two in (
        ("refined", "MTCNN"),
        ("refined", "YuNet"),
        ("ours", "MTCNN"),
        ("ours", "YuNet"),
        ("YuNet", "MTCNN"),
    ):
        pair = photographs["pairs"][f"{one}, {two}"]
        cells = [
            f"{pair[angle]['spread']:.2f} | {pair[angle]['correlation']:.2f} | {pair[angle]['difference']:.1f}"
            for angle in ANGLES
        ]
        lines.append(f"| {_name(one)}, {_name(two)} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Spread: the first's standard deviation over the second's. Difference: mean, absolute. The photographs were "
        "once straightened (LFW), so there is hardly any roll to agree on; and of pitch the teachers know little, as "
        "the next table shows.",
        "",
        f"Against angles that are known: {turned['faces']} portraits turned by a generic head (as in training, other "
        f"people) and {drawn['faces']} composite heads of the synthetic class, which a finer mesh turned and on which "
        "the landmark network was not trained. Faces are 40 px high. The figures are degrees read per degree turned, "
        "and the mean read at each angle.",
        "",
        "| heads | angle | | per degree | " + "read at the angles |",
        "|---|---|---|---|---|",
    ]
    for heads, answers in (("portraits", turned), ("composites", drawn)):
        for angle in ("yaw", "pitch"):
            degrees, read = answers[angle]["degrees"], answers[angle]["read"]
            for who in ("turned", *_SHOWN):
                if who in read:
                    means = ", ".join(
                        f"{at:+d}: {value:.0f}" for at, value in zip(degrees, read[who]["mean"], strict=True)
                    )
                    lines.append(f"| {heads} | {angle} | {_name(who)} | {read[who]['gain']:.2f} | {means} |")
    return [*lines, ""]


def recipe_lines(entry: dict[str, Any]) -> list[str]:
    """How the landmark network was made, as Markdown."""
    settings = entry["settings"]
    return [
        f"The landmark network learnt from crops of {entry['data']['name']}: two thirds of the heads were turned by up "
        "to 32 degrees and nodded by up to 30 more, turned heads were drawn more often, and faces are 14 to 100 px "
        "high, tilted to 50 degrees, cut off, covered, dark, blurred and compressed. The crop is the product's, placed "
        "by landmarks that are wrong as the detector's are. "
        f"{settings['rounds']} rounds of {settings['steps']} steps of {settings['batch']}, {settings['fresh']} new "
        f"tiles of three crops a round, AdamW {settings['learning_rate']:g} with warm-up and cosine, weight decay "
        f"{settings['weight_decay']:g}, moving average {settings['average']:g}, {settings['precision']}, seed "
        f"{settings['seed']}; smooth L1 of the five points, and {settings['nose_weight']:g} times that of the nose's "
        f"place among the others. Round {entry['run']['chosen_round']} was best on galleries of val. "
        + (f"{entry['run']['note']} " if "note" in entry["run"] else "")
        + f"Being unsure, it still left the nose short of its place: by heads of the train split that were turned by "
        f"known angles it is stretched, {entry['calibration']['nose_across']:.2f} times across and "
        f"{entry['calibration']['nose_down']:.2f} times down, in the last layer.",
    ]


def _name(who: str) -> str:
    return {"turned": "the truth", "ours": "detector alone"}.get(who, who)
