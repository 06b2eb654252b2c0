"""Pictures that are given on a page: read as one at the terminal is, under the same rules."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine
from typer.testing import CliRunner

from capture.classroom import Classroom
from capture.errors import UnreadableSourceError
from classpulse import picture as pictures
from classpulse import settings
from classpulse.cli import app
from classpulse.controls import LiveControls
from classpulse.errors import ModeRefusedError
from classpulse.looking import look_reader
from dashboard.controls import Picture
from engagement.records import Consent, Mode, NotObservedReason, State
from storage import queries
from storage.audit import AuditAction, AuditEntry, audit_entries
from storage.students import add_student, set_consent

ELSEWHERE = '[session]\nplace = "elsewhere"\ninstitution = "university"\n'
EU = '[session]\nplace = "eu"\ninstitution = "school"\n'


@pytest.fixture(autouse=True)
def file(settings_file: Path) -> Path:
    """The settings: outside of the EU."""
    settings_file.write_text(ELSEWHERE)
    return settings_file


@pytest.fixture
def controls(engine: Engine) -> Iterator[LiveControls]:
    made = LiveControls(settings.load(), engine, lambda _chosen, _left: [], look_reader)
    yield made
    made.close()


@pytest.fixture(scope="module")
def crowd() -> bytes:
    """A gallery of sixteen."""
    kept = io.BytesIO()
    with Classroom(seats=16, width=1280, height=720) as classroom:
        Image.fromarray(classroom.draw(57.0)).save(kept, "PNG")
    return kept.getvalue()


def given(data: bytes, mode: Mode = Mode.INDIVIDUAL, **changes: Any) -> Picture:
    return Picture(
        **{"data": data, "name": "crowd.png", "class_name": "", "mode": mode, "agreed": True} | changes
    )


def log(engine: Engine) -> list[AuditEntry]:
    return [entry for entry in audit_entries(engine) if entry.action is AuditAction.PICTURE_READ]


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.INDIVIDUAL])
def test_a_picture_is_read_as_at_the_terminal(
    controls: LiveControls, crowd: bytes, tmp_path: Path, mode: Mode
) -> None:
    path = tmp_path / "crowd.png"
    path.write_bytes(crowd)
    done = CliRunner().invoke(app, ["read", str(path), "--json", "--mode", mode.value, "--agreed"])
    told = json.loads(done.stdout)
    read = pictures.as_json(controls.read_picture(given(crowd, mode)))
    assert {**read, "timings_ms": None} == {**told, "timings_ms": None}
    assert sum(read["expressions"].values()) == read["faces_read"] >= 5


def test_what_would_be_stored_is_what_the_mode_lets_through(
    controls: LiveControls, engine: Engine, crowd: bytes
) -> None:
    each = controls.read_picture(given(crowd)).record
    assert len(each.readings) == len(each.seats) == each.tiles == 16
    together = controls.read_picture(given(crowd, Mode.AGGREGATE)).record
    assert (together.readings, together.seats) == ((), ())
    assert together.expressions == each.expressions
    presence = controls.read_picture(given(crowd, Mode.PARTICIPATION))
    assert (presence.record.expressions, presence.record.mood, presence.record.readings) == (None, None, ())
    assert not any(one.label.name for one in presence.readings)
    assert State.TURNED_AWAY not in {one.state for one in presence.readings}
    # and nothing was
    assert len(queries.sessions(engine)) == 0
    assert [dict(entry.detail)["mode"] for entry in log(engine)] == ["aggregate", "individual"]


def test_a_picture_without_a_gallery_or_a_face_would_store_that_nothing_was_observed(
    controls: LiveControls, engine: Engine
) -> None:
    kept = io.BytesIO()
    Image.new("RGB", (640, 360), (90, 120, 60)).save(kept, "PNG")
    read = controls.read_picture(given(kept.getvalue()))
    assert (read.readings, read.record.not_observed) == ((), NotObservedReason.NOT_A_GALLERY)
    assert not read.withheld
    # without names nobody can be left out by theirs
    set_consent(engine, add_student(engine, "Chess", "Ada"), Consent.REFUSED, None, None)
    assert controls.read_picture(given(kept.getvalue())).withheld


@pytest.mark.parametrize(
    ("text", "changes", "reason"),
    [
        (EU, {}, "Individual mode reads expressions, and in the EU"),
        ("", {"mode": Mode.AGGREGATE}, "Aggregate mode reads expressions, and it has not been said"),
        (ELSEWHERE, {"agreed": False}, "Individual mode is for a class that was told and agreed"),
    ],
)
def test_a_picture_is_refused_where_a_class_would_be(
    file: Path, engine: Engine, crowd: bytes, text: str, changes: dict[str, Any], reason: str
) -> None:
    file.write_text(text)
    hands = LiveControls(settings.load(), engine, lambda _chosen, _left: [], look_reader)
    try:
        with pytest.raises(ModeRefusedError, match=f"^{reason}"):
            hands.read_picture(given(crowd, **changes))
        assert hands.read_picture(given(crowd, Mode.PARTICIPATION, agreed=False)).record.tiles == 16
    finally:
        hands.close()
    assert log(engine) == []


def test_a_place_that_was_told_elsewhere_meanwhile_counts(
    controls: LiveControls, file: Path, crowd: bytes
) -> None:
    file.write_text(EU)
    with pytest.raises(ModeRefusedError, match="in the EU"):
        controls.read_picture(given(crowd))


def test_a_camera_stands_in_the_log_once_a_turn_and_obeys_a_refusal_at_once(
    controls: LiveControls, engine: Engine, crowd: bytes
) -> None:
    first = controls.read_picture(given(crowd, turn=1))
    controls.read_picture(given(crowd, turn=1))
    assert len(log(engine)) == 1
    name = next(one.label.name for one in first.readings if one.face is not None)
    assert name is not None
    set_consent(engine, add_student(engine, "Chess", name), Consent.REFUSED, None, None)
    after = controls.read_picture(given(crowd, turn=1))
    out = next(one for one in after.readings if one.label.name == name)
    assert (out.state, out.face, out.probabilities) == (State.OPTED_OUT, None, None)
    assert len(log(engine)) == 1
    controls.read_picture(given(crowd, turn=2))
    controls.read_picture(given(crowd, Mode.AGGREGATE, turn=2))
    assert [dict(entry.detail)["mode"] for entry in log(engine)] == ["aggregate", "individual", "individual"]


def test_what_is_no_picture_is_told_by_its_name(controls: LiveControls, engine: Engine) -> None:
    with pytest.raises(UnreadableSourceError, match=r"^The picture holiday\.heic cannot be decoded"):
        controls.read_picture(given(b"\x00" * 64, name="holiday.heic"))
    assert log(engine) == []
