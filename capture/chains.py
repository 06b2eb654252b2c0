"""Regular runs of intervals along one axis: the rows of a grid, or the columns of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_IN_LINE: Final = 12
# Lines of a profile that are looked at, strongest first; and pairs of them that may be a first interval.
PEAKS: Final = 32
PAIRS: Final = 300
# Intervals and gaps may be this much off the regular place (rounding, browsers that stretch a column).
SLACK: Final = 0.03
# Support of the picture's own edges where the ends of a run are looked for: any real edge is better.
BORDER: Final = 0.3
# Worth of one line between two intervals, against that of two lines with a gap; and of a size that is expected.
ONE_FOR_TWO: Final = 0.72
PREFERENCE: Final = 1.0
# Gaps that are looked at together with the outer ends they imply.
GAPS: Final = 4

Lines = NDArray[np.intp]
Profile = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chain:
    """A run of equal intervals: `begin` and `end` intp (n,), `score` of its edges."""

    begin: Lines
    end: Lines
    score: float


def widest_gap(size: float) -> float:
    """Largest gap, in pixels, between intervals of this size."""
    return max(16.0, 0.08 * size)


def peaks(profile: Profile, least: float) -> Lines:
    """The strongest local maxima of a profile, in order, its two ends always among them."""
    inner = profile[1:-1]
    top = (inner >= profile[:-2]) & (inner > profile[2:]) & (inner >= least)
    found = np.flatnonzero(top) + 1
    if found.size > PEAKS:
        found = found[np.argsort(-profile[found], kind="stable")[:PEAKS]]
    kept = np.zeros(profile.size, np.bool_)
    kept[found] = kept[0] = kept[-1] = True
    return np.flatnonzero(kept)


def chains(
    profile: Profile,
    sizes: tuple[float, float],
    gap_limit: float,
    needed: float,
    count: int,
    slack_share: float = SLACK,
) -> list[Chain]:
    """Regular runs of equal intervals between the peaks of a profile, best first.

    Args:
        profile: float32 (length + 1,), support of each line.
        sizes: smallest and largest size of an interval, pixels.
        gap_limit: largest distance of two intervals, pixels.
        needed: support which an edge needs to speak for a chain.
        count: how many chains are wanted.
        slack_share: share of its size by which an interval may differ from the first.
    """
    profile = profile.copy()
    profile[[0, -1]] = needed
    at = peaks(profile, needed / 3)
    distance = at[None] - at[:, None]
    first, second = np.nonzero((distance >= sizes[0]) & (distance <= sizes[1]))
    if first.size > PAIRS:
        strong = np.argsort(-(profile[at[first]] + profile[at[second]]), kind="stable")[:PAIRS]
        first, second = first[strong], second[strong]
    which, following = np.nonzero(((distance >= 0) & (distance <= gap_limit))[second])
    begin, end, gap = at[first][which], at[second][which], distance[second[which], following]
    if begin.size == 0:
        return []
    size = end - begin
    slack = np.maximum(2.0, size * slack_share)
    begins, ends = [begin], [end]
    total = profile[begin] + profile[end] - 2 * needed
    best, length = total.copy(), np.ones(begin.size, np.intp)
    for n in range(2, MOST_IN_LINE + 1):
        left = _snap(profile, at, ends[-1] + gap, slack)
        right = _snap(profile, at, left + size, slack)
        inside = ends[-1] + gap + size <= profile.size - 1 + slack
        if not inside.any():
            break
        total = np.where(inside, total + profile[left] + profile[right] - 2 * needed, -np.inf)
        begins.append(left)
        ends.append(right)
        better = total > best
        best, length = np.where(better, total, best), np.where(better, n, length)
    found: list[Chain] = []
    seen: set[tuple[int, ...]] = set()
    for i in np.argsort(-best, kind="stable"):
        n = int(length[i])
        key = (n, int(begin[i]) // 4, int(end[i]) // 4, int(ends[n - 1][i]) // 4)
        if key not in seen:
            seen.add(key)
            found.append(
                Chain(
                    np.array([b[i] for b in begins[:n]]), np.array([e[i] for e in ends[:n]]), float(best[i])
                )
            )
        if len(found) == count:
            break
    return found


def _snap(profile: Profile, at: Lines, wanted: Lines, slack: NDArray[np.float64]) -> Lines:
    """The place wanted, or a peak near it if that is stronger."""
    after = np.minimum(np.maximum(np.searchsorted(at, wanted), 1), at.size - 1)
    best = np.minimum(wanted, profile.size - 1)
    value = profile[best].astype(np.float64)
    for place in (at[after - 1], at[after]):
        off = np.abs(place - wanted)
        worth = np.where(off <= slack, profile[place] - 0.25 * off / slack, -1.0)
        best, value = np.where(worth > value, place, best), np.maximum(worth, value)
    return np.asarray(best, np.intp)


def settled(profile: Profile, begin: Lines, end: Lines, usual: Sequence[float] = ()) -> tuple[Lines, Lines]:
    """Begin and end of each interval so that all gaps are the same and as many strong lines as possible are used.

    Args:
        profile: float32 (length + 1,), support of each line.
        begin, end: intp (n,), intervals which may begin or end at the wrong side of a gap.
        usual: sizes that are preferred where two intervals leave the size open.
    """
    profile = profile.copy()
    profile[[0, -1]] = BORDER
    size = float(np.median(end - begin))
    slack = max(2, int(size * SLACK))
    if begin.size == 1:
        return (
            np.array([_strongest(profile, int(begin[0]), slack)]),
            np.array([_strongest(profile, int(end[0]), slack)]),
        )
    widest = int(widest_gap(size))
    reach = widest + slack
    centre = (end[:-1] + begin[1:]) // 2
    lines = centre[:, None] + np.arange(-reach, reach + 1)
    gaps = np.arange(widest + 1)
    ends = lines[..., None]
    both = _at(profile, ends) + _at(profile, ends + gaps)
    both[..., 0] *= ONE_FOR_TWO
    both -= 0.2 * np.abs(ends + gaps / 2 - centre[:, None, None]) / reach
    support = both.max(axis=1).sum(axis=0)
    best, found = -np.inf, (begin, end)
    for gap in np.argsort(-support, kind="stable")[:GAPS]:
        at = lines[np.arange(centre.size), both[..., gap].argmax(axis=1)]
        inner = at[1:] - at[:-1] - gap
        if inner.size:
            size = float(np.median(inner))
        else:
            size = _common_size(profile, int(at[0]), int(at[0] + gap), float(np.median(end - begin)), usual)
        first = _strongest(profile, int(at[0]) - round(size), slack)
        last = _strongest(profile, int(at[-1] + gap) + round(size), slack)
        total = float(support[gap] + profile[first] + profile[last])
        if total > best:
            best, found = total, (np.append(first, at + gap), np.append(at, last))
    return found


def _at(profile: Profile, lines: Lines) -> Profile:
    """Values at these lines, or at the nearest end."""
    return profile[np.minimum(np.maximum(lines, 0), profile.size - 1)]


def _common_size(profile: Profile, end: int, begin: int, size: float, usual: Sequence[float]) -> float:
    """Size of two neighbours, the first of which ends at `end` and the second begins at `begin`."""
    reach = max(2, int(size * 3 * SLACK))
    sizes = np.arange(max(1, round(size) - reach), round(size) + reach + 1)
    both = _at(profile, end - sizes) + _at(profile, begin + sizes)
    preferred = np.any([np.abs(sizes - other) <= 2 for other in usual], axis=0) if usual else 0.0
    return float(sizes[(both + PREFERENCE * preferred - 0.2 * np.abs(sizes - size) / reach).argmax()])


def _strongest(profile: Profile, at: int, slack: int) -> int:
    lines = np.arange(max(0, at - slack), min(profile.size - 1, at + slack) + 1)
    if lines.size == 0:
        return min(max(at, 0), profile.size - 1)
    return int(lines[(profile[lines] - 0.3 * np.abs(lines - at) / slack).argmax()])
