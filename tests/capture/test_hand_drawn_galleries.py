"""Windows drawn by hand, one per layout, with their own brush: nothing here comes from the generated suite.

Every box is written down as a number, as measured on a window of that program, so that the finder is not tuned to one
painter.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from capture.gallery import find_tiles
from engagement.records import Box

Picture = NDArray[np.uint8]
Drawing = tuple[Image.Image, list[Box]]
FIRST: Final = (
    "Amara",
    "Benedikt",
    "Carmen",
    "Daichi",
    "Elif",
    "Farid",
    "Giulia",
    "Henrik",
    "Ivana",
    "Jonas",
)
LAST: Final = ("Achterberg", "Bianchi", "Cho", "Dlamini", "Eriksen", "Fofana", "Gupta", "Haddad", "Ito")


def name(at: int) -> str:
    return f"{FIRST[at % 10]} {LAST[at * 7 % 9]}"


def webcam(width: int, height: int, at: int) -> Image.Image:
    """A person with hair, eyes and shoulders before a wall with soft light, a lamp and a curtain; some grain."""
    rng = np.random.default_rng(700 + at)
    wall = rng.uniform(70, 200, 3)
    y, x = np.mgrid[0:height, 0:width] / height
    light = 1 + 0.35 * np.cos(2.2 * (x - rng.uniform(0, 1.7))) * np.sin(1.4 * y + rng.uniform(0, 3))
    image = Image.fromarray(np.clip(wall * light[..., None], 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    u = height / 100
    lamp = rng.uniform(0, width / u)
    draw.ellipse([(lamp - 9) * u, 8 * u, (lamp + 9) * u, 26 * u], fill=(255, 240, 205))
    for fold in range(5):
        left = (width / u - 28 + fold * 6) * u
        draw.polygon([(left, 0), (left + 5 * u, 0), (left + 3 * u, 92 * u), (left - 2 * u, 92 * u)],
                     fill=tuple(int(c * (0.6 + 0.05 * fold)) for c in wall))  # fmt: skip
    image = image.filter(ImageFilter.GaussianBlur(1.6 * u))
    draw = ImageDraw.Draw(image)
    skin = tuple(int(c) for c in rng.uniform(0.35, 1.0) * np.array([235, 190, 160]))
    shirt = tuple(int(c) for c in rng.integers(20, 230, 3))
    c = width / 2 + rng.uniform(-14, 14) * u
    draw.polygon([(c - 46 * u, 101 * u), (c - 34 * u, 76 * u), (c - 9 * u, 68 * u), (c + 9 * u, 68 * u),
                  (c + 34 * u, 76 * u), (c + 46 * u, 101 * u)], fill=shirt)  # fmt: skip
    draw.rectangle([c - 7 * u, 58 * u, c + 7 * u, 74 * u], fill=skin)
    hair = tuple(int(v) for v in rng.integers(15, 120, 3))
    draw.ellipse([c - 18 * u, 18 * u, c + 18 * u, 58 * u], fill=hair)
    draw.ellipse([c - 15 * u, 24 * u, c + 15 * u, 66 * u], fill=skin)
    for side in (-6, 6):
        draw.ellipse([c + (side - 2.2) * u, 41 * u, c + (side + 2.2) * u, 44 * u], fill=(30, 25, 25))
    draw.arc([c - 6 * u, 48 * u, c + 6 * u, 57 * u], 20, 160, fill=(120, 50, 50), width=max(1, int(u)))
    grain = rng.normal(0, 2.0, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image, np.float64) + grain, 0, 255).astype(np.uint8))


def text(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], words: str, size: int, ink: str, anchor: str
) -> None:
    draw.text(at, words, fill=ink, font=ImageFont.load_default(size), anchor=anchor)


def put(
    image: Image.Image,
    box: Box,
    at: int,
    *,
    style: str = "zoom",
    radius: int = 0,
    off: str = "",
    size: int = 14,
    named: bool = True,
) -> None:
    """Paint one tile; `off` is the colour of its card where the camera is off."""
    tile = Image.new("RGB", (box.width, box.height), off) if off else webcam(box.width, box.height, at)
    draw = ImageDraw.Draw(tile, "RGBA")
    middle = box.width / 2, box.height / 2
    if off and style == "zoom":
        text(draw, middle, name(at), min(2 * size, box.height // 5), "white", "mm")
    elif off:
        r = box.height * 0.21
        draw.ellipse(
            [middle[0] - r, middle[1] - r, middle[0] + r, middle[1] + r], fill=("#b0603a", "#3a6fb0")[at % 2]
        )
        text(draw, middle, FIRST[at % 10][0], int(r), "white", "mm")
    if named:
        long = ImageFont.load_default(size).getlength(name(at))
        low = box.height
        if style == "zoom":
            draw.rectangle([0, low - size * 1.7, long + size, low], fill=(0, 0, 0, 150))
            text(draw, (size / 2, low - size * 0.85), name(at), size, "white", "lm")
        elif style == "teams":
            draw.rounded_rectangle(
                [8, low - 10 - size * 1.8, 8 + long + size, low - 10], 5, fill=(20, 20, 20, 170)
            )
            text(draw, (8 + size / 2, low - 10 - size * 0.9), name(at), size, "white", "lm")
        else:
            text(draw, (17, low - 15), name(at), size, "black", "ls")
            text(draw, (16, low - 16), name(at), size, "white", "ls")
    mask = Image.new("L", tile.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, box.width - 1, box.height - 1], radius, fill=255)
    image.paste(tile, (box.left, box.top), mask)


def window(width: int, height: int, ground: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), ground)
    return image, ImageDraw.Draw(image)


def zoom_bars(
    draw: ImageDraw.ImageDraw, width: int, height: int, fill: str = "#1a1a1a", ink: str = "#dddddd"
) -> None:
    draw.rectangle([0, 0, width, 29], fill=fill)
    text(draw, (width / 2, 15), "Zoom Workplace", 13, ink, "mm")
    draw.rectangle([0, height - 64, width, height], fill=fill)
    for i, words in enumerate(("Audio", "Video", "Participants", "Chat", "React", "Share", "More")):
        x = width / 2 + (i - 3) * 92
        draw.rounded_rectangle([x - 10, height - 54, x + 10, height - 36], 4, outline=ink, width=2)
        text(draw, (x, height - 16), words, 11, ink, "mm")
    draw.rounded_rectangle([width - 66, height - 50, width - 14, height - 18], 6, fill="#c62828")


def boxes(lefts: Sequence[int], tops: Sequence[int], width: int, height: int) -> list[Box]:
    return [Box(left, top, width, height) for top in tops for left in lefts]


def zoom_nine() -> Drawing:
    image, draw = window(1366, 768, "#0d0d0d")
    zoom_bars(draw, 1366, 768)
    tiles = boxes((116, 496, 876), (36, 261, 486), 374, 210)
    for i, box in enumerate(tiles):
        put(image, box, i, radius=8, off="#232323" if i == 5 else "")
    return image, tiles


def zoom_light_seven() -> Drawing:
    image, draw = window(1440, 900, "#f7f7f7")
    zoom_bars(draw, 1440, 900, "#ffffff", "#333333")
    tiles = [*boxes((24, 492, 960), (32, 301), 456, 257), *boxes((492,), (570,), 456, 257)]
    for i, box in enumerate(tiles):
        put(image, box, i + 20, radius=12, off="#dfe3e8" if i == 3 else "")
    return image, tiles


def zoom_old_square_speaker() -> Drawing:
    """4:3 tiles, 2 pixels apart, a yellow border around the speaker."""
    image, draw = window(1280, 800, "#000000")
    tiles = boxes((2, 322, 642, 962), (40, 281, 522), 316, 237)
    for i, box in enumerate(tiles):
        put(image, box, i + 40)
    draw.rectangle([640, 279, 959, 519], outline="#e2e23c", width=3)
    return image, tiles


def zoom_full_screen() -> Drawing:
    image, _ = window(1920, 1080, "#1a1a1a")
    tiles = boxes([9 + 272 * i for i in range(7)], [10 + 153 * i for i in range(6)], 267, 150)
    tiles += boxes([145 + 272 * i for i in range(6)], [10 + 153 * 6], 267, 150)
    for i, box in enumerate(tiles):
        put(image, box, i + 60, size=12, off="#2b2b2b" if i % 9 == 4 else "")
    return image, tiles


def zoom_without_names() -> Drawing:
    image, draw = window(1600, 1000, "#111111")
    zoom_bars(draw, 1600, 1000)
    tiles = boxes((64, 556, 1048), (75, 353, 631), 486, 273)
    for i, box in enumerate(tiles):
        put(image, box, i + 120, named=False)
    return image, tiles


def zoom_cut_below() -> Drawing:
    """A picture that ends after seven tenths of the last row."""
    image, tiles = zoom_nine()
    image = image.crop((0, 0, 1366, 633))
    return image, [Box(b.left, b.top, b.width, min(b.bottom, 633) - b.top) for b in tiles]


def zoom_spotlight() -> Drawing:
    image, draw = window(1920, 1080, "#101010")
    zoom_bars(draw, 1920, 1080)
    tiles = boxes((1600,), [120 + 177 * i for i in range(5)], 304, 171)
    large = Box(16, 110, 1568, 882)
    for i, box in enumerate(tiles):
        put(image, box, i + 140, size=12, radius=6)
    put(image, large, 150, size=24, radius=8)
    return image, [*tiles, large]


def zoom_strip_over_slide() -> Drawing:
    """Thumbnails above a shared slide of twelve rectangles, which are no tiles."""
    image, draw = window(1680, 1050, "#0b0b0b")
    tiles = boxes([335 + 204 * i for i in range(5)], (6,), 198, 111)
    for i, box in enumerate(tiles):
        put(image, box, i + 160, size=11, off="#2a2a2a" if i == 2 else "")
    draw.rectangle([100, 126, 1580, 1010], fill="#fdfdfd")
    for i in range(12):
        x, y = 140 + i % 4 * 356, 250 + i // 4 * 240
        draw.rectangle([x, y, x + 330, y + 210], fill=("#ffd9a0", "#bfe3ff", "#d8f2c4")[i % 3])
        text(draw, (x + 165, y + 105), f"Step {i + 1}", 26, "#222222", "mm")
    return image, tiles


def teams_five() -> Drawing:
    """Three above, two below as wide as the window."""
    image, draw = window(1920, 1017, "#1f1f1f")
    draw.rectangle([0, 0, 1920, 56], fill="#292929")
    for i, words in enumerate(("Chat", "People", "React", "View", "Camera", "Mic", "Share")):
        text(draw, (1200 + 88 * i, 40), words, 12, "#eeeeee", "mm")
    tiles = [*boxes((8, 645, 1282), (64,), 631, 470), *boxes((8, 963), (540,), 949, 470)]
    for i, box in enumerate(tiles):
        put(image, box, i + 180, style="teams", radius=4, off="#333333" if i == 3 else "")
    return image, tiles


def teams_eight() -> Drawing:
    """Four and four that fill a light window, and nobody in the middle of it."""
    image, draw = window(1536, 864, "#f0f0f0")
    draw.rectangle([0, 0, 1536, 52], fill="#ebebeb")
    text(draw, (60, 26), "Physics 9b", 14, "#444444", "mm")
    tiles = boxes([6 + 382 * i for i in range(4)], (60, 462), 376, 396)
    for i, box in enumerate(tiles):
        put(image, box, i + 200, style="teams", radius=6, off="#d9d9e3" if i == 6 else "")
    return image, tiles


def meet_seven() -> Drawing:
    """Rows of two, three and two under a browser's bars, round buttons below."""
    image, draw = window(1440, 900, "#202124")
    draw.rectangle([0, 0, 1440, 84], fill="#dee1e6")
    draw.rounded_rectangle([160, 46, 1300, 76], 15, fill="#ffffff")
    text(draw, (190, 61), "meet.example/kqz-wdtr-one", 14, "#333333", "lm")
    rows = ((388, 724), (220, 556, 892), (388, 724))
    tiles = [Box(left, 100 + 230 * r, 324, 218) for r, row in enumerate(rows) for left in row]
    for i, box in enumerate(tiles):
        put(image, box, i + 220, style="meet", radius=10, off="#3c4043" if i == 4 else "")
    for i in range(7):
        x = 720 + (i - 3) * 56
        draw.ellipse([x - 20, 832, x + 20, 872], fill="#ea4335" if i == 6 else "#3c4043")
    return image, tiles


