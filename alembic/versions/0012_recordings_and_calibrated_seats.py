"""A session knows whether it is of a recording, which can be read on, and a seat whether a bias was applied to it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    # which of the sessions there are were recordings is not known; nothing asks of one that has ended
    op.add_column("sessions", sa.Column("live", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("seats", sa.Column("calibrated", sa.Boolean(), server_default=sa.false(), nullable=False))
