"""What DNS says of domains, and preflights remembered"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "domain", sa.Column("route", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("domain", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "domain", sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "preflight",
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_preflight")),
    )
