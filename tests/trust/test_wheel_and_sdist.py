"""What is handed on: code, weights, assets, migrations and their documents, and nothing that lies about."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("capture", "classpulse", "dashboard", "engagement", "inference", "models", "storage")

IN_PACKAGES = re.compile(
    r"(.+\.py"
    r"|capture/assets/faces\.npz"
    r"|dashboard/assets/[a-z-]+\.(css|js)"
    r"|dashboard/charts/(LICENSE|plotly-cartesian\.min\.js|templates\.json)"
    r"|(dashboard|models)/templates/[a-z-]+\.html"
    r"|models/manifest\.toml"
    r"|models/(MODEL|DETECTOR)_CARD\.md"
    r"|models/card/[a-z]+\.svg"
    r"|models/detector/judged\.txt"
    r"|models/weights/(expression|face|landmarks|presence)\.(tflite|json))"
)
"""Every kind of file that a package may hold."""

NEVER = re.compile(
    r"(\.db|\.sqlite.*|\.log|\.parquet|\.csv|\.keras|\.h5|\.pkl|\.pyc|\.toml\.bak|\.env|\.pem|\.key)$|__pycache__|\.venv|uv\.lock"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from what git knows, without a network."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs the git checkout: what is built are the files that git knows")
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
    for target in ("wheel", "sdist"):
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)],
            cwd=source,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return out


def tracked(folder: str) -> set[str]:
    done = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    names = {name for name in done.stdout.split("\0") if name and (REPOSITORY / name).is_file()}
    # what the workshop goes on from is not handed on
    return {name for name in names if not name.startswith("models/teachers/")}


def test_the_wheel_holds_each_file_of_the_packages_and_no_other(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry = archive.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    information = {name for name in names if ".dist-info/" in name}
    expected = set().union(*(tracked(package) for package in PACKAGES))
    expected |= {f"storage/migrations/{name.removeprefix('alembic/')}" for name in tracked("alembic")}
    assert names - information == expected
    assert [name for name in expected if not IN_PACKAGES.fullmatch(name) and "migrations" not in name] == []
    kinds = {name.partition(".dist-info/")[2] for name in information}
    assert kinds == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert entry.split() == ["[console_scripts]", "classpulse", "=", "classpulse.cli:main"]
    assert not [name for name in names if NEVER.search(name)]


def test_the_sdist_holds_what_a_build_and_the_tests_need_and_nothing_private(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    assert all(member.isfile() or member.isdir() for member in members), "no links"
    names = {member.name.partition("/")[2] for member in members if member.isfile()}
    included = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    expected = set().union(*(tracked(path.strip("/")) for path in included["sdist"]["include"]))
    always = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert expected - names == set()
    assert names - expected <= always
    assert not [name for name in names if NEVER.search(name)]


def test_neither_is_larger_than_what_a_teacher_downloads_in_a_minute(built: Path) -> None:
    assert all(path.stat().st_size < 20_000_000 for path in built.iterdir())