def meet_of_2020() -> Drawing:
    image, _ = window(1200, 760, "#000000")
    columns, rows = ((0, 396), (396, 410), (806, 394)), ((0, 250), (250, 256), (506, 254))
    tiles = [Box(left, top, wide, high) for top, high in rows for left, wide in columns]
    for i, box in enumerate(tiles):
        put(image, box, i + 240, style="meet")
    return image, tiles


def two_side_by_side() -> Drawing:
    image, draw = window(1280, 720, "#141414")
    zoom_bars(draw, 1280, 720)
    tiles = boxes((8, 644), (167,), 628, 353)
    for i, box in enumerate(tiles):
        put(image, box, i + 260, size=18, radius=10)
    return image, tiles


def two_above_each_other_without_names() -> Drawing:
    """On white, 4 pixels apart."""
    image, draw = window(1440, 900, "#ffffff")
    zoom_bars(draw, 1440, 900, "#ffffff", "#333333")
    tiles = boxes((368,), (31, 435), 704, 396)
    for i, box in enumerate(tiles):
        put(image, box, i + 360, named=False)
    return image, tiles


def two_that_touch_without_names() -> Drawing:
    image, draw = window(1280, 720, "#1a1a1a")
    zoom_bars(draw, 1280, 720)
    tiles = boxes((8, 640), (165,), 632, 355)
    for i, box in enumerate(tiles):
        put(image, box, i + 380, named=False)
    return image, tiles


