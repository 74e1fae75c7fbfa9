"""What a lane has learnt about its pace, and what moved it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("lane", sa.Column("learnt", json, nullable=False, server_default="{}"))
    op.create_table(
        "lane_move",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate_before", sa.Float(), nullable=False),
        sa.Column("rate_after", sa.Float(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_lane_move_lane_id_lane")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_move")),
    )
    op.create_index("ix_lane_move_lane_id_at", "lane_move", ["lane_id", "at"], unique=False)
