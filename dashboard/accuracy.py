"""How well the classifier reads faces, as Plotly JSON and as text, from the figures that stand beside its weights.

The figures are those that `classpulse models evaluate --card` writes; the command line hands them over as JSON types.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard.figures import Figure
from dashboard.theme import PALETTES, Scheme, template, with_opacity
from dashboard.wording import EXPRESSIONS, percent

_SHARE: Final = {"range": [0, 1.03], "tickformat": ".0%", "fixedrange": True}
"""With room for the last label, and for a mark at 100 %."""


def served(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the head of the network that the product asks: where it has one that learnt from voters, what was
    measured against their majority."""
    return {**figures, **figures.get("votes", {})}


def height_figure(figures: Mapping[str, Any], scheme: Scheme) -> Figure:
    """Accuracy on the faces named, and how many are named, against the height of the face."""
    palette = PALETTES[scheme]
    rows = [row for row in figures["by_height"] if row["height"] >= figures["min_height"]]
    heights = [row["height"] for row in rows]
    named = [row for row in rows if row["named_accuracy"] is not None]
    return {
        "data": [
            _band(named, "height", "named_low", "named_high", palette.mood),
            {
                **_line(
                    [row["height"] for row in named], [row["named_accuracy"] for row in named], palette.mood
                ),
                "name": "right, of those named",
                "hovertemplate": "%{x} px: %{y:.0%} right of those named<extra></extra>",
            },
            {
                **_line(heights, [row["coverage"] for row in rows], palette.note, "dot"),
                "name": "named",
                "hovertemplate": "%{x} px: %{y:.0%} named<extra></extra>",
            },
        ],
        "layout": _layout(scheme, "height of the face in pixels", tickvals=heights),
    }


def reliability_figure(figures: Mapping[str, Any], scheme: Scheme) -> Figure:
    """How often faces named with a confidence were right."""
    palette = PALETTES[scheme]
    rows = figures["reliability"]
    return {
        "data": [
            _band(rows, "confidence", "low", "high", palette.mood),
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, 1],
                "y": [0, 1],
                "name": "perfect",
                "line": {"color": palette.muted, "width": 1, "dash": "dot"},
                "hoverinfo": "skip",
            },
            {
                **_line([row["confidence"] for row in rows], [row["accuracy"] for row in rows], palette.mood),
                "name": "measured",
                "hovertemplate": "said %{x:.0%}, right %{y:.0%}<extra></extra>",
            },
        ],
        "layout": _layout(scheme, "confidence", **_SHARE),
    }


def coverage_figure(figures: Mapping[str, Any], scheme: Scheme) -> Figure:
    """Accuracy on the faces named against how many are named, one point per threshold."""
    palette = PALETTES[scheme]
    curve = [point for point in figures["coverage"] if point["coverage"] > 0]
    at = figures["at_threshold"]
    return {
        "data": [
            {
                **_line(
                    [point["coverage"] for point in curve],
                    [point["accuracy"] for point in curve],
                    palette.mood,
                ),
                "name": "other thresholds",
                "hovertemplate": "%{x:.0%} named, %{y:.0%} of them right<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [at["coverage"]],
                "y": [at["accuracy"]],
                "name": "in use",
                "marker": {"color": palette.low, "size": 11, "symbol": "diamond"},
                "hovertemplate": "in use: %{x:.0%} named, %{y:.0%} of them right<extra></extra>",
            },
        ],
        "layout": _layout(scheme, "faces named", **_SHARE),
    }


def confusion_figure(figures: Mapping[str, Any], scheme: Scheme) -> Figure:
    """What faces with each label were taken for, as shares of the label."""
    palette = PALETTES[scheme]
    names = [EXPRESSIONS[name] for name in figures["by_expression"]]
    shares = [[count / max(1, sum(row)) for count in row] for row in figures["confusion"]]
    layout = _layout(scheme, "taken for")
    layout["xaxis"] |= {"side": "bottom", "showgrid": False, "tickangle": -40}
    layout["yaxis"] = {"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": names,
                "y": names,
                "z": shares,
                "text": [[f"{share:.0%}" for share in row] for row in shares],
                "texttemplate": "%{text}",
                "textfont": {"size": 10},
                # opaque: Plotly chooses the colour of the text as if there were no opacity
                "colorscale": [[0, palette.card], [1, palette.mood]],
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "hovertemplate": "%{y}, taken for %{x}: %{z:.0%}<extra></extra>",
            }
        ],
        "layout": layout,
    }


