import json
import re
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import accuracy
from dashboard.app import DashboardSettings, create_app
from dashboard.pages import about
from engagement.emotion import EXPRESSIONS

FIGURES = Path(__file__).parents[2] / "models" / "weights" / "expression.json"


@pytest.fixture
def figures() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    read.pop("votes", None)  # of a network of one head, unless a test says otherwise
    return read


def texts(component: Any) -> str:
    if isinstance(component, str):
        return component
    if isinstance(component, list | tuple):
        return " ".join(texts(part) for part in component)
    return texts(getattr(component, "children", None) or "") if isinstance(component, Component) else ""


def test_the_sentences_say_what_was_measured_and_how_surely(figures: dict[str, Any]) -> None:
    figures |= {"accuracy": {"value": 0.712, "n": 3574, "low": 0.697, "high": 0.727}, "min_height": 20}
    figures |= {"ferplus_majority": {"value": 0.86, "n": 3153, "low": 0.85, "high": 0.87}, "ece": 0.0184}
    del figures["unseen"]
    text = " ".join(accuracy.sentences(figures))
    assert "On 3,574 faces of FER2013's PrivateTest" in text
    assert "Some of these pictures were also among those" in text
    assert "71 % (95 % interval 70 % to 73 %)" in text
    assert "86 % (95 % interval 85 % to 87 %) of the 3,153" in text
    assert "under 20 pixels are not read" in text
    assert "off by 1.8 points" in text
    del figures["ferplus_majority"]
    assert "voters" not in " ".join(accuracy.sentences(figures))
    figures["unseen"] = {"accuracy": {"value": 0.69, "n": 3300, "low": 0.67, "high": 0.71}}
    text = " ".join(accuracy.sentences(figures))
    assert "274 were also among those it was trained on; of the others it names 69 % (95 %" in text


def test_of_two_heads_the_page_shows_the_one_that_a_class_is_read_with(figures: dict[str, Any]) -> None:
    voters = figures | {
        "accuracy": {"value": 0.86, "n": 3153, "low": 0.85, "high": 0.87},
        "unseen": {"accuracy": {"value": 0.85, "n": 2900, "low": 0.84, "high": 0.86}},
        "at_threshold": {"threshold": 0.5, "coverage": 0.81, "accuracy": 0.88},
        "ece": 0.013,
    }
    labels = figures | {"accuracy": {"value": 0.69, "n": 3574, "low": 0.67, "high": 0.71}, "min_height": 20}
    both = labels | {"votes": voters}
    text = " ".join(accuracy.sentences(both))
    assert "On 3,153 faces of FER2013's PrivateTest on which most of ten people agreed" in text
    assert "it names 86 % (95 % interval 85 % to 87 %) as they did. Of these pictures 253 were also" in text
    assert "81 % of full-size faces are named, 88 % of them as most people" in text
    assert "off by 1.3 points" in text
    assert "under 20 pixels" in text
    assert "names 69 % (95 % interval 67 % to 71 %) of 3,574 so" in text
    assert accuracy.served(both)["at_threshold"]["coverage"] == 0.81
    assert accuracy.served(labels) == labels
    shown = accuracy.coverage_figure(accuracy.served(both), "dark")
    assert shown["data"][1]["x"] == [0.81]
    assert "as they did" in texts(about.measured(both, "dark"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_charts_show_the_figures(figures: dict[str, Any], scheme: Any) -> None:
    figures["min_height"] = 32
    height = accuracy.height_figure(figures, scheme)
    assert height["data"][1]["x"] == [32, 40, 48]  # what is not read is not shown
    assert height["data"][1]["y"][-1] == figures["by_height"][-1]["named_accuracy"]
    assert len(height["data"][0]["x"]) == 6
    reliability = accuracy.reliability_figure(figures, scheme)
    assert reliability["data"][2]["y"] == [row["accuracy"] for row in figures["reliability"]]
    coverage = accuracy.coverage_figure(figures, scheme)
    assert coverage["data"][1]["x"] == [figures["at_threshold"]["coverage"]]
    confusion = accuracy.confusion_figure(figures, scheme)["data"][0]
    rows = confusion["z"]
    # opaque, or the text on dark cells would be dark
    assert all(re.fullmatch("#[0-9a-fA-F]{6}", colour) for _, colour in confusion["colorscale"])
    assert [sum(row) for row in rows] == pytest.approx([1.0] * len(EXPRESSIONS))
    for figure in (height, reliability, coverage):
        json.dumps(figure, allow_nan=False)


def test_where_no_face_is_named_no_accuracy_is_shown(figures: dict[str, Any]) -> None:
    figures["at_threshold"] |= {"coverage": 0.0, "accuracy": None}
    figures["by_height"][-1] |= {"coverage": 0.0, "named_accuracy": None}
    figures["ferplus_majority"] = {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    text = " ".join(accuracy.sentences(figures))
    assert "0 % of full-size faces are named, none of them as labelled" in text
    assert "voters" not in text
    height = accuracy.height_figure(figures, "light")
    assert (height["data"][1]["x"][-1], height["data"][2]["x"][-1]) == (40, 48)


def test_about_shows_the_figures_where_there_are_any(engine: Engine, figures: dict[str, Any]) -> None:
    shown = texts(about.measured(figures, "dark"))
    assert "The fewer are named" in shown
    assert all(row[0] in shown for row in accuracy.expression_rows(figures))
    assert "Nothing was measured" in texts(about.layout())
    with_figures = create_app(engine, DashboardSettings(accuracy=figures))
    assert f"{about.ACCURACY}.children" in with_figures.callback_map
    assert f"{about.ACCURACY}.children" not in create_app(engine).callback_map
