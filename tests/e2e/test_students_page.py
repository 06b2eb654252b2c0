"""The page Students in a real browser: import, consent, whose label is whose, the same or two, export, erase."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from seed import HOSTILE

from dashboard.app import PageServer
from dashboard.pages import students as pages
from engagement.records import (
    Consent,
    IntervalRecord,
    Mode,
    OfferReason,
    Reading,
    Seat,
    SeatOffer,
    State,
)
from storage import queries, students
from storage.errors import StorageError
from storage.notes import add_note
from storage.recorder import NewSession, Recorder
from tests.e2e.conftest import fits_a_phone
from tests.e2e.test_accessibility import faults
from tests.e2e.test_pages import SLOW, tab

CLASS = "Algebra 9b"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine) as server:
        yield server


@pytest.fixture
def lesson(engine: Engine) -> int:
    """A lesson in which Ada came back under another name while somebody else was there all the time."""
    recorder = Recorder(engine)
    session_id = recorder.open_session(
        NewSession(CLASS, Mode.INDIVIDUAL, 2.0, "window", START, "classpulse watch", os.getpid())
    )
    for index, (labels, offers) in enumerate(
        [
            ({1: "Ada Okafor", 2: HOSTILE[0], 4: "Room 4"}, ()),
            ({2: HOSTILE[0], 3: "A. Okafor"}, ((3, 1), (3, 2))),
        ]
    ):
        recorder.commit(
            IntervalRecord(
                session_id,
                START + timedelta(seconds=2 * index),
                2.0,
                len(labels),
                0,
                0,
                {State.CAMERA_OFF: len(labels)},
                {},
                None,
                None,
                readings=tuple(
                    Reading(seat, place, State.CAMERA_OFF, None, None, None, 0.0)
                    for place, seat in enumerate(labels)
                ),
                seats=tuple(Seat(seat, label, "") for seat, label in labels.items()),
                offers=tuple(SeatOffer(seat, same, OfferReason.RENAMED) for seat, same in offers),
            )
        )
    recorder.close_session(session_id, START + timedelta(seconds=4))
    add_note(engine, session_id, START, "Okafor explains the proof")
    return session_id


LATE_FRAMES = """() => {
    window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 300);
    window.cancelAnimationFrame = clearTimeout;
}"""


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DROP = """(files) => {
    const held = new DataTransfer();
    files.forEach(([name, type]) => held.items.add(new File(["name"], name, { type })));
    const zone = document.querySelector("#students-upload button");
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


def said(page: Any, text: str) -> None:
    expect(page.locator("#students-said")).to_contain_text(text, timeout=SLOW)


def test_a_class_list_is_imported_after_a_look(
    engine: Engine, served: PageServer, browser: Any, tmp_path: Path
) -> None:
    with tab(browser, served, "/students") as page:
        expect(page.get_by_role("heading", name="No class yet")).to_be_visible(timeout=SLOW)
        # a busy computer: the dialog is drawn long after the page asked for it
        page.evaluate(LATE_FRAMES)
        page.get_by_role("button", name="New class").click()
        expect(page.get_by_label("Name of the class")).to_be_focused(timeout=SLOW)
        page.keyboard.type(CLASS)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{CLASS} has no list yet")).to_be_visible(timeout=SLOW)

        file = tmp_path / "9b.csv"
        quoted = '"' + HOSTILE[1].replace('"', '""') + '"'
        file.write_text(
            f"name;consent\nAda Okafor;yes\n{HOSTILE[0]};no\n{quoted};maybe\nAda Okafor;\n", "cp1252"
        )
        chooser = page.locator("#students-upload input")
        chooser.set_input_files(file)
        dialog = page.get_by_role("dialog", name="9b.csv into Algebra 9b")
        expect(dialog).to_contain_text("4 students in UTF-8: 4 new.", timeout=SLOW)
        expect(dialog).to_contain_text(f"Line 4: the consent of “{HOSTILE[1]}” is “maybe”")
        expect(dialog).to_contain_text("Line 5: “Ada Okafor” stands in line 2 too")
        assert students.read_class_list(engine, CLASS) == students.ClassList(CLASS, False, None, (), {})
        dialog.get_by_label("Where the consent stands").fill("letters of September")
        dialog.get_by_label("Given on").fill("2026-09-01")
        dialog.get_by_role("button", name="Take in 4 students").click()
        said(page, "4 new, 0 with another answer, 0 as before")
        expect(
            page.get_by_role("heading", name="4 students: 1 agreed, 2 refused, 1 has not answered")
        ).to_be_visible()
        expect(page.get_by_role("gridcell", name=HOSTILE[0], exact=True)).to_be_visible()

        for name, contents, told in (
            ("marks.csv", b"mark,group\n1,2\n", "Line 1 names no column of names"),
            ("book.xlsx", b"PK\x03\x04" + bytes(40), "The file is no text"),
            ("film.csv", bytes(1_000_000), "The file has 1.0 MB"),
        ):
            chooser.set_input_files({"name": name, "mimeType": "text/csv", "buffer": contents})
            dialog = page.get_by_role("dialog", name=f"{name} is no class list")
            expect(dialog).to_contain_text(told, timeout=SLOW)
            expect(dialog.get_by_role("button", name="Take in")).to_have_count(0)
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0, timeout=SLOW)
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert [(one.name, one.consent, one.consent_source) for one in kept.students] == [
        (HOSTILE[0], Consent.REFUSED, "letters of September"),
        # an answer that nobody can read is no agreement
        (HOSTILE[1], Consent.REFUSED, "letters of September"),
        ("Ada Okafor", Consent.AGREED, "letters of September"),
        ("Ada Okafor", Consent.UNKNOWN, None),
    ]


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_a_file_that_is_no_class_list_by_its_kind_is_told(
    served: PageServer, browser: Any, lesson: int, way: str
) -> None:
    with tab(browser, served, "/students") as page:
        expect(page.locator("#students-upload")).to_be_visible(timeout=SLOW)
        if way == "chosen":
            page.locator("#students-upload input").set_input_files(
                {"name": "list.xlsx", "mimeType": XLSX, "buffer": b"PK"}
            )
        else:
            page.evaluate(DROP, [["list.xlsx", XLSX]])
        said(page, "list.xlsx is no CSV file: save the list as CSV first")
        page.evaluate(DROP, [["one.csv", "text/csv"], ["two.csv", "text/csv"]])
        said(page, "Those are several files: give one.")


