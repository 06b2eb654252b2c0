"""What the documents for teachers say is what the program does."""

import re
from pathlib import Path

import pytest

from dashboard.exports import CSV_COLUMNS, FORMATS
from dashboard.notice import CHAT
from dashboard.pages import about
from dashboard.wording import NOT_OBSERVED, RULES, STATES
from engagement.attention import AttentionSettings
from engagement.mood import FACING_PITCH, FACING_YAW, FEWEST_FACES, MoodTracker
from engagement.policy import Policy
from engagement.records import Mode
from engagement.summary import FEWEST_SECONDS, HALF, LEAST_COVERAGE, LOW_SECONDS
from engagement.trends import CLEAR_MINUTES, EARLIER, FEWEST_FOR_HALF

DOCS = Path(__file__).resolve().parents[2] / "docs"


def words(name: str) -> str:
    """The document as one line, without marks of quotation and emphasis."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"^> ?", "", text, flags=re.MULTILINE).replace("*", ""))


def test_the_figures_are_explained_with_the_bounds_that_hold() -> None:
    text, rules = words("figures.md"), AttentionSettings()
    for said in (
        f"{FACING_YAW:g} degrees to either side and {FACING_PITCH:g} up or down",
        f"half-life of {MoodTracker().half_life:g} s",
        f"fewer than {FEWEST_FACES} faces",
        f"no face for {rules.absent_after:g} s",
        f"for {rules.camera_off_after / 60:g} min; information only",
        f"in {rules.turned_share * 100:g} % of the last {rules.turned_window / 60:g} min",
        f"for {rules.low_after:g} s, and read for at least half",
        f"kept up for {rules.change_after:g} s",
        f"up to {EARLIER} earlier ones",
        f"where they are fewer than {FEWEST_FOR_HALF}",
        f"too short (under {FEWEST_SECONDS / 60:g} min)",
    ):
        assert said in text, said
    assert (rules.coverage, HALF, LEAST_COVERAGE, LOW_SECONDS, CLEAR_MINUTES) == (0.5, 0.5, 0.2, 60, 3)
    assert "a third of the class" in text
    assert rules.dip_share == pytest.approx(1 / 3)
    for word in (*STATES.values(), *RULES.values()):
        assert word in text, word


def test_the_notice_is_the_same_on_the_page_and_in_the_document() -> None:
    text, page = words("privacy.md"), str(about.layout())
    assert set(CHAT) == set(Mode)
    for message in CHAT.values():
        assert message in text
        assert message in page
    assert Policy(Mode.AGGREGATE).minimum_group == 5
    assert "at least five were read" in text


def test_a_message_promises_what_its_mode_keeps() -> None:
    for mode, message in CHAT.items():
        assert "no picture" in message
        assert "Questions: ask me" in message
        assert ("reads no expressions" in message) == (mode is Mode.PARTICIPATION)
        assert ("no name" in message) == (mode is not Mode.INDIVIDUAL)
        # consent holds in every mode
        assert "tell me and your tile is left out before faces are looked for" in message
        assert ("under the name that you show" in message) == (mode is Mode.INDIVIDUAL)
        assert ("not a feeling" in message) == (mode is not Mode.PARTICIPATION)


def test_every_notice_of_the_page_has_its_line_of_advice() -> None:
    text = words("troubleshooting.md")
    for reason in ("covered", "minimised", "frozen", "black", "not_a_gallery"):
        assert NOT_OBSERVED[reason].title in text  # type: ignore[index]


def test_no_document_ranks_or_says_what_somebody_feels() -> None:
    for name in ("figures.md", "troubleshooting.md", "privacy.md"):
        assert not re.search(r"bored|worst|best student|lazy|attentive", words(name).lower()), name


def test_every_format_and_column_of_the_report_is_documented() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    for column, meaning in CSV_COLUMNS.items():
        assert f"| `{column}` | {meaning} |" in text, column
    assert set(re.findall(r"^\| `(html|pdf|xlsx|csv|json)` \|", text, flags=re.MULTILINE)) == set(FORMATS)


def test_every_picture_of_a_document_is_there() -> None:
    for document in (*DOCS.glob("*.md"), DOCS.parent / "README.md"):
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / picture).is_file(), f"{document.name}: {picture}"
