"""Names of seats as they stand on pages and in reports: as read, else the seat's number."""

import pandas as pd

from engagement.records import Seat


def seat_names(seats: pd.DataFrame) -> dict[int, str]:
    """Display name per seat number, in order of the numbers.

    Args:
        seats: as from `queries.seats`.
    """
    return {
        int(number): Seat(int(number), None if pd.isna(name) else str(name), "").display_name
        for number, name in zip(seats["seat"], seats["name"], strict=True)
    }
