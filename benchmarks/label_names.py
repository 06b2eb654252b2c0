"""How many names on generated labels are read exactly, and what they cost a frame once they are read.

    python -m benchmarks.label_names [--galleries N] [--seed S] [--light] [--wrong]

Labels are drawn in fonts of this computer as meeting programs draw them, on galleries of 1920x1080 with 25 and 49
tiles: plates, chips and bare text, or with `--light` dark text on light plates and chips, muted or not, with roles and
pronouns behind some names. Then the pictures behind the labels move for some frames, and the gallery is shuffled;
times are those of the processor. `exact` counts names that are read letter by letter; of the scripts that the
recogniser does not know it counts labels that got no name: their fingerprint alone keeps the seat. `class list` matches
the names that were read to a list of 60 students, those shown among them. Scripts without a font on this computer are
left out and named.
"""

import argparse
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from capture.class_names import MEN, WOMEN
from capture.gallery import find_tiles
from engagement.class_list import match_labels
from engagement.records import Box, Label, Tile
from inference.label_text import TextLine
from inference.names import LabelReader
from inference.recognition import Recognised
from tests.capture.synthetic_gallery import Look, compose_gallery, drawn_pictures

Random = np.random.Generator
LATIN_FONTS: Final = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf")
FONTS: Final = {
    "Chinese": ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf"),
    "Japanese": ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf"),
    "Korean": ("wqy-microhei.ttc", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf"),
    "Arabic": ("NotoSansArabic-Regular.ttf", "DejaVuSans.ttf"),
    "Hebrew": ("NotoSansHebrew-Regular.ttf", "DejaVuSans.ttf"),
    "Devanagari": ("NotoSansDevanagari-Regular.ttf", "Lohit-Devanagari.ttf"),
}
NAMES: Final = {
    "demo class": (*WOMEN, *MEN),
    "English": (
        "Emily Johnson", "Liam O'Connor", "Will Hill", "Illya Miller", "Sam 1", "Sam 2", "Anna", "Anne",
        "Matthew Stancliff", "J. R. Smith", "Mary-Jane Watson", "Tom B.", "DANIEL BROWN", "olivia wilson",
        "Arnold Barnes", "Bo Li", "Christopher Featherstone", "Kim", "Grace Mwangi", "William (Bill) Carter",
    ),
    "accents": (
        "José Álvarez", "Zoë Müller", "Łukasz Wójcik", "Søren Kjær", "Ayşe Yılmaz", "Jürgen Groß", "Inês Conceição",
        "Renée Lefèvre", "Žofie Dvořáková", "Ñandu Peña", "Jean-Sébastien Giguère", "Åsa Lindström",
        "Chloé François", "Tomáš Ruiz", "Anaïs Hübner", "Noël Castañeda", "Mátyás Kovács", "Kęstutis Žukauskas",
    ),
    "rare letters": ("Șerban Popescu", "Gülşah İnci", "Őrs Szűcs", "Nguyễn Văn An", "Hoàng Thị Hạnh"),
    "Greek": ("Μαρία Παπαδοπούλου", "Γιώργος Νικολάου", "Ελένη Δημητρίου"),
    "Chinese": (
        "李明", "王小红", "陈伟", "欧阳娜娜", "周杰伦", "丁一", "劉德華", "白居易", "司马相如",
        "杨洋 Yang", "张三", "吕八",
    ),
    "Japanese": (
        "田中さくら", "山本健太", "サトウユキ", "鈴木 一郎", "山口ローラ", "高橋みどり", "ナカムラ タロウ",
        "小野二郎", "工藤ニコ",
    ),
    "Cyrillic": ("Ольга Петрова", "Дмитрий Соколов", "Юлія Шевченко", "Иван Жуков"),
    "Arabic": ("فاطمة الزهراء", "محمد علي", "ليلى منصور"),
    "Hebrew": ("נועה כהן", "דוד לוי"),
    "Devanagari": ("प्रिया शर्मा", "राहुल वर्मा", "सीता देवी"),
    "Korean": ("김민준", "이서연", "박지훈"),
}  # fmt: skip
UNKNOWN_SCRIPTS: Final = ("Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari", "Korean")
KNOWN: Final = ("demo class", "English", "accents", "mixed", "Chinese", "Japanese")
"""What the recogniser was made for; some rare letters it takes for others."""
SHARES: Final = {
    "demo class": 0.36, "English": 0.17, "accents": 0.17, "rare letters": 0.04, "Greek": 0.03, "Chinese": 0.06,
    "Japanese": 0.06, "Cyrillic": 0.03, "Arabic": 0.02, "Hebrew": 0.02, "Devanagari": 0.02, "Korean": 0.02,
}  # fmt: skip
CLASS_LIST: Final = 60
SUFFIXES: Final = (" (she/her)", " (Co-host)", " he/him", " (Guest)", " (they/them)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A label as it is drawn: the name, its script, what stands behind it, and its look; `plate` is colour and opacity
    of a light plate, None for a dark one."""

    name: str
    script: str
    suffix: str
    font: str
    size: int
    kind: str
    muted: bool
    plate: tuple[int, float] | None = None


@cache
def font_of(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, size)


def available(fonts: Sequence[str]) -> list[str]:
    found = []
    for name in fonts:
        try:
            font_of(name, 12)
        except OSError:
            continue
        found.append(name)
    return found


LIGHT: Final = ((255, 1.0), (225, 1.0), (242, 0.9), (255, 0.75), (190, 0.85))


def in_light_theme(order: Sequence[Shown], random: Random) -> list[Shown]:
    """The same labels with dark letters on plates of one of the light colours."""
    plate = LIGHT[int(random.integers(len(LIGHT)))]
    return [replace(one, kind="plate" if one.kind == "text" else one.kind, plate=plate) for one in order]


def people(count: int, random: Random) -> list[Shown]:
    """As many labels, no name twice; small tiles have small labels."""
    size = (12, 16) if count > 25 else (13, 17)
    kind = str(random.choice(["plate", "plate", "chip", "text"]))
    latin = str(random.choice(available(LATIN_FONTS)))
    shown: list[Shown] = []
    pools = {script: list(random.permutation(NAMES[script])) for script in NAMES}
    pixels = int(random.integers(*size))
    while len(shown) < count:
        script = str(random.choice(list(SHARES), p=list(SHARES.values())))
        fonts = available(FONTS.get(script, (latin,)))
        if not pools[script]:
            first, last = random.choice(NAMES["English"]), random.choice(NAMES["accents"])
            name, script, fonts = f"{first.split()[0]} {last.split()[-1]}", "mixed", [latin]
        elif fonts:
            name = str(pools[script].pop())
        else:
            continue
        if any(one.name == name for one in shown):
            continue
        suffix = (
            str(random.choice(SUFFIXES))
            if random.random() < 0.15 and script in ("demo class", "English", "accents")
            else ""
        )
        shown.append(Shown(name, script, suffix, str(fonts[0]), pixels, kind, bool(random.random() < 0.5)))
    return shown


def draw(tile: NDArray[np.uint8], shown: Shown) -> None:
    """Draw a label into a tile uint8 (h, w, 3) RGB, in place."""
    height, width = tile.shape[:2]
    font = font_of(shown.font, shown.size)
    text = shown.name + shown.suffix
    strip = round(shown.size * 1.55)
    icon = strip if shown.muted else round(strip * 0.3)
    while font.getlength(text) > width - icon - strip and len(text) > 3:
        text = text.removesuffix("…")[:-1].rstrip() + "…"
    away = round(shown.size * 0.5) if shown.kind == "chip" else 0
    across = min(width, round(icon + font.getlength(text) + shown.size * 0.5))
    top = height - strip - away
    if shown.kind == "text":
        band = tile[height - 2 * strip :]
        band[:] = (band * np.linspace(1.0, 0.55, len(band))[:, None, None]).astype(np.uint8)
    else:
        plate = tile[top : top + strip, away : away + across]
        grey, opacity = (18, 0.7) if shown.plate is None else shown.plate
        plate[:] = (plate * (1 - opacity) + grey * opacity).astype(np.uint8)
    if shown.muted:
        x, y, r = away + strip // 2, top + strip // 2, max(3, strip // 4)
        cv2.ellipse(tile, (x, y - r // 3), (r // 2, r), 0, 0, 360, (225, 60, 60), -1, cv2.LINE_AA)
        cv2.line(tile, (x - r, y + r), (x + r, y - r), (235, 70, 70), 2, cv2.LINE_AA)
    canvas = Image.fromarray(tile)
    ink = (250, 250, 250) if shown.plate is None else (36, 36, 36)
    ImageDraw.Draw(canvas).text((away + icon, top + strip / 2), text, fill=ink, font=font, anchor="lm")
    tile[:] = np.asarray(canvas)


def frame(order: Sequence[Shown], random: Random) -> tuple[NDArray[np.uint8], list[Box]]:
    """A gallery of moving pictures with these labels."""
    pictures = drawn_pictures(len(order), int(random.integers(1 << 30)))
    gallery = compose_gallery(
        [None if index % 11 == 10 else picture for index, picture in enumerate(pictures)],
        [one.name for one in order],
        Look(labels=False, avatars=True),
    )
    for box, one in zip(gallery.boxes, order, strict=True):
        draw(gallery.image[box.top : box.bottom, box.left : box.right], one)
    return gallery.image, list(gallery.boxes)


@dataclass(slots=True)
class Counts:
    """Names right and labels shown per script, processor ms per frame of each kind, labels recognised again."""

    right: Counter[str]
    shown: Counter[str]
    times: dict[str, list[float]]
    found: int = 0
    tiles: int = 0
    again: int = 0
    matched: Counter[bool] = field(default_factory=Counter)


def measure(count: int, seed: int, counts: Counts, *, say_wrong: bool, light: bool = False) -> None:
    random = np.random.default_rng(seed)
    order = people(count, random)
    if light:
        order = in_light_theme(order, random)
    reader = LabelReader(budget=None, threads=2)
    recognised = count_calls(reader)
    image, boxes = frame(order, random)
    timed(reader, image, counts, "first")
    after_first = recognised[0]
    for _ in range(6):
        image, boxes = frame(order, random)
        tiles, labels = timed(reader, image, counts, "moving")
    judge(order, boxes, tiles, labels, counts, say_wrong=say_wrong)
    match(order, boxes, tiles, labels, counts, random)
    order = [order[int(index)] for index in random.permutation(count)]
    image, _ = frame(order, random)
    timed(reader, image, counts, "shuffled")
    counts.again += recognised[0] - after_first


def count_calls(reader: LabelReader) -> list[int]:
    calls, read = [0], reader._recognizer.read

    def counting(line: TextLine, *told: Callable[[TextLine], bool | None]) -> Recognised:
        calls[0] += 1
        return read(line, *told)

    reader._recognizer.read = counting  # type: ignore[method-assign]
    return calls


def timed(
    reader: LabelReader, image: NDArray[np.uint8], counts: Counts, kind: str
) -> tuple[list[Tile], tuple[Label, ...]]:
    tiles = find_tiles(image)
    started = time.process_time()
    labels = reader.read(image, tiles)
    counts.times[kind].append((time.process_time() - started) * 1000)
    return tiles, labels


def judge(
    order: Sequence[Shown],
    boxes: Sequence[Box],
    tiles: Sequence[Tile],
    labels: Sequence[Label],
    counts: Counts,
    *,
    say_wrong: bool,
) -> None:
    for one, box in zip(order, boxes, strict=True):
        counts.tiles += 1
        index = tile_of(box, tiles)
        if index is None:
            continue
        counts.found += 1
        counts.shown[one.script] += 1
        truth = None if one.script in UNKNOWN_SCRIPTS else one.name
        right = labels[index].name == truth
        counts.right[one.script] += right
        if say_wrong and not right:
            print(
                f"  {one.name + one.suffix!r} read as {labels[index].name!r} ({one.font}, {one.size} px, {one.kind})"
            )


def tile_of(box: Box, tiles: Sequence[Tile]) -> int | None:
    """Which of the tiles found is the one that was drawn here; None where none is."""
    index = max(range(len(tiles)), key=lambda at: tiles[at].box.iou(box), default=None)
    return index if index is not None and tiles[index].box.iou(box) >= 0.8 else None


def match(
    order: Sequence[Shown],
    boxes: Sequence[Box],
    tiles: Sequence[Tile],
    labels: Sequence[Label],
    counts: Counts,
    random: Random,
) -> None:
    """Match what was read to a class list of those shown and as many others as make 60."""
    shown = [one.name for one in order]
    others = sorted({name for names in NAMES.values() for name in names} - set(shown))
    listed = [*shown, *random.permutation(others)[: CLASS_LIST - len(shown)]]
    students = [(number, str(name)) for number, name in enumerate(listed)]
    found = match_labels([label.name for label in labels if label.name], students, {}).students
    for number, box in enumerate(boxes):
        index = tile_of(box, tiles)
        name = labels[index].name if index is not None else None
        if name is not None and name in found:
            counts.matched[found[name] == number] += 1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--galleries", type=int, default=10, help="of each size")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--light", action="store_true", help="dark letters on light plates")
    arguments.add_argument("--wrong", action="store_true", help="print what was read wrong")
    chosen = arguments.parse_args()
    print(
        f"{psutil.cpu_count()} processors, load {psutil.getloadavg()[0]:.1f}; fonts {available(LATIN_FONTS)}"
    )
    for count in (25, 49):
        counts = Counts(Counter(), Counter(), defaultdict(list))
        for number in range(chosen.galleries):
            seed = chosen.seed + 1000 * count + number
            measure(count, seed, counts, say_wrong=chosen.wrong, light=chosen.light)
        print(f"{count} tiles: {counts.found}/{counts.tiles} tiles found")
        right, shown = (sum(part[script] for script in KNOWN) for part in (counts.right, counts.shown))
        print(f"  exact {right}/{shown} = {right / shown:.1%} of {', '.join(KNOWN)}")
        for title, scripts in (("exact", (*KNOWN, "rare letters")), ("no name", UNKNOWN_SCRIPTS)):
            shares = [
                f"{script} {counts.right[script]}/{counts.shown[script]}"
                f" = {counts.right[script] / counts.shown[script]:.0%}"
                for script in scripts
                if counts.shown[script]
            ]
            print(f"  {title} by script: {', '.join(shares)}")
        right, wrong = counts.matched[True], counts.matched[False]
        print(
            f"  class list of {CLASS_LIST}: {right} labels matched rightly, {wrong} wrongly, of {counts.tiles}"
        )
        without = [script for script in NAMES if not available(FONTS.get(script, LATIN_FONTS))]
        if without:
            print(f"  not drawn for want of a font: {', '.join(without)}")
        medians = {kind: statistics.median(times) for kind, times in counts.times.items()}
        print(
            "  processor ms a frame: " + ", ".join(f"{kind} {median:.1f}" for kind, median in medians.items())
        )
        print(f"  labels recognised again: {counts.again} in {counts.tiles} over 7 frames")


if __name__ == "__main__":
    main()
