"""What the detector's card says of the presence network, generated from the manifest."""

from typing import Any

from models.presence.samples import ROOM


def presence_lines(entry: dict[str, Any]) -> list[str]:
    """How the presence network was made and what its logits count, as Markdown."""
    settings, scale, run = entry["settings"], entry["scale"], entry["run"]
    marks, faces = max(run["marks"]), max(run["faces"])
    return [
        f"The presence network is two, one for each view of a mark: {' and '.join(run['views'])} (by the detector's "
        f"landmarks; around its box). Each learnt from {marks:,} marks of this detector (score 0.02 or more) in all "
        "photographs of the train split, as they are, small, mirrored at half to one and a half times their size, and "
        f"at one to two times it, in pictures composed of them and in drawings; {faces:,} of them are faces by the "
        f"labels. A view of {ROOM:g} times what the product shows it is turned, shifted, coarsened and lit otherwise "
        f"each time. {settings['rounds']} rounds of {settings['steps']} steps of {settings['batch']}, half of them "
        f"faces, AdamW {settings['learning_rate']:g} with warm-up and cosine, weight decay "
        f"{settings['weight_decay']:g}, moving "
        f"average {settings['average']:g}, {settings['precision']}, seed {settings['seed']}; the rounds "
        f"{' and '.join(map(str, run['chosen_round']))} were best on val.",
        "",
        f"`classpulse models presence train OUT --view VIEW --rounds {settings['rounds']} --steps {settings['steps']} "
        f"--seed {settings['seed']}` trains such a run.",
        "",
        f"The score of all: the detector's logit plus {scale['weight']:g} times the mean of those of the two, which "
        f"count {scale['most']:g} at most and as much where the detector's logit is {scale['sure']:g} or more, for "
        "there nobody looks again; the least weight that is nearly best by average precision on val. The sum was "
        "placed beside YuNet's curves as the detector's own score was, on galleries, photographs, small photographs "
        "and main faces of val, as low as is nearly as good, for a face that is missed is a student who is not seen "
        f"(from {scale['half']:.2f} up x {scale['above']:.2f}, down x {scale['below']:.2f}).",
    ]
