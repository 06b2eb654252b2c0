import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from engagement.emotion import EXPRESSIONS
from models import charts
from models.anchors import ANCHORS
from models.charts import Line
from models.compare import read_entry, write_page
from models.data import VOTES, FaceSet
from models.errors import TrainingError
from models.evaluate import measure
from models.golden import golden_faces
from models.registry import MANIFEST
from models.runs import EVALUATION, RUN

HISTORY = [
    {
        "epoch": epoch,
        "size": 44,
        "loss": 2 - epoch / 4,
        "accuracy": 0.2 * epoch,
        "public_loss": 1.9 - epoch / 5,
        "public_accuracy": 0.1 * epoch,
    }
    for epoch in (1, 2, 3)
]


@pytest.fixture
def reports(tmp_path: Path) -> list[Path]:
    """A run, an engine and the shipped weights, measured on drawn faces."""
    labels = np.arange(35) % 7
    votes = np.zeros((35, len(VOTES)), np.float32)
    votes[:, VOTES.index("happiness")] = 10
    faces = FaceSet(golden_faces(48, 35), labels, votes)
    folders = []
    for name, kind, skill in (
        ("mine", "run", 3.0),
        ("theirs", "engine", 1.0),
        ("expression", "shipped", 5.0),
    ):

        def classify(images: np.ndarray, skill: float = skill) -> np.ndarray:
            rng = np.random.default_rng(images.shape[1])
            return np.eye(7)[labels] * skill + rng.normal(0, 1, (len(images), 7))

        report: dict[str, Any] = {"model": name, "kind": kind, "split": "PublicTest"}
        report |= measure(classify, faces, temperatures=((48, 1.0),), thresholds=((48, 0.5),))
        report["unseen"] = {"accuracy": {"value": 0.123, "n": 30, "low": 0.1, "high": 0.2}}
        report |= {"note": "<b>theirs</b>", "version": "1"} if kind == "engine" else {"parameters": 7}
        report |= {"sha256": "0123456789abcdef" * 4} if kind == "shipped" else {}
        folder = tmp_path / name
        folder.mkdir()
        (folder / EVALUATION).write_text(json.dumps(report))
        folders.append(folder)
    run = {
        "settings": {"architecture": "mini-xception", "seed": 3},
        "history": HISTORY,
        "begun": "random weights",
    }
    (folders[0] / RUN).write_text(json.dumps(run))
    return folders


