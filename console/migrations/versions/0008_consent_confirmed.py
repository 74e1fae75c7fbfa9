"""Consent that is confirmed by a link, with its evidence"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    moment = sa.DateTime(timezone=True)
    op.add_column("consent", sa.Column("confirmed_at", moment, nullable=True))
    op.create_table(
        "consent_wording",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent_wording")),
    )
    op.create_table(
        "consent_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("topics", json, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("asked_from", sa.String(), nullable=False),
        sa.Column("asked_agent", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("confirmed_from", sa.String(), nullable=False),
        sa.Column("confirmed_agent", sa.String(), nullable=False),
        sa.Column("confirmed_wording", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_consent_request_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_request")),
    )
    op.create_index(
        "ix_consent_request_lead_id_asked_at",
        "consent_request",
        ["lead_id", "asked_at"],
        unique=False,
    )
    op.create_index("ix_consent_request_due_at", "consent_request", ["due_at"], unique=False)
