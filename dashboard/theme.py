"""Colours, the Mantine theme and the Plotly templates, light and dark.

Every series colour has a contrast of at least 3:1 against page and card in its scheme, and never stands alone: a
label, a dash or a symbol says the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from dashboard.charts import TEMPLATES
from engagement.emotion import Expression
from engagement.records import State

Scheme = Literal["light", "dark"]

FONT: Final = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", '
    'Arial, sans-serif, "Apple Color Emoji", "Segoe UI Emoji"'
)


_TRACES: Final = ("bar", "heatmap", "scatter")
_UNUSED: Final = frozenset(
    {"geo", "piecolorway", "polar", "scene", "sliderdefaults", "ternary", "updatemenudefaults"}
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme, each `#rrggbb`.

    Attributes:
        page, card: backgrounds.
        text, muted: writing; at least 7:1 and 4.5:1 on both backgrounds.
        grid: lines that carry no information.
        mood: the mood line and the accent of the pages.
        low: shading of low stretches (used with an opacity, and named beside it).
        note: markers of notes.
        expressions: per expression, in the order in which the shares are stacked.
        states: per state of a seat.
    """

    page: str
    card: str
    text: str
    muted: str
    grid: str
    mood: str
    low: str
    note: str
    expressions: Mapping[Expression, str]
    states: Mapping[State, str]


PALETTES: Final[Mapping[Scheme, Palette]] = MappingProxyType(
    {
        "light": Palette(
            page="#f6f7f9",
            card="#ffffff",
            text="#1d232c",
            muted="#596273",
            grid="#e4e7ec",
            mood="#0f7487",
            low="#b34f15",
            note="#6d4fc4",
            expressions={
                "neutral": "#7b8494",
                "happy": "#b7791f",
                "surprise": "#8b5cf6",
                "sad": "#2f78d4",
                "fear": "#0d9488",
                "disgust": "#4d7c0f",
                "angry": "#d1434b",
            },
            states={
                State.SEEN: "#0f7487",
                State.TURNED_AWAY: "#b7791f",
                State.NO_FACE: "#c2571a",
                State.CAMERA_OFF: "#7b8494",
                State.UNREADABLE: "#8b6f9e",
                State.OPTED_OUT: "#596273",
            },
        ),
        "dark": Palette(
            page="#14161a",
            card="#1c1f25",
            text="#e8ebf0",
            muted="#a3acbb",
            grid="#2f343d",
            mood="#4cc3d4",
            low="#f0935a",
            note="#b39df5",
            expressions={
                "neutral": "#98a2b3",
                "happy": "#efb84e",
                "surprise": "#a78bfa",
                "sad": "#63a4ff",
                "fear": "#2fc7b4",
                "disgust": "#8fc93a",
                "angry": "#f47c80",
            },
            states={
                State.SEEN: "#4cc3d4",
                State.TURNED_AWAY: "#efb84e",
                State.NO_FACE: "#f0935a",
                State.CAMERA_OFF: "#98a2b3",
                State.UNREADABLE: "#c3a3d9",
                State.OPTED_OUT: "#a3acbb",
            },
        ),
    }
)

MANTINE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "primaryColor": "pulse",
        "primaryShade": {"light": 7, "dark": 4},
        "autoContrast": True,
        "fontFamily": FONT,
        "headings": {"fontFamily": FONT, "fontWeight": "650"},
        "defaultRadius": "md",
        "cursorType": "pointer",
        "respectReducedMotion": True,
        "colors": {
            "pulse": [
                "#e6f7f9",
                "#d0eef2",
                "#a3dde5",
                "#74ccd8",
                "#4cc3d4",
                "#2aa5b8",
                "#188ca0",
                "#0f7487",
                "#0b6070",
                "#084b58",
            ],
        },
    }
)


@cache
def template(scheme: Scheme) -> dict[str, Any]:
    """The Mantine Plotly template of a scheme on a transparent ground, as plain JSON types (do not change it)."""
    palette = PALETTES[scheme]
    figure: dict[str, Any] = json.loads(TEMPLATES.read_text(encoding="utf-8"))[scheme]
    layout = figure["layout"]
    layout["font"] = {"family": FONT, "size": 12, "color": palette.muted}
    layout["paper_bgcolor"] = layout["plot_bgcolor"] = "rgba(0,0,0,0)"
    layout["hoverlabel"] = {
        "bgcolor": palette.card,
        "bordercolor": palette.grid,
        "font": {"family": FONT, "size": 12, "color": palette.text},
        "align": "left",
    }
    for axis in ("xaxis", "yaxis"):
        layout[axis] = {
            **layout[axis],
            "gridcolor": palette.grid,
            "zerolinecolor": palette.grid,
            "zeroline": False,
        }
    return figure


def mantine_templates() -> dict[Scheme, dict[str, Any]]:
    """What stands in `charts.TEMPLATES`: Mantine's own templates, less what none of our charts has.

    Written by `.ci/charts`, since asking Mantine and Plotly would cost every report and every start a second.
    """
    import dash_mantine_components as dmc
    import plotly.io as pio

    dmc.add_figure_templates()
    kept: dict[Scheme, dict[str, Any]] = {}
    for scheme in PALETTES:
        figure = pio.templates[f"mantine_{scheme}"].to_plotly_json()
        layout = {name: value for name, value in figure["layout"].items() if name not in _UNUSED}
        data = {kind: figure["data"][kind] for kind in _TRACES if kind in figure["data"]}
        kept[scheme] = {"data": data, "layout": layout}
    return kept


def with_opacity(colour: str, opacity: float) -> str:
    """`#rrggbb` as CSS `rgba()`."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def contrast(first: str, second: str) -> float:
    """Contrast of two `#rrggbb` colours, 1..21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def css_variables() -> str:
    """The palettes as a style sheet of `--cp-*` variables, so that pages and charts share one set of colours."""
    return "\n".join(
        f':root[data-mantine-color-scheme="{scheme}"] {{ {_variables(palette)} }}'
        for scheme, palette in PALETTES.items()
    )


def _variables(palette: Palette) -> str:
    plain = ("page", "card", "text", "muted", "grid", "mood", "low", "note")
    colours = {name: getattr(palette, name) for name in plain}
    colours |= {f"state-{state.replace('_', '-')}": colour for state, colour in palette.states.items()}
    return " ".join(f"--cp-{name}: {colour};" for name, colour in colours.items())