def sentences(figures: Mapping[str, Any]) -> list[str]:
    """What was measured, with intervals, and on what."""
    if "votes" in figures:
        return _of_voters(figures)
    accuracy, at = figures["accuracy"], figures["at_threshold"]
    votes = figures.get("ferplus_majority")
    agreed = (
        f", and {_share(votes)} of the {votes['n']:,} on which the majority of ten voters agreed"
        if votes and votes["n"]
        else ""
    )
    unseen = figures.get("unseen")
    repeated = (
        f" Of these pictures {accuracy['n'] - unseen['accuracy']['n']:,} were also among those it was trained on; of "
        f"the others it names {_share(unseen['accuracy'])} so."
        if unseen
        else " Some of these pictures were also among those it was trained on."
    )
    return [
        f"On {accuracy['n']:,} faces of FER2013's {figures['split']} it names {_share(accuracy)} as they are labelled"
        f"{agreed}. People who are asked again do so for about 65 %.{repeated}",
        f"Where it is unsure it names nothing: {percent(at['coverage'])} of full-size faces are named, "
        f"{_of_named(at)} of them as labelled. Small faces must be clearer to be named, and faces under "
        f"{figures['min_height']} pixels are not read.",
        f"Its confidence is off by {100 * figures['ece']:.1f} points on average.",
    ]


def _of_voters(figures: Mapping[str, Any]) -> list[str]:
    asked, labelled = served(figures), figures["accuracy"]
    accuracy, at, unseen = asked["accuracy"], asked["at_threshold"], asked.get("unseen")
    repeated = (
        f" Of these pictures {accuracy['n'] - unseen['accuracy']['n']:,} were also among those it was trained on; of "
        f"the others it names {_share(unseen['accuracy'])} so."
        if unseen
        else ""
    )
    return [
        f"On {accuracy['n']:,} faces of FER2013's {figures['split']} on which most of ten people agreed, it names "
        f"{_share(accuracy)} as they did.{repeated}",
        f"Where it is unsure it names nothing: {percent(at['coverage'])} of full-size faces are named, "
        f"{_of_named(at)} of them as most people named them; a face on which people did not agree counts as "
        "wrong. Small faces must be clearer to be named, and faces under "
        f"{figures['min_height']} pixels are not read.",
        f"Its confidence is off by {100 * asked['ece']:.1f} points on average.",
        "FER2013's own labels are the words by which its pictures were searched for; people who look at them agree "
        f"with about 65 %. A part of the network that learnt these labels, which is not used in a class, names "
        f"{_share(labelled)} of {labelled['n']:,} so.",
    ]


def expression_rows(figures: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Expression, precision, recall with its 95 % interval, and number of faces, as text."""
    return [
        (
            EXPRESSIONS[name],
            percent(row["precision"]),
            f"{percent(row['recall'])} ({percent(row['recall_low'])} to {percent(row['recall_high'])})",
            f"{row['support']:,.0f}",
        )
        for name, row in figures["by_expression"].items()
    ]


def _of_named(at: Mapping[str, Any]) -> str:
    """The accuracy on the faces named, where any is."""
    return "none" if at["accuracy"] is None else percent(at["accuracy"])


def _share(share: Mapping[str, float]) -> str:
    return f"{percent(share['value'])} (95 % interval {percent(share['low'])} to {percent(share['high'])})"


def _line(x: Sequence[float], y: Sequence[float], colour: str, dash: str = "solid") -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"color": colour, "size": 6},
    }


def _band(rows: Sequence[Mapping[str, float]], x: str, low: str, high: str, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [row[x] for row in rows] + [row[x] for row in reversed(rows)],
        "y": [row[high] for row in rows] + [row[low] for row in reversed(rows)],
        "fill": "toself",
        "fillcolor": with_opacity(colour, 0.18),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": "95 % interval",
    }


def _layout(scheme: Scheme, x: str, **axis: Any) -> Figure:
    return {
        "template": template(scheme),
        "margin": {"l": 44, "r": 12, "t": 8, "b": 44},
        "xaxis": {
            "title": {"text": x, "font": {"size": 12}},
            "fixedrange": True,
            "automargin": True,
            "ticklabelstandoff": 6,
            **axis,
        },
        "yaxis": dict(_SHARE),
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
    }
