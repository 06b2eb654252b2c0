"""A wrong option or setting is answered with a sentence, not with the words of a library."""

from datetime import datetime

import pytest
from typer.testing import CliRunner

from classpulse.cli import app
from classpulse.errors import SettingsError
from classpulse.settings import load


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("place", "--where", "mars"), "'--where': 'mars' is not one of 'eu', 'elsewhere', 'unsaid'."),
        (("watch", "--mode", "psychic"), "'--mode': 'psychic' is not one of 'participation', "),
        (("report", "1", "--format", "doc"), "'--format': 'doc' is not one of 'html', "),
        (("students", "consent", "1", "maybe"), "'maybe' is not one of 'agreed', 'refused', 'unknown'."),
        (("students", "consent", "x", "agreed"), "'x' should be a whole number."),
        (("accounts", "role", "Ada", "boss"), "'boss' is not one of 'admin', 'teacher'."),
        (
            ("students", "consent", "1", "agreed", "--date", "30.11.2026"),
            "'--date': '30.11.2026' is no day; write it as 2026-11-30.",
        ),
        (("demo", "--seats", "100"), "'--seats': '100' should be 49 or less."),
        (("demo", "--interval", "often"), "'--interval': 'often' should be a number."),
    ],
)
def test_options(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Invalid value for ")
    assert said in done.stderr
    assert "Value error" not in done.stderr


@pytest.mark.parametrize(
    ("section", "name", "value", "said"),
    [
        ("session", "name", "", "is '' and should be text of at least 1 character."),
        ("session", "name", "x" * 65, "should be text of at most 64 characters."),
        ("session", "agreed", "maybe", "should be true or false."),
        ("session", "mode", "psychic", "should be 'participation', 'aggregate' or 'individual'."),
        ("capture", "interval", 0.1, "is 0.1 and should be 0.5 or more."),
        ("capture", "interval", 7200, "should be 3600 or less."),
        ("capture", "interval", "often", "should be a number."),
        ("capture", "titles", "Zoom", 'should be a list, such as ["Zoom", "Meet"].'),
        ("dashboard", "port", 1.5, "should be a whole number."),
        ("dashboard", "host", 3, "should be text."),
        ("inference", "detector_model", 3, "should be the path of a file."),
    ],
)
@pytest.mark.usefixtures("settings_file")
def test_settings(section: str, name: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({section: {name: value}})
    assert f"Setting '{section}.{name}' is " in str(refused.value)
    assert said in str(refused.value)


def test_a_day_is_taken_as_it_is_told() -> None:
    from classpulse import students

    assert students._day("2026-11-30") == datetime(2026, 11, 30)  # noqa: DTZ001 - a day by this computer's clock
