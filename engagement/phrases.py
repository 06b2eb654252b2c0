"""Counts, shares, figures and lengths of time as every sentence, table and page writes them."""


def count(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun: "1 seat", "3 seats"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share in whole per cent, "91 %"; nothing is called none or all that is not."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def signed(value: float) -> str:
    """A figure with its sign: "+0.12", "−0.05" with a true minus, "0.00"."""
    text = f"{value:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text.replace("-", "\u2212")


def duration(seconds: float) -> str:
    """A length of time to the nearest minute, such as "40 s", "24 min" or "1 h 04 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