def test_a_student_is_chosen_by_key_changed_and_exported(
    engine: Engine, served: PageServer, browser: Any, lesson: int, tmp_path: Path
) -> None:
    ada = students.add_student(engine, CLASS, "Ada Okafor")
    with tab(browser, served, "/students", timezone_id="Asia/Kolkata") as page:
        cell = page.get_by_role("gridcell", name="Ada Okafor", exact=True)
        expect(cell).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("gridcell", name="2026-11-02 14:30")).to_be_visible()
        page.locator(".ag-header-cell").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        panel = page.get_by_role("region", name="Student", exact=True)
        expect(panel.get_by_label("Name", exact=True)).to_have_value("Ada Okafor", timeout=SLOW)
        panel.get_by_label("Name", exact=True).fill("Ada N. Okafor")
        panel.get_by_text("agreed", exact=True).click()
        panel.get_by_label("Given on").fill("2026-10-30")
        panel.get_by_label("Where it stands").fill("letter")
        panel.get_by_role("button", name="Save").click()
        said(page, "Kept: Ada N. Okafor, agreed.")
        expect(page.get_by_role("gridcell", name="2026-10-30")).to_be_visible(timeout=SLOW)
        with page.expect_download() as loading:
            panel.get_by_role("link", name="Export").click()
        loading.value.save_as(tmp_path / "ada.json")

        page.get_by_label("Only those who agreed").click(force=True)
        said(page, "only those who agreed will be read")
        page.get_by_label("Label of your own tile").fill("Room 4")
        page.get_by_role("button", name="Save label").click()
        said(page, "Your own tile is left out.")
        expect(page.locator("#students-labels", has_text="Room 4")).to_have_count(0, timeout=SLOW)
        page.get_by_label("Name of the new student").fill("  ")
        page.get_by_role("button", name="Add", exact=True).click()
        said(page, "A student needs a name")
    one = students.read_student(engine, ada)
    assert (one.name, one.consent, one.consent_source) == ("Ada N. Okafor", Consent.AGREED, "letter")
    assert one.consent_at == datetime(2026, 10, 30, 6, 30, tzinfo=UTC)  # noon where the teacher is
    body = json.loads((tmp_path / "ada.json").read_bytes())
    assert body["student"]["name"] == "Ada N. Okafor"
    assert [len(seat["readings"]) for seat in body["sessions"][0]["seats"]] == [1]
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert (kept.only_agreed, kept.own_label) == (True, "Room 4")


