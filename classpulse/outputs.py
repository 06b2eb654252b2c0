"""What the commands write into files."""

import os
from pathlib import Path


def write_private(file: Path, contents: bytes) -> None:
    """Write a file, for this user alone where it is new; one that was there keeps who may read it.

    Raises:
        OSError: it cannot be written.
    """
    with open(file, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(contents)
