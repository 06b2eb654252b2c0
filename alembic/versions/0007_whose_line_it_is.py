"""The audit log says by its number which account did it: another may have the name of one that was removed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    # no foreign key: the line outlives the account
    op.add_column("audit_log", sa.Column("account_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE audit_log SET account_id = (SELECT accounts.id FROM accounts "
        "WHERE accounts.name = audit_log.actor AND accounts.made_at <= audit_log.at)"
    )