def test_labels_are_matched_offers_answered_and_a_student_erased(
    engine: Engine, served: PageServer, browser: Any, lesson: int
) -> None:
    for name in ("Ada Okafor", "Ben Carver"):
        students.add_student(engine, CLASS, name)
    with tab(browser, served, "/students") as page:
        for label, choice in ((HOSTILE[0], "Ben Carver"), ("Room 4", "Nobody of the list")):
            field = page.get_by_role("textbox", name=f"Whose label is {label}", exact=True)
            expect(field).to_be_visible(timeout=SLOW)
            field.click()
            page.get_by_role("option", name=choice, exact=True).click()
            said(page, f"“{label}” is {choice[0].lower() if choice[0] == 'N' else choice[0]}{choice[1:]}.")
            expect(field).to_have_count(0, timeout=SLOW)
        page.get_by_text("2 labels matched by hand").click()
        page.get_by_role("button", name="Undo the match of Room 4").click()
        said(page, "“Room 4” is matched by its likeness again.")
        # the list is drawn anew: what is pressed before that is gone
        expect(page.get_by_role("textbox", name="Whose label is Room 4", exact=True)).to_be_visible(
            timeout=SLOW
        )
        # and stays open for the next one
        expect(page.get_by_role("button", name=f"Undo the match of {HOSTILE[0]}")).to_be_visible()

        twice = page.locator("#students-offers li", has_text=HOSTILE[0])
        twice.get_by_role("button", name="The same").click()
        said(page, "were seen at the same time (1 time), so they are two people")
        twice.get_by_role("button", name="Two people").click()
        said(page, "They stay two people.")
        expect(page.locator("#students-offers li")).to_have_count(1, timeout=SLOW)
        page.locator("#students-offers").get_by_role("button", name="The same").click()
        said(page, "They are one seat now.")
        expect(page.get_by_text("No question is open.")).to_be_visible(timeout=SLOW)
        assert students.merged_seats(engine, lesson) == {3: 1}

        page.get_by_role("gridcell", name="Ada Okafor", exact=True).click()
        erase = page.get_by_role("button", name="Erase", exact=True)
        erase.click()
        dialog = page.get_by_role("dialog", name="Erase Ada Okafor?")
        expect(dialog).to_contain_text("2 readings and 0 episodes in 1 session of Algebra 9b", timeout=SLOW)
        expect(dialog.get_by_role("button", name="Erase the refusal too")).to_have_count(0)
        dialog.get_by_text("Show them").click()
        expect(dialog.get_by_text("Okafor explains the proof")).to_be_visible()
        dialog.get_by_role("button", name="Keep").click()
        expect(dialog).to_have_count(0, timeout=SLOW)
        erase.click()
        dialog.get_by_role("button", name="Erase for good").click()
        said(page, "Ada Okafor was erased.")
        expect(page.get_by_role("gridcell", name="Ada Okafor", exact=True)).to_have_count(0, timeout=SLOW)
        expect(page.get_by_text("Choose somebody in the list")).to_be_visible(timeout=SLOW)
    assert queries.seats(engine, lesson)["seat"].tolist() == [2, 4]
    assert set(queries.readings_since(engine, lesson)["seat"]) == {2, 4}


def test_a_refusal_stays_with_who_is_erased_unless_it_is_asked_to_go(
    engine: Engine, served: PageServer, browser: Any, lesson: int
) -> None:
    her = students.add_student(engine, CLASS, "Ada Okafor")
    students.set_consent(engine, her, Consent.REFUSED, "mail", None)
    with tab(browser, served, "/students") as page:
        page.get_by_role("gridcell", name="Ada Okafor", exact=True).click()
        page.get_by_role("button", name="Erase", exact=True).click()
        dialog = page.get_by_role("dialog", name="Erase what was read of Ada Okafor?")
        expect(dialog).to_contain_text("the refusal with the name on the list, so that nobody looks at them")
        expect(dialog).not_to_contain_text("the answer about consent")
        assert faults(page) == []
        dialog.get_by_role("button", name="Erase for good").click()
        said(page, "What was read of Ada Okafor was erased. The refusal stays on the list.")
        assert students.read_student(engine, her).consent is Consent.REFUSED
        assert 1 not in set(queries.readings_since(engine, lesson)["seat"])

        page.get_by_role("gridcell", name="Ada Okafor", exact=True).click()
        page.get_by_role("button", name="Erase", exact=True).click()
        expect(dialog).to_contain_text("then classpulse no longer knows that they may not be looked at")
        dialog.get_by_role("button", name="Erase the refusal too").click()
        said(page, "Ada Okafor was erased.")
        expect(page.get_by_role("gridcell", name="Ada Okafor", exact=True)).to_have_count(0, timeout=SLOW)


