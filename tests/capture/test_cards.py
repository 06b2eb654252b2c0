"""Cards of cameras that are off are told from people before a flat ground."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from capture.cards import Content, content

GROUND = (60, 64, 67)
SHARES = (0.3, 0.36, 0.4, 0.44, 0.48, 0.52)


def tile(height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (round(height * 16 / 9), height), GROUND)
    return image, ImageDraw.Draw(image)


def label(draw: ImageDraw.ImageDraw, width: int, height: int, share: float) -> None:
    """A dark chip at the bottom left, `share` of the tile wide, with a name."""
    high = max(12, round(0.1 * height))
    draw.rectangle((6, height - 6 - high, 6 + share * width, height - 6), fill=(30, 30, 30))
    font = ImageFont.load_default(max(7, high - 5))
    draw.text((9, height - 5 - high), "Julia Rossi van der Berg", font=font, fill="white")


def grey(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("L"), np.uint8)


@pytest.mark.parametrize("height", [90, 120, 180, 240, 360])
@pytest.mark.parametrize("name", [0.2, 0.5, 0.7, 0.9])
def test_an_avatar_is_a_card_however_large_it_is_and_long_its_name(height: int, name: float) -> None:
    for share in SHARES:
        image, draw = tile(height)
        width, radius = image.width, share * height / 2
        draw.ellipse(
            (width / 2 - radius, height / 2 - radius, width / 2 + radius, height / 2 + radius), fill="#1a73e8"
        )
        font = ImageFont.load_default(max(8, round(radius)))
        draw.text((width / 2, height / 2), "JR", font=font, fill="white", anchor="mm")
        label(draw, width, height, name)
        assert content(grey(image)) is Content.CARD, share


@pytest.mark.parametrize("height", [90, 120, 180, 240, 360])
@pytest.mark.parametrize("shoulders", [0.25, 0.4, 0.6])
def test_somebody_before_a_flat_background_is_no_card(height: int, shoulders: float) -> None:
    rng = np.random.default_rng(5)
    for share in SHARES:
        image, draw = tile(height)
        width, radius = image.width, share * height / 2
        mask = Image.new("L", image.size)
        body = ImageDraw.Draw(mask)
        body.ellipse(
            (width / 2 - 0.75 * radius, height * 0.2, width / 2 + 0.75 * radius, height * 0.2 + 2 * radius),
            fill=255,
        )
        wide = shoulders * width / 2
        body.rounded_rectangle(
            (width / 2 - wide, height * 0.18 + 2 * radius, width / 2 + wide, height * 1.3), wide / 2, fill=255
        )
        skin = Image.fromarray(rng.integers(90, 220, (height, width, 3), dtype=np.uint8))
        image.paste(skin, mask=mask)
        label(draw, width, height, 0.5)
        assert content(grey(image)) is not Content.CARD, share
