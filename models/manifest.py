"""Writes `manifest.toml`; `models.registry` reads it."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.errors import ManifestError


def write_entry(manifest: Path, name: str, table: dict[str, Any]) -> None:
    """Put `table` under [name] into the manifest, leaving the other entries. Raises ManifestError."""
    try:
        tables = tomllib.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{manifest} cannot be parsed ({error}); repair or remove it.") from error
    tables[name] = table
    lines = [
        "# Written by `classpulse models export` and the export of `models face`, `models landmarks` and `models "
        "presence`; weights that differ from their SHA-256 are not loaded."
    ]
    for key, value in sorted(tables.items()):
        lines += _toml(key, value)
    replace_file(manifest, ("\n".join(lines) + "\n").encode())


def read_table(manifest: Path, name: str) -> dict[str, Any]:
    """All that the manifest says under [name]. Raises ManifestError."""
    try:
        table: dict[str, Any] = tomllib.loads(manifest.read_text(encoding="utf-8"))[name]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(
            f"{manifest} has no readable entry {name!r} ({error!r}); export the model."
        ) from error
    return table


def _toml(path: str, table: dict[str, Any]) -> list[str]:
    table = {key: value for key, value in table.items() if value is not None}  # TOML has no word for nothing
    nested = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = ["", f"[{path}]"]
    lines += [f"{key} = {_value(value)}" for key, value in table.items() if key not in nested]
    for key, value in nested.items():
        lines += _toml(f"{path}.{key}", value)
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value)  # strings, numbers and booleans are written alike in JSON and TOML


@contextmanager
def candidate_file(contents: bytes, folder: Path) -> Iterator[Path]:
    """A weight file in `folder` for as long as it is tried; what is served there stays as it is."""
    temporary = folder / "candidate.tflite"
    temporary.write_bytes(contents)
    try:
        yield temporary
    finally:
        temporary.unlink()


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` whole or not at all."""
    temporary = path.with_name(f"new.{path.name}")
    temporary.write_bytes(content)
    temporary.replace(path)
