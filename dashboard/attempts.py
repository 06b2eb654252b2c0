"""How often passwords may be tried: few times per name and per address, and a browser that is known is let try.

A stranger who tries a teacher's name locks it for strangers only: a browser in which the teacher logged in before
(it holds a device cookie) is counted by itself, as in OWASP's "Slow Down Online Guessing Attacks with Device Cookies".
"""

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 900.0
"""Seconds after which a failure is forgotten."""

PER_NAME: Final = 5
"""Failures with one name, from browsers that are not known, until strangers have to wait."""

PER_DEVICE: Final = 5
"""The same from one browser that is known; after it, it counts as a stranger."""

PER_ADDRESS: Final = 20
"""Failures from one address, whatever the names."""

_MOST_KEPT: Final = 10_000
"""Counters; the ones that were touched last stay."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, to be told how it went.

    Attributes:
        wait: seconds after which one may try again; above 0, it must not be tried now.
        locks: it is the last one with this name for a while, should it fail.
        keys: what it counts for.
    """

    wait: float
    locks: bool
    keys: tuple[Key, ...]


class Attempts:
    """The failures of the last quarter of an hour, in memory: a restart forgets them.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, address: str | None, device: str | None) -> Attempt:
        """Count a try as a failure until `succeeded` takes it back, so that many at once are no more tries than one
        after the other.

        Args:
            name: as it is compared.
            address: of who tries.
            device: of a browser in which this account logged in before; None for a stranger.
        """
        network = ("address", network_of(address))
        with self._lock:
            known = device is not None and not self._wait(("device", device), PER_DEVICE)
            who = ("device", device or "") if known else ("name", name)
            most = PER_DEVICE if known else PER_NAME
            # what strangers try from the same address (a school has but one) is nothing to a browser that is known
            wait = max(self._wait(who, most), 0.0 if known else self._wait(network, PER_ADDRESS))
            if wait > 0:
                return Attempt(wait, locks=False, keys=())
            for key in (who, network):
                self._touch(key).append(self._clock())
            return Attempt(0.0, len(self._failures[who]) >= most, (who, network))

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures with this name or browser; those of its address stay, less this one."""
        with self._lock:
            for key in attempt.keys:
                if key[0] == "address":
                    if self._failures.get(key):
                        self._failures[key].pop()
                else:
                    self._failures.pop(key, None)

    def _wait(self, key: Key, most: int) -> float:
        times = self._failures.get(key)
        if times is None:
            return 0.0
        now = self._clock()
        while times and now - times[0] >= WINDOW:
            times.popleft()
        return times[-most] + WINDOW - now if len(times) >= most else 0.0

    def _touch(self, key: Key) -> deque[float]:
        times = self._failures.setdefault(key, deque(maxlen=PER_ADDRESS))
        self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEPT:
            self._failures.popitem(last=False)
        return times


def network_of(address: str | None) -> str:
    """The address as it is counted: of IPv6 the network of one household, which has more than it can count."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)