def four_that_touch_without_names() -> Drawing:
    image, draw = window(1440, 900, "#000000")
    zoom_bars(draw, 1440, 900)
    tiles = boxes((8, 720), (33, 433), 712, 400)
    for i, box in enumerate(tiles):
        put(image, box, i + 400, named=False)
    return image, tiles


def desktop(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Hills under a sky, a bar of tasks and some icons."""
    image, draw = window(width, height, "#8fbce6")
    for i, fill in enumerate(("#3f7a4a", "#5f6e48", "#7a5a52")):
        level = height * (0.5 + 0.14 * i)
        ridge = [(x, level + 40 * np.sin(x / 190 + 2 * i)) for x in range(0, width + 9, 8)]
        draw.polygon([(0, height), *ridge, (width, height)], fill=fill)
    image = image.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, height - 48, width, height], fill="#f0f3f9")
    for i in range(9):
        left = width // 2 - 220 + 48 * i
        draw.rounded_rectangle([left, height - 40, left + 32, height - 8], 6, fill="#3a6fb0")
    return image, draw


def teams_two_in_a_window_on_a_desktop() -> Drawing:
    image, draw = desktop(1920, 1080)
    draw.rectangle([420, 150, 1579, 801], fill="#1f1f1f")
    draw.rectangle([420, 150, 1579, 201], fill="#292929")
    for i, words in enumerate(("Chat", "People", "React", "View", "Camera", "Mic", "Share")):
        text(draw, (1000 + 70 * i, 176), words, 12, "#eeeeee", "mm")
    tiles = boxes((426, 1003), (340,), 571, 321)
    for i, box in enumerate(tiles):
        put(image, box, i + 480, style="teams", radius=4)
    return image, tiles


def zoom_three_in_a_window_on_a_desktop() -> Drawing:
    image, draw = desktop(1920, 1080)
    draw.rectangle([413, 88, 1594, 752], fill="#1a1a1a")
    text(draw, (430, 103), "Zoom Meeting", 12, "#dddddd", "lm")
    for i, words in enumerate(("Mute", "Video", "Participants", "Chat", "Share", "Record")):
        x = 760 + 92 * i
        draw.rounded_rectangle([x - 11, 702, x + 11, 718], 4, outline="#dddddd", width=2)
        text(draw, (x, 739), words, 11, "#dddddd", "mm")
    tiles = [*boxes((510, 1007), (126,), 491, 276), *boxes((759,), (408,), 491, 276)]
    for i, box in enumerate(tiles):
        put(image, box, i + 500, off="#242424" if i == 0 else "")
    return image, tiles


def zoom_light_full_rows_above_toolbar() -> Drawing:
    """Buttons stand where one more tile would, in the middle below full rows."""
    image, draw = window(1366, 768, "#ffffff")
    text(draw, (12, 15), "Zoom Workplace", 12, "#333333", "lm")
    tiles = boxes((11, 209, 408, 607, 806), (86, 201, 316, 431, 546), 191, 107)
    for i, box in enumerate(tiles):
        put(image, box, i + 540, radius=10, off="#242424" if i in (3, 10, 18) else "")
    for i, words in enumerate(
        ("Mute", "Stop Video", "", "", "Participants", "Chat", "Share Screen", "Record", "Apps")
    ):
        x = 50 + 92 * i - (11 if i > 3 else 0)
        if words:
            draw.rounded_rectangle([x - 11, 718, x + 11, 734], 4, outline="#333333", width=2)
            text(draw, (x, 755), words, 11, "#333333", "mm")
    chat(draw, Box(1006, 30, 360, 738), "#ffffff", "#232333")
    return image, tiles


def chat(draw: ImageDraw.ImageDraw, panel: Box, fill: str, ink: str) -> None:
    """A panel of messages, each a name and a line or two."""
    draw.rectangle([panel.left, panel.top, panel.right, panel.bottom], fill=fill)
    text(draw, (panel.left + panel.width / 2, panel.top + 20), "Meeting chat", 14, ink, "mm")
    for i, y in enumerate(range(panel.top + 60, panel.bottom - 50, 62)):
        text(draw, (panel.left + 16, y), name(i), 12, ink, "lm")
        text(
            draw,
            (panel.left + 16, y + 20),
            ("I have the same result", "Which page?", "Thanks")[i % 3],
            13,
            ink,
            "lm",
        )


def zoom_without_names_beside_chat() -> Drawing:
    image, draw = window(1600, 900, "#1a1a1a")
    zoom_bars(draw, 1600, 900)
    chat(draw, Box(1280, 30, 320, 806), "#242424", "#dddddd")
    tiles = boxes((17, 435, 853), (80, 318, 556), 410, 230)
    for i, box in enumerate(tiles):
        put(image, box, i + 420, named=False)
    return image, tiles


def zoom_two_without_names_beside_light_chat() -> Drawing:
    image, draw = window(1440, 900, "#000000")
    zoom_bars(draw, 1440, 900)
    chat(draw, Box(1080, 30, 360, 806), "#ffffff", "#333333")
    tiles = boxes((8, 544), (283,), 528, 297)
    for i, box in enumerate(tiles):
        put(image, box, i + 440, radius=8, named=False)
    return image, tiles


GALLERIES: Final[tuple[Callable[[], Drawing], ...]] = (
    zoom_nine,
    zoom_light_seven,
    zoom_old_square_speaker,
    zoom_full_screen,
    zoom_without_names,
    zoom_cut_below,
    zoom_spotlight,
    zoom_strip_over_slide,
    teams_five,
    teams_eight,
    meet_seven,
    meet_of_2020,
    two_side_by_side,
    two_above_each_other_without_names,
    two_that_touch_without_names,
    four_that_touch_without_names,
    zoom_without_names_beside_chat,
    zoom_two_without_names_beside_light_chat,
    teams_two_in_a_window_on_a_desktop,
    zoom_three_in_a_window_on_a_desktop,
    zoom_light_full_rows_above_toolbar,
)


@pytest.mark.parametrize("draw", GALLERIES, ids=lambda draw: draw.__name__)
def test_tiles_of_a_hand_drawn_window(draw: Callable[[], Drawing]) -> None:
    image, truth = draw()
    found = [tile.box for tile in find_tiles(np.array(image))]
    assert [box for box in truth if all(box.iou(other) < 0.8 for other in found)] == []
    assert len(found) == len(truth)


def speaker_alone() -> Image.Image:
    image, draw = window(1440, 900, "#000000")
    zoom_bars(draw, 1440, 900)
    put(image, Box(0, 30, 1440, 806), 300, size=22)
    return image


def slide_alone() -> Image.Image:
    image, draw = window(1440, 900, "#000000")
    draw.rectangle([60, 30, 1380, 870], fill="#ffffff")
    for i in range(6):
        x, y = 100 + i % 3 * 420, 200 + i // 3 * 320
        draw.rounded_rectangle([x, y, x + 400, y + 300], 12, fill=("#dbe9ff", "#ffe3e3", "#e5ffdb")[i % 3])
        text(draw, (x + 20, y + 275), f"Idea {i + 1}: why it matters", 20, "#333333", "lm")
    return image


def video_site() -> Image.Image:
    image, draw = window(1600, 900, "#0f0f0f")
    text(draw, (800, 28), "Search", 16, "#aaaaaa", "mm")
    for i in range(8):
        x, y = 20 + i % 4 * 394, 70 + i // 4 * 330
        put(image, Box(x, y, 380, 214), i + 320, radius=12, named=False)
        text(draw, (x + 4, y + 234), f"{name(i)}: ten minutes of grammar", 16, "#f1f1f1", "lm")
        text(draw, (x + 4, y + 258), "14k views, 2 years ago", 13, "#aaaaaa", "lm")
        text(draw, (x + 370, y + 200), "10:42", 13, "#ffffff", "rm")
    return image


def two_windows() -> Image.Image:
    image = webcam(1600, 900, 340)
    draw = ImageDraw.Draw(image)
    for x in (60, 830):
        draw.rectangle([x, 120, x + 700, 720], fill="#fafafa")
        draw.rectangle([x, 120, x + 700, 150], fill="#d0d4da")
        for line in range(16):
            text(
                draw,
                (x + 20, 180 + line * 30),
                f"{line}  the quick brown fox jumps over it",
                15,
                "#222222",
                "lm",
            )
    return image


def news_beside_a_column() -> Image.Image:
    """Pictures of people on a page, a headline below each, and a column of writing on another ground at the right."""
    image, draw = window(1600, 900, "#ffffff")
    text(draw, (640, 36), "The Daily Chalk", 34, "#111111", "mm")
    for i in range(6):
        x, y = 40 + i % 3 * 408, 90 + i // 3 * 380
        put(image, Box(x, y, 384, 216), i + 460, named=False)
        text(draw, (x, y + 240), f"{name(i)} on the new school year", 20, "#111111", "lm")
        text(draw, (x, y + 270), "What changes, and for whom", 15, "#555555", "lm")
    chat(draw, Box(1290, 0, 310, 900), "#eef1f4", "#333333")
    return image


@pytest.mark.parametrize(
    "draw",
    [speaker_alone, slide_alone, video_site, two_windows, news_beside_a_column],
    ids=lambda draw: draw.__name__,
)
def test_no_grid_on_a_hand_drawn_screen(draw: Callable[[], Image.Image]) -> None:
    assert find_tiles(np.array(draw())) == []
