"""Figures as SVG text: for the comparison page, the model card and the folder of a run. Pure functions but `write_*`.

Colours are classes, so that one figure serves light and dark: `STYLE` defines them, a page once, a file for itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from engagement.emotion import EXPRESSIONS

STYLE: Final = """
.chart{--text:#1d232c;--muted:#596273;--grid:#e4e7ec;--fill:15,116,135;--ink:#fff;
--c0:#0f7487;--c1:#c2571a;--c2:#6d4fc4;--c3:#b7791f;--c4:#2f78d4;--c5:#4d7c0f;--c6:#d1434b;--c7:#7b8494;
font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
@media(prefers-color-scheme:dark){.chart{--text:#e8ebf0;--muted:#a3acbb;--grid:#2f343d;--fill:76,195,212;--ink:#14161a;
--c0:#4cc3d4;--c1:#f0935a;--c2:#b39df5;--c3:#efb84e;--c4:#63a4ff;--c5:#8fc93a;--c6:#f47c80;--c7:#98a2b3}}
.chart text{fill:var(--muted)}.chart .t{fill:var(--text);font-weight:600}.chart .g{stroke:var(--grid);stroke-width:1}
.chart .l{fill:none;stroke-width:2;stroke-linejoin:round}.chart .w{stroke-width:1.5}.chart .d{stroke-dasharray:5 4}
.chart .b{opacity:.16;stroke:none}.chart .e{text-anchor:end}.chart .m{text-anchor:middle}
"""
COLOURS: Final = 8

_FRAME = (46, 30, 20, 42)
"""Pixels left, above, right and below the axes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series.

    points: (x, y).  band: (x, low, high) shaded around it.  colour: 0..7.  dashed: for a second meaning of one colour.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    band: Sequence[tuple[float, float, float]] = ()
    dashed: bool = False
    marked: bool = True


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    percent: bool = True,
    size: tuple[int, int] = (430, 280),
) -> str:
    """Lines over axes that span their ticks. `percent`: y is a share, written in per cent."""
    width, height = size
    left, top, right, bottom = _FRAME
    rows = _legend_rows(lines, width)
    bottom += 17 * rows
    height += 17 * rows

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (min(max(point[1], y_ticks[0]), y_ticks[-1]) - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return left + across * (width - left - right), height - bottom - up * (height - top - bottom)

    parts = []
    for tick in y_ticks:
        _, down = at((x_ticks[0], tick))
        label = f"{tick:.0%}" if percent else f"{tick:g}"
        parts.append(f'<path class="g" d="M{left} {down:.1f}H{width - right}"/>')
        parts.append(f'<text class="e" x="{left - 6}" y="{down + 4:.1f}">{label}</text>')
    for tick in x_ticks:
        across, down = at((tick, y_ticks[0]))
        label = f"{tick:.0%}" if percent and x_ticks[-1] <= 1 else f"{tick:g}"
        parts.append(f'<text class="m" x="{across:.1f}" y="{down + 16:.1f}">{label}</text>')
    middle = (left + width - right) / 2
    parts.append(f'<text class="m" x="{middle:.0f}" y="{height - bottom + 33}">{escape(x)}</text>')
    parts.append(
        f'<text x="{left - 40}" y="{top - 12}"><tspan class="t">{escape(title)}</tspan> {escape(y)}</text>'
    )
    for line in lines:
        parts += _line(line, at)
    parts += _legend(lines, width, height - 17 * rows + 12)
    return _svg(title, width, height, parts)


def reliability_chart(title: str, bins: Sequence[Mapping[str, float]]) -> str:
    """How often faces named with a confidence were right, against the diagonal of a perfect one."""
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return line_chart(
        title,
        [
            Line("perfectly calibrated", [(0, 0), (1, 1)], 7, dashed=True, marked=False),
            Line(
                "measured, 95 % interval",
                [(b["confidence"], b["accuracy"]) for b in bins],
                0,
                [(b["confidence"], b["low"], b["high"]) for b in bins],
            ),
        ],
        x="confidence",
        y="right",
        x_ticks=ticks,
        y_ticks=ticks,
    )


def coverage_chart(title: str, curve: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy on the faces named against the share of faces named."""
    points = [(point["coverage"], point["accuracy"]) for point in curve if point["coverage"] > 0]
    return line_chart(
        title,
        [Line("each point a threshold", points)],
        x="faces named",
        y="right",
        x_ticks=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        y_ticks=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    )


def height_chart(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy on all faces, on those named, and how many are named, against the face's height."""

    def line(
        name: str, key: str, colour: int, band: tuple[str, str] | None = None, dashed: bool = False
    ) -> Line:
        known = [row for row in rows if row[key] is not None]  # where none is named, none of them is right
        points = [(row["height"], row[key]) for row in known]
        around = [(row["height"], row[band[0]], row[band[1]]) for row in known] if band else []
        return Line(name, points, colour, around, dashed)

    return line_chart(
        title,
        [
            line("right, of those named", "named_accuracy", 0, ("named_low", "named_high")),
            line("right, of all", "value", 1, ("low", "high")),
            line("named, of all", "coverage", 2, dashed=True),
        ],
        x="face height, px",
        y="share of faces",
        x_ticks=[row["height"] for row in rows],
        y_ticks=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    )


def confusion_chart(title: str, matrix: Sequence[Sequence[int]]) -> str:
    """Rows are labels, columns predictions; the shade is the share of the row, the count is written in."""
    cell, left, top = 50, 70, 34
    side = cell * len(EXPRESSIONS)
    parts = [
        f'<text x="6" y="18"><tspan class="t">{escape(title)}</tspan> rows labelled, columns named</text>'
    ]
    for row, name in enumerate(EXPRESSIONS):
        middle = top + (row + 0.5) * cell
        parts.append(f'<text class="e" x="{left - 6}" y="{middle + 4:.0f}">{name}</text>')
        parts.append(
            f'<text class="m" x="{left + (row + 0.5) * cell:.0f}" y="{top + side + 16}">{name}</text>'
        )
        total = max(1, sum(matrix[row]))
        for column, count in enumerate(matrix[row]):
            share = count / total
            x = left + column * cell
            colour = "var(--ink)" if share > 0.5 else "var(--text)"
            parts.append(
                f'<rect x="{x}" y="{top + row * cell}" width="{cell - 1}" height="{cell - 1}" rx="3" '
                f'style="fill:rgba(var(--fill),{0.04 + 0.96 * share:.2f})"/>'
                f'<text class="m" x="{x + cell / 2:.0f}" y="{middle + 4:.0f}" style="fill:{colour}">{count}</text>'
            )
    return _svg(title, left + side + 10, top + side + 26, parts)


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of a `dot_chart`: a share with its interval (both None where none was published)."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = True

    @property
    def text(self) -> str:
        """The share, or the range where no more was published."""
        if self.ours:
            return f"{self.value:.1%}"
        if self.low is None or self.high is None:
            return f"{published(self.value)}%"
        return f"{self.low * 100:.1f} to {self.high:.1%}"


def published(share: float) -> str:
    """A share as its source gives it, in per cent: with one decimal, or two where it has them."""
    text = f"{share * 100:.2f}"
    return text.removesuffix("0")


def dot_chart(title: str, y: str, dots: Sequence[Dot], ticks: Sequence[float], width: int = 900) -> str:
    """Shares with 95 % intervals, one under the other. A hollow dot was measured by others, in another way."""
    left, top, right, step = 250, 34, 110, 22
    height = top + step * len(dots) + 26

    def across(share: float) -> float:
        inside = min(max(share, ticks[0]), ticks[-1])
        return left + (inside - ticks[0]) / (ticks[-1] - ticks[0]) * (width - left - right)

    parts = [f'<text x="6" y="18"><tspan class="t">{escape(title)}</tspan> {escape(y)}</text>']
    for tick in ticks:
        parts.append(f'<path class="g" d="M{across(tick):.1f} {top - 4}V{height - 22}"/>')
        parts.append(f'<text class="m" x="{across(tick):.1f}" y="{height - 6}">{tick:.0%}</text>')
    for number, dot in enumerate(dots):
        middle = top + (number + 0.5) * step
        colour, fill = ("var(--c0)", "var(--c0)") if dot.ours else ("var(--c7)", "none")
        parts.append(f'<text class="e" x="{left - 12}" y="{middle + 4:.0f}">{escape(dot.name)}</text>')
        if dot.low is not None and dot.high is not None:
            parts.append(
                f'<path d="M{across(dot.low):.1f} {middle:.1f}H{across(dot.high):.1f}" style="stroke:{colour};'
                'stroke-width:3;opacity:.35"/>'
            )
        parts.append(
            f'<circle cx="{across(dot.value):.1f}" cy="{middle:.1f}" r="4.5" '
            f'style="fill:{fill};stroke:{colour};stroke-width:1.8"/>'
            f'<text x="{width - right + 12}" y="{middle + 4:.0f}">{dot.text}</text>'
        )
    return _svg(title, width, height, parts)


def curves_charts(history: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Loss and accuracy against the epoch, from a run's history of two epochs or more."""
    epochs = [float(row["epoch"]) for row in history]
    x_ticks = _ticks(epochs[0], epochs[-1], least=1)

    def line(name: str, key: str, colour: int) -> Line:
        points = [(float(row["epoch"]), float(row[key])) for row in history if key in row]
        return Line(name, points, colour, marked=False)

    losses = [
        line("training, augmented, soft targets", "loss", 0),
        line("PublicTest, labels", "public_loss", 1),
    ]
    highest = max(y for series in losses for _, y in series.points)
    y_ticks = _ticks(0.0, highest)
    accuracies = [line("training, augmented", "accuracy", 0), line("PublicTest", "public_accuracy", 1)]
    shares = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return (
        line_chart("Loss", losses, x="epoch", y="nats", x_ticks=x_ticks, y_ticks=y_ticks, percent=False),
        line_chart("Accuracy", accuracies, x="epoch", y="", x_ticks=x_ticks, y_ticks=shares),
    )


def write_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """`curves_charts` beside each other in one SVG file, once there are two epochs."""
    if len(history) > 1:
        write_charts(curves_charts(history), path)


def write_charts(charts: Sequence[str], path: Path) -> None:
    """Charts beside each other in one SVG file."""
    write_svg(_beside(charts), path)


def write_svg(svg: str, path: Path) -> None:
    """One figure as a file of its own, with its colours."""
    head, rest = svg.split(">", 1)
    path.write_text(f"{head}><style>{STYLE}</style>{rest}\n", encoding="utf-8")


def _beside(charts: Sequence[str]) -> str:
    across, parts, tallest = 0, [], 0
    for chart in charts:
        width, height = (int(word) for word in chart.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split())
        parts.append(chart.replace("<svg", f'<svg x="{across}" width="{width}" height="{height}"', 1))
        across, tallest = across + width, max(tallest, height)
    return _svg("curves", across, tallest, parts)


def _svg(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
    )


def _line(line: Line, at: Any) -> list[str]:
    if not line.points:
        return []
    parts = []
    colour = f"var(--c{line.colour % COLOURS})"
    if line.band:
        around = [at((x, high)) for x, _, high in line.band] + [
            at((x, low)) for x, low, _ in reversed(line.band)
        ]
        parts.append(f'<path class="b" d="{_path(around)}Z" style="fill:{colour}"/>')
    places = [at(point) for point in line.points]
    dash = " d" if line.dashed else ""
    parts.append(f'<path class="l{dash}" d="{_path(places)}" style="stroke:{colour}"/>')
    if line.marked:
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" style="fill:{colour}"><title>{escape(line.name)}: '
            f"{point[1]:.3g}</title></circle>"
            for (x, y), point in zip(places, line.points, strict=True)
        ]
    return parts


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _legend_width(line: Line) -> float:
    return 36 + 6.3 * len(line.name)


def _legend_places(lines: Sequence[Line], width: int) -> list[tuple[float, int]]:
    places, across, row = [], 0.0, 0
    for line in lines:
        if across and across + _legend_width(line) > width - 12:
            across, row = 0.0, row + 1
        places.append((across, row))
        across += _legend_width(line)
    return places


def _legend_rows(lines: Sequence[Line], width: int) -> int:
    return _legend_places(lines, width)[-1][1] + 1


def _legend(lines: Sequence[Line], width: int, top: float) -> list[str]:
    parts = []
    for line, (across, row) in zip(lines, _legend_places(lines, width), strict=True):
        x, y, dash = across + 8, top + 17 * row - 4, " d" if line.dashed else ""
        colour = f"var(--c{line.colour % COLOURS})"
        parts.append(f'<path class="l{dash}" d="M{x:.0f} {y:.0f}h18" style="stroke:{colour}"/>')
        parts.append(f'<text x="{x + 23:.0f}" y="{y + 4:.0f}">{escape(line.name)}</text>')
    return parts


def _ticks(low: float, high: float, least: float = 0.01) -> list[float]:
    """About five round numbers from `low` on that reach `high`, `least` apart or more."""
    steps = (times * power for power in (0.01, 0.1, 1, 10, 100) for times in (1, 2, 5))
    step = next((step for step in steps if step >= least and (high - low) / step <= 6), 500.0)
    ticks = [low]
    while ticks[-1] < high or len(ticks) < 2:
        ticks.append(round(ticks[-1] + step, 6))
    return ticks
