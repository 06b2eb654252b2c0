"""The environment of a command as a teacher has it, where Python keeps what it has compiled."""

import os
from pathlib import Path


def environment(folder: Path) -> dict[str, str]:
    """That of this process, with a place of its own for compiled modules.

    pip compiles what it installs; where nothing may be kept (`PYTHONDONTWRITEBYTECODE`) each command would compile
    a thousand modules anew, which takes longer than all that it does. The first command after this fills the place.

    Args:
        folder: where they are kept.
    """
    own = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own
