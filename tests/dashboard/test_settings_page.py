"""The page Settings: what its fields hold and what they make of what is typed."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component

from dashboard.pages import settings as page
from dashboard.preferences import Kind, Preference, Preferences


def preference(key: str, kind: Kind, value: Any, default: Any, **more: Any) -> Preference:
    return Preference(key, "What it is.", kind, value, default, **more)


KNOWN = Preferences(
    "/home/teacher/classpulse.toml",
    (
        preference("session.name", Kind.TEXT, "Physics", "Class"),
        preference(
            "session.mode", Kind.CHOICE, "aggregate", "aggregate", choices=("participation", "aggregate")
        ),
        preference("capture.interval", Kind.NUMBER, 2.0, 2.0, in_use="4"),
        preference("capture.titles", Kind.LINES, ("Zoom", "Meet"), ("Zoom",)),
        preference("inference.detector_model", Kind.TEXT, None, None),
        preference("storage.database", Kind.TEXT, None, None, fixed="edited in the file only"),
    ),
)


def parts(component: Any) -> Iterator[Component]:
    if isinstance(component, list | tuple):
        for one in component:
            yield from parts(one)
    elif isinstance(component, Component):
        yield component
        yield from parts(getattr(component, "children", None))


def fields(form: list[Component]) -> dict[str, Component]:
    return {one.id["key"]: one for one in parts(form) if isinstance(getattr(one, "id", None), dict)}


def test_every_setting_has_a_field_that_holds_it() -> None:
    found = fields(page.form(KNOWN))
    assert list(found) == [setting.key for setting in KNOWN.settings]
    assert found["session.name"].value == "Physics"
    assert found["capture.titles"].value == "Zoom\nMeet"
    assert [key for key, field in found.items() if field.disabled] == ["storage.database"]
    assert "Until classpulse is started anew: 4." in str(found["capture.interval"].description)
    # a choice is one word, which no width cuts off; what it means stands above
    assert "participation" in found["session.mode"].data
    assert all(len(choice.split()) == 1 for choice in found["session.mode"].data)
    assert "participation: Presence" in str(found["session.mode"].description)
    assert "Edited in the file only." in str(found["storage.database"].description)


def test_a_name_says_that_the_next_start_asks_nothing() -> None:
    found = fields(page.form(KNOWN))
    told = [key for key, field in found.items() if "begins to read at once" in str(field.description)]
    assert told == ["session.name"]


def test_a_refused_form_keeps_what_was_typed_beside_the_reason() -> None:
    form = page.form(KNOWN, {"capture.interval": 0.1}, {"capture.interval": "Too often."})
    found = fields(form)
    assert (found["capture.interval"].value, found["capture.interval"].error) == (0.1, "Too often.")
    assert (found["session.name"].value, found["session.name"].error) == ("Physics", None)


def test_a_file_that_cannot_be_read_shows_no_field_to_edit() -> None:
    broken = Preferences(KNOWN.file, KNOWN.settings, "The file is broken.")
    form = page.form(broken)
    assert all(field.disabled for field in fields(form).values())
    assert "The file is broken." in str(form)


def test_only_what_differs_is_a_change() -> None:
    same = {"session.name": " Physics ", "session.mode": "aggregate", "capture.interval": 2,
            "capture.titles": "Zoom\n\n Meet ", "inference.detector_model": "", "storage.database": "x"}  # fmt: skip
    assert page.changes(KNOWN, same) == {}
    other = {"session.name": "Chemistry", "capture.interval": 3, "capture.titles": "Meet",
             "inference.detector_model": " yunet.onnx", "storage.database": "x", "unknown": 1}  # fmt: skip
    assert page.changes(KNOWN, other) == {
        "session.name": "Chemistry",
        "capture.interval": 3,
        "capture.titles": ("Meet",),
        "inference.detector_model": "yunet.onnx",
    }


def test_an_empty_field_gives_the_default_back() -> None:
    emptied = {"session.name": " ", "capture.interval": "", "capture.titles": ""}
    # titles have no default to fall back to silently: that nothing is left is refused where it is checked
    assert page.changes(KNOWN, emptied) == {"session.name": None, "capture.titles": ()}


def test_the_titles_cover_what_there_is() -> None:
    from classpulse.settings import Settings

    keys = {
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
    }
    assert keys <= set(page._TITLES)
