"""What a teacher tells the class and a school writes down: ready, the same on page and in documents, and true."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classpulse.settings import Settings
from dashboard.notice import ASSESSMENT, ONE_PAGE
from dashboard.pages import about
from storage.audit import AuditAction, AuditEntry

DOCS = Path(__file__).resolve().parents[2] / "docs"


def words(name: str) -> str:
    """A document without its marks, its lines run together."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").replace("*", "").split())


@pytest.mark.parametrize(("document", "text"), [("privacy.md", ONE_PAGE), ("dpia.md", ASSESSMENT)])
def test_the_page_copies_what_the_document_says(document: str, text: tuple[str, ...]) -> None:
    said, page = words(document), str(about.layout())
    assert len(text) >= 8
    for paragraph in text:
        assert paragraph in page.replace("\\'", "'").replace('\\"', '"')
        if paragraph.startswith("- "):
            # a line of a table
            for cell in re.split(r"[:;] ", paragraph.removeprefix("- ")):
                assert cell in said, cell
        else:
            assert paragraph in said, paragraph


def test_the_notice_and_the_assessment_say_what_is_done() -> None:
    notice, assessment = " ".join(ONE_PAGE), " ".join(ASSESSMENT)
    days = Settings.model_fields["storage"].default.keep_days
    assert f"[{days} days]" in notice
    assert f"[{days}] days" in assessment
    for promise in ("No picture", "Nobody is recognised by their face", "voluntary", "erased"):
        assert promise in notice
    for part in ("Article 5(1)(f)", "participation only", "audit log", "Rights", "Decision"):
        assert part in assessment


def test_the_newest_lines_of_the_log_stand_on_the_page() -> None:
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    entry = AuditEntry(
        7, at, "page", AuditAction.SESSION_STARTED, 3, {"mode": "individual", "class_agreed": True}
    )
    told = str(about.audit_table([entry], UTC))
    for word in ("2026-03-02 10:00", "page", "session started", "mode: individual, class agreed: yes"):
        assert word in told
    assert "Nothing yet" in str(about.audit_table([], None))
