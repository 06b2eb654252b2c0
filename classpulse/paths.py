"""Where classpulse keeps its files on this system."""

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("classpulse", appauthor=False)


def default_data_folder() -> Path:
    """The platform's folder for a user's data: the database lies here."""
    return _DIRS.user_data_path


def default_settings_file() -> Path:
    """The settings file that is read when there is one."""
    return _DIRS.user_config_path / "classpulse.toml"


def log_file(part: str) -> Path:
    """The log of one part; it holds times, counts and stages, never names or pixels."""
    return _DIRS.user_log_path / f"{part}.log"
