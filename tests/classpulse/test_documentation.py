"""Every option and every setting stands in the documentation."""

import html
import re
from pathlib import Path

import typer
from pydantic import BaseModel

from classpulse.cli import app
from classpulse.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_option_is_documented() -> None:
    text = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    group = typer.main.get_command(app)
    missing = []

    def visit(command: object, path: str) -> None:
        for name, child in getattr(command, "commands", {}).items():
            visit(child, f"{path} {name}")
        if not hasattr(command, "commands"):
            if f"`classpulse{path}" not in text:
                missing.append(f"classpulse{path}")
            options = [
                option
                for parameter in command.params  # type: ignore[attr-defined]
                if not getattr(parameter, "hidden", False)
                for option in parameter.opts
                if option.startswith("--") and option != "--help"
            ]
            missing.extend(f"classpulse{path} {option}" for option in options if option not in text)

    visit(group, "")
    assert not missing


def test_the_comparison_was_written_by_the_command_that_is_told() -> None:
    page = (REPOSITORY / "docs" / "comparison.html").read_text(encoding="utf-8")
    text = " ".join((REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8").split())
    told = re.findall(r"\[comparison\.html\]\(comparison\.html\) was written by `([^`]+)`", text)
    assert told == [html.unescape(code) for code in re.findall(r"<code>(.+?)</code>", page, re.DOTALL)]


def test_every_setting_is_documented() -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = []
    for section, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, inner in model.model_fields.items():
            description = (inner.description or "").strip().rstrip(".")
            if f"`{section}.{name}`" not in text or not description or description not in text:
                missing.append(f"{section}.{name}")
    assert not missing


def test_every_relative_link_leads_somewhere() -> None:
    pages = [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "models").glob("*.md"),
    ]
    assert len(pages) >= 5
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_every_benchmark_named_in_the_readme_is_there() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python -m benchmarks\.(\w+)", text)) | set(
        re.findall(r"benchmarks/(\w+)\.py", text)
    )
    assert len(named) >= 4
    assert not [name for name in named if not (REPOSITORY / "benchmarks" / f"{name}.py").is_file()]
