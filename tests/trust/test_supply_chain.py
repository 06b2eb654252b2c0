"""What is installed is what somebody looked at: every package with its version and the hashes of its files."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = REPOSITORY / "requirements" / "run.txt"
FILES = sorted((REPOSITORY / "requirements").glob("*.txt"))
CI = [path for name in ("requirements.txt", "uv.txt") if (path := REPOSITORY / ".ci" / name).is_file()]
"""Of a checkout: the sdist is without them."""

ENTRY = re.compile(r"(?P<what>[A-Za-z0-9][^\\\n]*?)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def entries(path: Path) -> list[tuple[Requirement, str]]:
    """The packages of a file and of those it names, with their lines."""
    text = path.read_text(encoding="utf-8")
    own = [(Requirement(found["what"]), found.group()) for found in ENTRY.finditer(text)]
    others = re.findall(r"^-r (\S+)$", text, re.MULTILINE)
    return own + [entry for name in others for entry in entries(path.parent / name)]


@pytest.mark.parametrize("path", [*FILES, *CI], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_line_is_one_version_with_hashes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head, rest = text.split("\n", 1)
    assert head.startswith("# ")
    assert ENTRY.search(rest)
    left = ENTRY.sub("", rest).split("\n")
    assert left[:2] == ["--only-binary :all:", "--require-hashes"]
    assert all(re.fullmatch(r"-r [\w./]+", line) for line in left[2:] if line), (
        "no address, no option besides"
    )
    for requirement, _ in entries(path):
        (only,) = requirement.specifier
        assert only.operator == "=="
        assert requirement.url is None
        # the pip of Python 3.13.0 ends in a traceback where the kernel's release is no version, as most of Linux's are
        assert "platform_release" not in str(requirement.marker)


def test_there_is_a_file_for_what_runs_and_for_each_extra() -> None:
    extras = project()["project"]["optional-dependencies"]
    assert {path.stem for path in FILES} == {"run", "dev", *extras}


def test_what_the_project_asks_for_is_in_the_files() -> None:
    told = project()
    groups = told["dependency-groups"]
    wanted = {"run": [*told["project"]["dependencies"], *told["build-system"]["requires"]]}
    wanted |= {
        name: wanted["run"] + parts for name, parts in told["project"]["optional-dependencies"].items()
    }
    wanted["dev"] = [
        *chain.from_iterable(wanted.values()),
        *(one for one in groups["dev"] if isinstance(one, str)),
    ]
    for name, parts in wanted.items():
        found = {canonicalize_name(one.name): one for one, _ in entries(RUN.with_name(f"{name}.txt"))}
        for part in map(Requirement, parts):
            (pinned,) = found[canonicalize_name(part.name)].specifier
            assert part.specifier.contains(pinned.version), f"{name}.txt is older than pyproject.toml: {part}"


def test_what_those_ask_for_is_in_the_files_too() -> None:
    """As the packages that are installed here say it: pip would refuse to fetch what has no hash."""
    pinned = {canonicalize_name(one.name) for one, _ in entries(RUN)}
    missing = set()
    for name in pinned:
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system
        for one in map(Requirement, asked):
            if (one.marker is None or one.marker.evaluate({"extra": ""})) and canonicalize_name(
                one.name
            ) not in pinned:
                missing.add(f"{name}: {one}")
    assert not missing


def test_versions_are_those_that_pyproject_pins() -> None:
    told = {
        (one.name, str(one.specifier))
        for one in map(Requirement, project()["tool"]["uv"]["constraint-dependencies"])
    }
    found = {(one.name, str(one.specifier)) for path in [*FILES, *CI] for one, _ in entries(path)}
    assert found <= told
    if CI:
        assert told == found


def test_every_pinned_version_is_for_the_pythons_that_we_name() -> None:
    """pip heeds the upper bound that a package sets for Python; the tool that writes the files does not."""
    wrong = []
    for one, _ in entries(RUN):
        try:
            found = metadata.metadata(one.name)
        except metadata.PackageNotFoundError:
            continue
        told = found.get("Requires-Python") if one.specifier.contains(found["Version"]) else None
        bounds = Requirement(f"python{told}").specifier if told else None
        wrong += [
            f"{one.name} {python}"
            for python in ("3.11.0", "3.12.0", "3.13.0")
            if bounds is not None
            and not bounds.contains(python)
            and (one.marker is None or one.marker.evaluate({"python_full_version": python}))
        ]
    assert not wrong


def commands(text: str) -> list[list[str]]:
    """Each command of lines of a shell, by its words."""
    return [
        part.split()
        for line in text.splitlines()
        for part in re.split(r"&&|\|\||;", line.partition(" # ")[0])
        if re.search(r"\b(pip|uv)\b", part) and not line.lstrip().startswith("#")
    ]


def is_checked(words: list[str]) -> bool:
    """Whether an install is held to hashes, or fetches nothing."""
    if "--no-deps" in words and "--no-build-isolation" in words:
        return words[-1] == "."
    named = [words[place + 1] for place, word in enumerate(words) if word in {"-r", "--requirement"}]
    named += [word for word in words if word.endswith(".txt") and "sync" in words]
    return bool(named) and all((REPOSITORY / name) in {*FILES, *CI} for name in named)


def test_the_readme_installs_nothing_that_has_no_hash() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert [block.count("\n") for block in blocks] == [1, 1], "one command runs the demo, one the tests"
    for block in blocks:
        installs = [words for words in commands(block) if "install" in words]
        assert len(installs) == 2
        assert all(is_checked(words) for words in installs), block


@pytest.mark.skipif(not CI, reason="needs the checkout")
def test_the_checks_install_nothing_that_has_no_hash() -> None:
    for name in ("run", "supply"):
        found = commands((REPOSITORY / ".ci" / name).read_text(encoding="utf-8"))
        assert found
        for words in found:
            if "run" in words:
                assert "--no-sync" in words, words
            elif {"install", "sync"} & set(words):
                assert is_checked(words), words


def test_no_message_sends_anybody_to_a_package_of_our_name() -> None:
    """classpulse is in no registry: whoever took the name there could be anybody."""
    sources = [
        path
        for folder in ("capture", "classpulse", "dashboard", "inference", "models", "storage", "docs")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in {".py", ".md", ".html"}
    ]
    assert len(sources) > 100
    found = [
        str(path)
        for path in [*sources, REPOSITORY / "README.md"]
        if re.search(r"pip3? install (-U |--upgrade )?['\"]?classpulse", path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this environment is without pip")
def test_a_file_that_was_put_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    line = next(line for one, line in entries(RUN) if one.name == "itsdangerous")
    (version,) = Requirement(line.partition(" ")[0]).specifier
    forged = tmp_path / f"itsdangerous-{version.version}-py3-none-any.whl"
    information = f"itsdangerous-{version.version}.dist-info"
    with zipfile.ZipFile(forged, "w") as wheel:
        wheel.writestr("itsdangerous/__init__.py", "raise SystemExit('forged')\n")
        wheel.writestr(
            f"{information}/METADATA",
            f"Metadata-Version: 2.1\nName: itsdangerous\nVersion: {version.version}\n",
        )
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")

    def install(requirements: str) -> subprocess.CompletedProcess[str]:
        asked = tmp_path / "asked.txt"
        asked.write_text(requirements, encoding="utf-8")
        return subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "pip",
                    "--isolated",
                    "install",
                    "--no-index",
                    "--find-links",
                    str(tmp_path),
                ),
                *("--target", str(tmp_path / "target"), "--disable-pip-version-check", "-r", str(asked)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    # as our files begin, so that it is they that pip is told by
    head = "".join(RUN.read_text(encoding="utf-8").splitlines(keepends=True)[:3])
    refused = install(head + line)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "target").exists()
    bare = install(head + f"itsdangerous=={version.version}\n")
    assert "Hashes are required" in bare.stderr
    assert not (tmp_path / "target").exists()
    # and it would have been installed if nobody had looked
    assert install(f"itsdangerous=={version.version}\n").returncode == 0