def test_the_page_fits_a_phone(engine: Engine, served: PageServer, browser: Any, lesson: int) -> None:
    students.add_student(engine, CLASS, "X" * 64)
    with tab(browser, served, "/students") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_role("gridcell", name="X" * 64).click()
        expect(page.get_by_label("Where it stands")).to_be_visible(timeout=SLOW)
        fits_a_phone(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(
    engine: Engine, served: PageServer, browser: Any, lesson: int, scheme: str
) -> None:
    students.add_student(engine, CLASS, "Ada Okafor")
    students.match_label(engine, CLASS, "Room 4", None)
    with tab(browser, served, "/students", color_scheme=scheme) as page:
        page.get_by_role("gridcell", name="Ada Okafor", exact=True).click()
        expect(page.get_by_label("Where it stands")).to_be_visible(timeout=SLOW)
        page.get_by_text("1 label matched by hand").click()
        wrong = {"chosen": faults(page)}
        page.get_by_role("button", name="Erase", exact=True).click()
        expect(page.get_by_text("This cannot be undone")).to_be_visible(timeout=SLOW)
        wrong["erase"] = faults(page)
        page.get_by_role("button", name="Keep").click()
        for name, contents in (
            ("list.csv", b"name,consent\nAda,yes\n,no\nBen,\n"),
            ("marks.csv", b"a,b\n1,2\n"),
        ):
            file = {"name": name, "mimeType": "text/csv", "buffer": contents}
            page.locator("#students-upload input").set_input_files(file)
            expect(page.get_by_role("dialog", name=name)).to_be_visible(timeout=SLOW)
            wrong[name] = faults(page)
            page.keyboard.press("Escape")
        page.get_by_role("button", name="Add", exact=True).click()
        said(page, "A student needs a name")
        wrong["said"] = faults(page)
    assert not {state: found for state, found in wrong.items() if found}


def slowly(real: Callable[..., Any]) -> Callable[..., Any]:
    def answer(*args: Any, **options: Any) -> Any:
        time.sleep(1.5)
        return real(*args, **options)

    return answer


def test_a_choice_is_answered_though_its_list_is_drawn_anew_meanwhile(
    engine: Engine, served: PageServer, browser: Any, lesson: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow computer: the page is still being filled after one answer when the next is given."""
    students.add_student(engine, CLASS, "Ada Okafor")
    with tab(browser, served, "/students") as page:
        field = page.get_by_role("textbox", name="Whose label is Room 4", exact=True)
        expect(field).to_be_visible(timeout=SLOW)
        monkeypatch.setattr(pages, "summary", slowly(pages.summary))
        monkeypatch.setattr(students, "match_label", slowly(students.match_label))
        page.locator("#students-offers").get_by_role("button", name="Two people").first.click()
        said(page, "They stay two people.")
        # the list comes, drawn anew, while this is being answered
        field.click()
        page.get_by_role("option", name="Nobody of the list", exact=True).click()
        said(page, "“Room 4” is nobody of the list.")
        expect(field).to_have_count(0, timeout=SLOW)


def test_only_those_who_agreed_stays_chosen_though_the_page_still_shows_what_was_before(
    engine: Engine, served: PageServer, browser: Any, lesson: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    students.add_student(engine, CLASS, "Ada Okafor")
    with tab(browser, served, "/students") as page:
        switch = page.get_by_label("Only those who agreed")
        expect(page.locator("#students-offers li").first).to_be_visible(timeout=SLOW)
        monkeypatch.setattr(pages, "summary", slowly(pages.summary))
        page.locator("#students-offers").get_by_role("button", name="Two people").first.click()
        said(page, "They stay two people.")
        switch.click(force=True)
        said(page, f"In {CLASS}, only those who agreed will be read")
        page.wait_for_timeout(4000)
        expect(switch).to_be_checked()
    roll = students.read_class_list(engine, CLASS)
    assert roll is not None
    assert roll.only_agreed


def test_a_switch_that_could_not_be_kept_goes_back(
    engine: Engine, served: PageServer, browser: Any, lesson: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise StorageError("The database is locked.")

    students.add_student(engine, CLASS, "Ada Okafor")
    with tab(browser, served, "/students") as page:
        switch = page.get_by_label("Only those who agreed")
        expect(page.locator("#students-offers li").first).to_be_visible(timeout=SLOW)
        monkeypatch.setattr(students, "update_class_list", refuse)
        switch.click(force=True)
        said(page, "The database is locked.")
        expect(switch).not_to_be_checked(timeout=SLOW)
