"""The settings as the page edits them: the file, what is fixed, and what is refused."""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from classpulse.settings import Settings, load
from classpulse.settings_editor import SettingsEditor, keep
from dashboard.preferences import Kind, Preference, PreferencesRefusedError, Value

FILE = """# our class
[session]
name = "Physics 9b"   # the whole year
mode = "participation"
place = "elsewhere"
institution = "school"

[capture]
# a slow laptop
interval = 4
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("CLASSPULSE_"):
            monkeypatch.delenv(name)
    path = tmp_path / "folder" / "classpulse.toml"
    monkeypatch.setattr("classpulse.paths.default_settings_file", lambda: path)
    return path


@pytest.fixture
def written(file: Path) -> Path:
    file.parent.mkdir()
    file.write_text(FILE)
    return file


def preferences(editor: SettingsEditor) -> Mapping[str, Preference]:
    return {setting.key: setting for setting in editor.read().settings}


def test_every_setting_is_shown_with_its_description_and_what_holds(written: Path) -> None:
    found = preferences(SettingsEditor(load()))
    expected = {
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
    }
    assert set(found) == expected
    assert all(setting.description for setting in found.values())
    assert list(found)[:2] == ["session.name", "session.mode"]
    assert (found["session.name"].value, found["session.name"].default) == ("Physics 9b", "Class")
    assert found["session.mode"].choices == ("participation", "aggregate", "individual")
    assert (found["capture.interval"].kind, found["capture.interval"].value) == (Kind.NUMBER, 4)
    assert found["capture.titles"].kind is Kind.LINES
    assert "tileface" in found["inference.detector"].choices
    assert found["inference.detector_model"].kind is Kind.TEXT
    assert found["storage.database"].fixed
    assert {setting.in_use for setting in found.values()} == {None}


def test_comments_order_and_rights_stay(written: Path) -> None:
    written.chmod(0o640)
    editor = SettingsEditor(load())
    editor.write({"session.name": "Physics 9c", "capture.interval": 2.5, "dashboard.port": 8060})
    text = written.read_text()
    assert text.startswith(
        '# our class\n[session]\nname = "Physics 9c"   # the whole year\nmode = "participation"\nplace ='
    )
    assert "# a slow laptop\ninterval = 2.5\n" in text
    assert tomllib.loads(text)["dashboard"] == {"port": 8060}
    assert stat.S_IMODE(written.stat().st_mode) == 0o640
    assert [one.name for one in written.parent.iterdir()] == ["classpulse.toml"]
    assert load().session.name == "Physics 9c"
    # this program still runs with what it was started with
    assert preferences(editor)["session.name"].in_use == "Physics 9b"


def test_a_file_is_made_where_there_is_none(file: Path) -> None:
    SettingsEditor(load()).write(
        {"session.name": "Physics", "capture.titles": ("Zoom Meeting", '"quoted" = #1')}
    )
    assert load().capture.titles == ("Zoom Meeting", '"quoted" = #1')
    assert load().session.name == "Physics"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_default_is_not_written_and_nothing_takes_a_setting_out(written: Path) -> None:
    editor = SettingsEditor(load())
    editor.write({"dashboard.port": 8050, "capture.interval": None})
    assert tomllib.loads(written.read_text()) == {
        "session": {
            "name": "Physics 9b",
            "mode": "participation",
            "place": "elsewhere",
            "institution": "school",
        },
        "capture": {},
    }
    assert load().capture.interval == 2.0


@pytest.mark.parametrize(
    ("place", "allowed"),
    [
        ({}, False),
        ({"place": "eu", "institution": "school"}, False),
        ({"place": "unsaid", "institution": "school"}, False),
        ({"place": "elsewhere", "institution": "unsaid"}, False),
        ({"place": "elsewhere", "institution": "school"}, True),
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_no_mode_is_written_that_the_place_does_not_allow(
    file: Path, monkeypatch: pytest.MonkeyPatch, place: dict[str, str], allowed: bool, by_variable: bool
) -> None:
    if by_variable:
        for name, value in place.items():
            monkeypatch.setenv(f"CLASSPULSE_SESSION__{name.upper()}", value)
    else:
        keep({f"session.{name}": value for name, value in place.items()})
    editor = SettingsEditor(load())
    # what decides cannot be told here, where nobody explains it
    for key in ("session.place", "session.institution", "session.agreed"):
        assert preferences(editor)[key].fixed
    for mode in ("aggregate", "individual"):
        if allowed:
            editor.write({"session.mode": mode})
            assert load().session.mode == mode
            continue
        with pytest.raises(PreferencesRefusedError) as refused:
            editor.write({"session.mode": mode})
        assert "only participation" in refused.value.problems["session.mode"]
        assert load().session.mode == "participation"


def test_where_the_class_is_is_shown_as_it_was_said_last(file: Path) -> None:
    editor = SettingsEditor(load())
    assert preferences(editor)["session.place"].value is None
    keep({"session.place": "eu", "session.institution": "school"})
    shown = preferences(editor)
    assert (shown["session.place"].value, shown["session.institution"].value) == ("eu", "school")
    assert shown["session.place"].fixed


def test_a_detector_is_written_where_its_weights_are(written: Path, tmp_path: Path) -> None:
    weights = tmp_path / "yunet.onnx"
    weights.write_bytes(b"weights")
    editor = SettingsEditor(load())
    editor.write({"inference.detector": "yunet", "inference.detector_model": str(weights)})
    assert load().inference.detector_model == weights
    # taken out beside a detector that needs it
    with pytest.raises(PreferencesRefusedError) as refused:
        editor.write({"inference.detector_model": None})
    assert "carries no weights" in refused.value.problems["inference.detector_model"]
    editor.write({"inference.detector": None, "inference.detector_model": None})
    assert load().inference.detector == "tileface"


def test_a_link_stays_a_link(written: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    written.rename(real)
    written.symlink_to(real)
    SettingsEditor(load()).write({"session.name": "Chemistry"})
    assert written.is_symlink()
    assert 'name = "Chemistry"' in real.read_text()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"capture.interval": 0.1}, "capture.interval"),
        ({"capture.interval": "often"}, "capture.interval"),
        ({"dashboard.port": 70000}, "dashboard.port"),
        ({"dashboard.port": 80.5}, "dashboard.port"),
        ({"session.mode": "spy"}, "session.mode"),
        ({"session.name": "x" * 65}, "session.name"),
        ({"session.name": "\u200b\u202e"}, "session.name"),
        ({"capture.titles": ()}, "capture.titles"),
        ({"capture.source": "region:1,2"}, "capture.source"),
        ({"capture.source": "nowhere/at/all.mp4"}, "capture.source"),
        ({"inference.detector": "oracle"}, "inference.detector"),
        ({"inference.detector": "yunet"}, "inference.detector"),
        (
            {"inference.detector": "yunet", "inference.detector_model": "no/such.onnx"},
            "inference.detector_model",
        ),
        ({"nonsense.key": "x"}, "nonsense.key"),
        ({"capture.nonsense": "x"}, "capture.nonsense"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    written: Path, changes: dict[str, Value], key: str
) -> None:
    editor = SettingsEditor(load())
    with pytest.raises(PreferencesRefusedError) as refused:
        editor.write({"session.mode": "aggregate", **changes})
    assert len(refused.value.problems[key]) > 10
    assert written.read_text() == FILE


def test_what_variables_and_options_set_is_shown_as_such_and_stays(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSPULSE_CAPTURE__INTERVAL", "7")
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", "postgresql://teacher:secret@db/class")
    editor = SettingsEditor(load({"session": {"name": "Tonight"}, "dashboard": {"port": 8050}}))
    found = preferences(editor)
    assert found["capture.interval"].value == 7
    assert "CLASSPULSE_CAPTURE__INTERVAL" in (found["capture.interval"].fixed or "")
    assert (found["session.name"].value, "option" in (found["session.name"].fixed or "")) == ("Tonight", True)
    assert (found["dashboard.link"].value, found["dashboard.link"].fixed is None) == ("yes", False)
    # an option that says what holds anyway fixes nothing
    assert found["dashboard.port"].fixed is None
    assert found["storage.database"].value == "postgresql://teacher:***@db/class"
    assert "secret" not in repr(editor.read())
    for key in ("capture.interval", "session.name", "storage.database", "dashboard.host"):
        with pytest.raises(PreferencesRefusedError) as refused:
            editor.write({key: "1"})
        assert key in refused.value.problems
    assert written.read_text() == FILE


def test_a_file_that_cannot_be_read_is_left_alone(written: Path) -> None:
    editor = SettingsEditor(load())
    written.write_text("[session\n")
    assert "cannot be read" in (editor.read().problem or "")
    with pytest.raises(PreferencesRefusedError, match="Correct it in an editor"):
        editor.write({"session.mode": "aggregate"})
    assert written.read_text() == "[session\n"


def test_a_stray_key_of_the_file_is_named(written: Path) -> None:
    editor = SettingsEditor(load())
    written.write_text(FILE + "speed = 3\n")
    with pytest.raises(PreferencesRefusedError, match=r"capture\.speed in the file"):
        editor.write({"capture.interval": 3})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_says_so(written: Path) -> None:
    editor = SettingsEditor(load())
    written.parent.chmod(0o500)
    try:
        with pytest.raises(PreferencesRefusedError, match="cannot be written"):
            editor.write({"session.name": "Chemistry"})
    finally:
        written.parent.chmod(0o700)


def test_a_write_that_fails_leaves_the_file_and_no_other(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = SettingsEditor(load())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PreferencesRefusedError, match="No space left"):
        editor.write({"session.name": "Chemistry"})
    assert written.read_text() == FILE
    assert [one.name for one in written.parent.iterdir()] == ["classpulse.toml"]
