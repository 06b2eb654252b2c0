"""A reading knows with which calibration it was made, so that what is usual can be learned again as it was."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    # of the readings there are it is not known: a session that goes on learns a calibrated seat anew once
    op.add_column("readings", sa.Column("calibration", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("readings", "calibration")