class Page(HTMLParser):
    """Every address that a page asks for, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [f"{tag} {value}" for key, value in attrs if key in {"src", "href", "xlink:href"}]
        if tag in {"script", "link", "iframe", "img"}:
            self.addresses.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_holds_all_and_asks_for_nothing(reports: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "comparison.html"
    write_page([read_entry(folder) for folder in reports], out, "classpulse models compare")
    html = out.read_text(encoding="utf-8")
    page = Page(html)
    assert page.addresses == []
    assert not re.search(r"url\(|@import", html)
    text = " ".join(" ".join(page.text).split())
    assert "same 35 faces of FER2013's PublicTest" in text
    for name in ("mine", "theirs", "expression", *(anchor.name for anchor in ANCHORS)):
        assert name in text
    assert "0.06 M" in text  # mini-Xception's parameters
    assert "72.05 %" in text
    assert "57.4 %" in text
    assert "41.0 %" in text
    assert ">72.05%<" in html  # in the chart too
    assert "weights, SHA-256 0123456789abcdef " in text
    assert text.count("12.3 %") == 3
    assert "<b>theirs</b>" in text  # escaped
    measured = [row.split("<")[0] for row in re.findall(r"<tr[^>]*><td>(\w+)<small>", html)]
    assert measured == ["expression", "mine", "theirs"]  # the best first
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314  written a moment ago
    assert html.count("<svg") == 1 + 3 + 2 + 3 * 3  # overview, heights, curves of the run, three each


def test_reports_of_different_splits_are_not_compared(reports: list[Path], tmp_path: Path) -> None:
    report = json.loads((reports[0] / EVALUATION).read_text()) | {"split": "PrivateTest"}
    (reports[0] / EVALUATION).write_text(json.dumps(report))
    with pytest.raises(TrainingError, match="reports are of PrivateTest, PublicTest"):
        write_page([read_entry(folder) for folder in reports], tmp_path / "page.html", "")
    with pytest.raises(TrainingError, match=r"holds no evaluation\.json"):
        read_entry(tmp_path)


def test_reports_of_different_data_are_not_compared(reports: list[Path], tmp_path: Path) -> None:
    report = json.loads((reports[1] / EVALUATION).read_text()) | {"data_sha256": "0" * 64}
    (reports[1] / EVALUATION).write_text(json.dumps(report))
    with pytest.raises(TrainingError, match="theirs and mine were not measured on the same data"):
        write_page([read_entry(folder) for folder in reports], tmp_path / "page.html", "")
    for text in ("[]", "{}", '{"model": "mine", "split": "PublicTest"}'):
        (reports[1] / EVALUATION).write_text(text)
        with pytest.raises(TrainingError, match="lacks figures"):
            read_entry(reports[1])


def test_what_is_named_is_told_of_the_head_that_is_served(reports: list[Path], tmp_path: Path) -> None:
    report = json.loads((reports[2] / EVALUATION).read_text())
    votes = json.loads(json.dumps(report))
    for place, row in enumerate(votes["by_height"]):
        row |= {"value": 0.111, "coverage": 0.222, "named_accuracy": 0.333 if place else None}
    votes["by_expression"]["fear"]["support"] = 4321
    (reports[2] / EVALUATION).write_text(json.dumps(report | {"votes": votes}))
    write_page([read_entry(folder) for folder in reports], tmp_path / "page.html", "")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    for title, figure, times in (
        ("Right, of all", "0.111", 0),
        ("Right, of those named", "0.333", 4),  # nobody is named at the least height
        ("Named", "0.222", 5),
    ):
        chart = re.search(rf'<svg[^>]*aria-label="{title}".*?</svg>', html, re.DOTALL)
        assert chart is not None
        assert chart.group().count(f"<title>expression: {figure}</title>") == times
        assert chart.group().count("<title>mine: ") == 5
    assert ">4321<" in html
    assert html.count("the head that learnt from voters, against their majority") == 1


def test_a_teacher_that_is_given_twice_is_one(reports: list[Path], tmp_path: Path) -> None:
    record = json.loads((MANIFEST.parent / "teachers" / "pair-r4" / RUN).read_text())
    record["settings"]["teachers"][0] = record["settings"]["teachers"][1]
    record["settings"]["phases"][0]["mixed"] = 0.5
    record |= {"averaged": {"runs": ["one", "two"]}, "posed_faces": 927}
    (reports[0] / RUN).write_text(json.dumps(record))
    write_page([read_entry(reports[0])], tmp_path / "page.html", "")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    what = (
        "vgg-narrow, 5 epochs, two heads, 2 teachers who judge every view, 927 posed faces, 981 faces without labels, "
        "mean of 2 runs, faces mixed"
    )
    assert f"<small>{what}; from weights of the run pair-r12</small>" in html


def test_multiply_adds_are_those_of_the_size_that_a_run_reads(reports: list[Path], tmp_path: Path) -> None:
    def page(size: int) -> str:
        run = json.loads((reports[0] / RUN).read_text())
        run["history"][-1]["size"] = size
        (reports[0] / RUN).write_text(json.dumps(run))
        write_page([read_entry(reports[0])], tmp_path / "page.html", "")
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    assert '<td class="n">6 M</td>' in page(44)
    assert '<td class="n">3 M</td>' in page(29)


def test_lines_lie_where_their_points_are() -> None:
    svg = charts.line_chart(
        "A & B",
        [Line("rising", [(0, 0), (1, 1)], band=[(0, 0, 0.5), (1, 0.5, 1)])],
        x="x",
        y="y",
        x_ticks=(0, 1),
        y_ticks=(0, 0.5, 1),
        size=(200, 120),
    )
    root = ET.fromstring(svg)  # noqa: S314  written a moment ago
    space = "{http://www.w3.org/2000/svg}"
    dots = [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in root.iter(f"{space}circle")]
    assert dots == [(46, 78), (180, 30)]
    assert "100%" in [text.text for text in root.iter(f"{space}text")]
    assert root.get("aria-label") == "A & B"


def test_curves_are_drawn_from_two_epochs_on(tmp_path: Path) -> None:
    charts.write_curves(HISTORY[:1], tmp_path / "curves.svg")
    assert not (tmp_path / "curves.svg").exists()
    charts.write_curves(HISTORY, tmp_path / "curves.svg")
    root = ET.parse(tmp_path / "curves.svg").getroot()  # noqa: S314  written a moment ago
    assert len(list(root)) == 3  # the colours and two charts
    older = [{key: row[key] for key in row if key != "public_loss"} for row in HISTORY]
    assert "Loss" in charts.curves_charts(older)[0]


def test_every_count_stands_in_the_confusion_chart() -> None:
    matrix = np.arange(49).reshape(7, 7).tolist()
    root = ET.fromstring(charts.confusion_chart("C", matrix))  # noqa: S314  written a moment ago
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [t for t in texts if t and t.isdecimal()] == [str(n) for n in range(49)]
    assert [t for t in texts if t in EXPRESSIONS] == [name for name in EXPRESSIONS for _ in range(2)]
