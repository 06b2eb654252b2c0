"""Thousands of damaged files, read in one process whose memory is bounded; `test_hostile_files` starts it.

Prints how many of each kind were tried as JSON. A kind ends with an exit code that is not 0 where anything but an error
with a sentence came.
"""

import json
import os
import random
import resource
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from capture.replay import VideoSource, load_image
from classpulse import settings
from engagement.errors import ClasspulseError
from engagement.roster import read_roster
from inference.faces import load_detector
from models.registry import resolve

MEMORY = 6 * 1024**3
"""Bytes of addresses; libraries alone reserve two gigabytes."""

SLOWEST_SECONDS = 20.0
"""Of processor time that one file may take."""


def damaged(data: bytes, count: int, chance: random.Random) -> Iterator[bytes]:
    """Copies that are cut off, changed, doubled, shifted."""
    for index in range(count):
        copy = bytearray(data)
        match index % 4:
            case 0:
                del copy[chance.randrange(len(copy)) :]
            case 1:
                for _ in range(chance.randint(1, 12)):
                    copy[chance.randrange(len(copy))] = chance.randrange(256)
            case 2:
                at = chance.randrange(len(copy))
                copy[at : at + chance.randint(1, 64)] = chance.randbytes(chance.randint(0, 64))
            case _:
                # the header says more than there is
                at = chance.randrange(min(64, len(copy)))
                copy[at : at + 4] = b"\xff\xff\xff\x7f"
        yield bytes(copy)


def tried(cases: Iterator[bytes], path: Path, read: Callable[[Path], object]) -> dict[str, int]:
    """Read each case from a file; how many there were, and how many were refused in words."""
    counts = {"tried": 0, "refused": 0}
    for case in cases:
        path.write_bytes(case)
        started = time.process_time()
        try:
            read(path)
        except ClasspulseError as error:
            counts["refused"] += 1
            if not 10 < len(str(error)) < 2000:
                raise RuntimeError(f"{path.name}: an error in {len(str(error))} characters") from error
        spent = time.process_time() - started
        assert spent < SLOWEST_SECONDS, f"{path.name} took {spent:.0f} s"
        counts["tried"] += 1
    return counts


def pictures(folder: Path, chance: random.Random, count: int) -> dict[str, int]:
    total = {"tried": 0, "refused": 0}
    image = Image.effect_mandelbrot((48, 32), (-2, -1, 1, 1), 60).convert("RGB")
    kinds = ("png", "jpg", "gif", "bmp", "tif", "webp")
    for kind in kinds:
        path = folder / f"whole.{kind}"
        image.save(path)
        found = tried(
            damaged(path.read_bytes(), count // len(kinds), chance), folder / f"bad.{kind}", load_image
        )
        total = {name: total[name] + found[name] for name in total}
    return total


def videos(folder: Path, chance: random.Random, count: int) -> dict[str, int]:
    total = {"tried": 0, "refused": 0}
    frame = np.random.default_rng(3).integers(30, 255, (36, 64, 3), dtype=np.uint8)
    for kind, codec in (("avi", "MJPG"), ("mp4", "mp4v")):
        path = folder / f"whole.{kind}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 5, (64, 36))
        for _ in range(5):
            writer.write(frame)
        writer.release()

        def read(path: Path) -> None:
            with VideoSource(path) as source:
                for index, _item in enumerate(source.frames(0.5)):
                    # a header may promise years
                    if index > 20:
                        break

        found = tried(damaged(path.read_bytes(), count // 2, chance), folder / f"bad.{kind}", read)
        total = {name: total[name] + found[name] for name in total}
    return total


def rosters(folder: Path, chance: random.Random, count: int) -> dict[str, int]:
    text = "First name;Last name;Consent\nZoë;van Dijk;yes\n李;小龙;no\n=HYPERLINK(1);@SUM;x\n" * 4
    data = text.encode("utf-8-sig")
    cases = damaged(data, count, chance)
    return tried(cases, folder / "class.csv", lambda path: read_roster(path.read_bytes()))


SETTINGS = b"""# ours
[session]
name = "Physics 9b"
mode = "aggregate"
place = "elsewhere"
institution = "school"
[capture]
interval = 2.5
titles = ["Zoom", "Meet"]
[storage]
keep_days = 30
[dashboard]
port = 8050
"""

DEEP = (
    b"a = " + b"[" * 60_000,
    b"[capture]\ninterval = " + b"9" * 10_000,
    b"[" + b"a." * 30_000 + b"b]",
    b"x = {a=" * 5_000,
    b"\xff\xfe\x00",
    b"\0" * 4096,
    b"[capture]\n" + b"# much\n" * 200_000,
    b"[session]\nname = '" + b"x" * 60_000 + b"'",
    b"[" + b"x" * 60_000 + b"]",
)


def settings_files(folder: Path, chance: random.Random, count: int) -> dict[str, int]:
    os.environ["CLASSPULSE_SETTINGS"] = str(folder / "settings.toml")

    def cases() -> Iterator[bytes]:
        yield from DEEP
        yield from damaged(SETTINGS, count - len(DEEP), chance)

    return tried(cases(), folder / "settings.toml", lambda _path: settings.load())


def weights(folder: Path, chance: random.Random, count: int) -> dict[str, int]:
    """Ours behind their hash; a detector's from elsewhere, which has none; the manifest."""
    manifest = Path(resolve("expression").path).parents[1] / "manifest.toml"
    table = tomllib.loads(manifest.read_text(encoding="utf-8"))
    own = folder / "models"
    own.mkdir()
    (own / "weights").mkdir()
    file = own / table["expression"]["file"]
    real = (manifest.parent / table["expression"]["file"]).read_bytes()
    (own / "manifest.toml").write_bytes(manifest.read_bytes())
    half = count // 3
    total = tried(
        damaged(real, half, chance), file, lambda _path: resolve("expression", own / "manifest.toml")
    )
    assert total["refused"] == total["tried"], "damaged weights were taken"
    file.write_bytes(real)
    found = tried(
        damaged(manifest.read_bytes(), half, chance),
        own / "manifest.toml",
        lambda path: resolve("expression", path),
    )
    total = {name: total[name] + found[name] for name in total}
    onnx = b"\x08\x08\x12\x07pytorch" + chance.randbytes(2000)
    found = tried(
        damaged(onnx, count - 2 * half, chance),
        folder / "yunet.onnx",
        lambda path: load_detector("yunet", path),
    )
    return {name: total[name] + found[name] for name in total}


KINDS = {
    "pictures": (pictures, 1200),
    "videos": (videos, 160),
    "rosters": (rosters, 1000),
    "settings": (settings_files, 400),
    "weights": (weights, 240),
}


def main() -> None:
    """Try every kind and print the counts."""
    folder = Path(sys.argv[1])
    # what is made here to be damaged is written by the same decoder
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told = {}
    for kind, (try_all, count) in KINDS.items():
        place = folder / kind
        place.mkdir()
        told[kind] = try_all(place, random.Random(kind), count)  # noqa: S311 - the same cases every time
    # the highest of this program alone: getrusage begins with that of the tests that started it
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    told["most_memory_mb"] = {"peak": int(status["VmHWM"].split()[0]) // 1024}
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
