"""Who may open the pages: the secret of this installation, and what the settings say of the network."""

import os
import secrets
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classpulse import paths
from classpulse.errors import SettingsError
from classpulse.settings import Settings

if TYPE_CHECKING:
    from dashboard.door import Access
    from dashboard.serving import Network

_BYTES: Final = 48
_FEWEST: Final = 32
_WAIT_SECONDS: Final = 2.0


def access(chosen: Settings) -> "Access | None":
    """How visitors are told apart; None where the settings let everybody on this computer in.

    Raises:
        SettingsError: the secret cannot be read or made, or others may read it.
    """
    from dashboard.door import Access

    if not (chosen.dashboard.link or _reached(chosen)):
        return None
    return Access(read_secret(paths.default_data_folder()))


def network(chosen: Settings) -> "Network":
    """How others than this computer reach the pages."""
    from dashboard.serving import Network

    page = chosen.dashboard
    names = frozenset(name.strip().lower() for name in page.hosts if name.strip())
    return Network(names, page.certificate, page.key, page.proxy)


def is_local(chosen: Settings) -> bool:
    """Whether this computer alone is listened to and no proxy stands on it, so that a link makes sense."""
    from dashboard.security import listening_at

    return not listening_at(chosen.dashboard.host).beyond and not network(chosen).proxied_here


def _reached(chosen: Settings) -> bool:
    return not is_local(chosen) or network(chosen).used


def read_secret(folder: Path) -> bytes:
    """The secret of this installation, 48 random bytes in a file that its owner alone may read; made where absent.

    Raises:
        SettingsError: it cannot be read or made, it is too short, or others may read it.
    """
    file = folder / "secret"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            # nobody sees a half of it under another's rights: the file is the owner's before a byte is in it
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_bytes(_BYTES))
        secret = _settled(file)
        mode = file.stat().st_mode
    except OSError as error:
        raise SettingsError(
            f"The secret that signs the logins cannot be kept in {file}: {error.strerror or error}. See that you may "
            "write there."
        ) from error
    if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
        raise SettingsError(
            f"Others on this computer may read {file}, which signs the logins: delete it, and a new one is made "
            "(everybody has to log in again)."
        )
    if len(secret) < _FEWEST:
        raise SettingsError(
            f"{file}, which signs the logins, is broken off: delete it, and a new one is made (everybody has to log in "
            "again)."
        )
    return secret


def _settled(file: Path) -> bytes:
    """What another start may just be writing."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while len(secret := file.read_bytes()) < _FEWEST and time.monotonic() < deadline:
        time.sleep(0.05)
    return secret
