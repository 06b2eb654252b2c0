"""All settings: one TOML file and CLASSPULSE_* variables; a command's own options go before both.

Defaults have their one home here. A variable is named by section and field: CLASSPULSE_CAPTURE__INTERVAL=1.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableVariableError

from capture.windows import MEETING_TITLES
from classpulse import paths
from classpulse.errors import SettingsError
from classpulse.wrong_values import demand, own_words
from engagement.place import Institution, Place
from engagement.records import Mode

MAX_BYTES: Final = 64_000
"""Of the settings file; a larger one is another file."""

_LONGEST_SHOWN: Final = 200
"""Characters of a wrong value that a message repeats."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CaptureSettings(_Section):
    """What is grabbed, and how often."""

    source: str = "window"
    """Where frames come from: window, window:TITLE, monitor:N, region:X,Y,W,H, camera:N, demo, or a file or folder."""
    interval: Annotated[float, Field(ge=0.5, le=3600)] = 2.0
    """Seconds between frames."""
    titles: tuple[str, ...] = MEETING_TITLES
    """A window whose title holds one of these is the meeting."""


class InferenceSettings(_Section):
    """How faces are read."""

    detector: str = "tileface"
    """Face detector: tileface (our own), mtcnn (with the extra `mtcnn`), or yunet with `detector_model`."""
    detector_model: Path | None = None
    """Model file of the detector, where it needs one."""


class SessionSettings(_Section):
    """What may be inferred and kept."""

    name: Annotated[str, Field(min_length=1, max_length=64)] = "Class"
    """Name of the session; sessions of one class share it."""
    mode: Mode = Mode.PARTICIPATION
    """participation (no expressions), aggregate (class figures only) or individual (per seat; the class agreed)."""
    place: Place | None = None
    """Where the class is: eu (the EU or EEA), elsewhere or unsaid; other modes than participation need elsewhere."""
    institution: Institution | None = None
    """What kind of institution it is: school, university, workplace, other or unsaid."""
    agreed: bool = False
    """Whether the class was told and agreed; individual mode needs it, and the audit log keeps it."""


class StorageSettings(_Section):
    """Where the database is."""

    database: str | None = None
    """Database URL; without one, a SQLite file in the platform's data folder."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after which a session is erased, unless it is marked as kept."""


class DashboardSettings(_Section):
    """The page."""

    host: str = "127.0.0.1"
    """Address to listen on; one that other computers reach needs accounts and TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8050
    """Port to listen on; 0 takes a free one."""
    link: bool = True
    """Whether a one-time link lets this computer's browser in; without, everybody on this computer sees the pages."""
    hosts: tuple[str, ...] = ()
    """Names under which other computers ask for the pages, such as class.school.example."""
    certificate: Path | None = None
    """File of a certificate with its chain (PEM): the pages are served over TLS."""
    key: Path | None = None
    """File of its private key (PEM, without a password)."""
    proxy: str | None = None
    """Numeric address of a proxy that speaks TLS in front of the pages; its X-Forwarded headers are believed."""


class Settings(BaseSettings):
    """All settings of classpulse."""

    model_config = SettingsConfigDict(
        env_prefix="CLASSPULSE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    capture: CaptureSettings = CaptureSettings()
    inference: InferenceSettings = InferenceSettings()
    session: SessionSettings = SessionSettings()
    storage: StorageSettings = StorageSettings()
    dashboard: DashboardSettings = DashboardSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables go before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @property
    def database_url(self) -> str:
        """The database to use."""
        if self.storage.database:
            return self.storage.database
        from storage.database import default_url

        return default_url(paths.default_data_folder())


def _shown(value: object) -> str:
    """A value as a message can hold it."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def settings_file() -> Path:
    """The file that is read: CLASSPULSE_SETTINGS, or the platform's own place."""
    return Path(os.environ.get("CLASSPULSE_SETTINGS", paths.default_settings_file()))


def settings_with(
    *,
    source: str | None = None,
    session: str | None = None,
    mode: str | None = None,
    interval: float | None = None,
    database: str | None = None,
    detector: str | None = None,
    detector_model: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    agreed: bool | None = None,
) -> Settings:
    """The settings with the given options in place of their values; None leaves a setting as it is.

    Raises:
        SettingsError: an option, a variable or the file is wrong, or an option would change nothing.
    """
    chosen = load(
        {
            "capture": {"source": source, "interval": interval},
            "inference": {"detector": detector, "detector_model": detector_model},
            "session": {"name": session, "mode": mode, "agreed": agreed},
            "storage": {"database": database},
            "dashboard": {"host": host, "port": port},
        }
    )
    if detector_model is not None and chosen.inference.detector != "yunet":
        raise SettingsError(
            f"--detector-model is for the detector yunet; {chosen.inference.detector} carries its own weights. Add "
            "--detector yunet, or leave it out."
        )
    return chosen


def load(options: Mapping[str, Mapping[str, object]] | None = None) -> Settings:
    """Read the settings.

    Args:
        options: values that go before variables and file, by section and field; None leaves a setting as it is.

    Raises:
        SettingsError: the file cannot be read, or a value or key in it, in a variable or an option is wrong.
    """
    given = {
        section: {name: value for name, value in fields.items() if value is not None}
        for section, fields in (options or {}).items()
    }
    file = settings_file()
    if "CLASSPULSE_SETTINGS" in os.environ and not file.is_file():
        raise SettingsError(f"CLASSPULSE_SETTINGS names {file}, which is not a file; correct or unset it.")
    try:
        if file.is_file() and file.stat().st_size > MAX_BYTES:
            raise SettingsError(
                f"The settings file {file} has {file.stat().st_size / 1000:.0f} kB, and settings have less than "
                f"{MAX_BYTES // 1000} kB: is it another file? Correct or remove it."
            )
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise SettingsError(
                f"There is no setting {where[:100]!r}: docs/settings.md lists them. Correct {file}."
            ) from error
        wanted = demand(first) or own_words(first).removeprefix("Input should be ")
        raise SettingsError(
            f"Setting {where[:100]!r} is {_shown(first['input'])} and should be {wanted}. Correct the option, the "
            f"variable CLASSPULSE_{where.upper().replace('.', '__')} or the settings file."
        ) from error
    except UnreadableVariableError as error:
        raise SettingsError(
            f'A variable CLASSPULSE_... cannot be read: {error}. Write lists as JSON, such as ["Zoom", "Meet"].'
        ) from error
    # a table nested a thousand times and a number of ten thousand digits are no TOML errors
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"The settings file {file} cannot be read: {error}. Correct or remove it."
        ) from error
