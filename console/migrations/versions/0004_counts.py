"""Indexes for counting, and a lead's suppression beside it"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BARRED = sa.text("merged_into IS NOT NULL OR erased_at IS NOT NULL OR suppressed IS NOT NULL")
_FOLDED = sa.text("lower(value)")
_FOLDED_C = sa.text('lower(value COLLATE "C")')
_NUMBER = sa.text("number IS NOT NULL")
_WITHDRAWN = sa.text("state = 'withdrawn'")

#: `lead.suppressed` follows `suppression`, whoever writes and in whichever order they come.
_SQLITE = (
    """
    CREATE TRIGGER suppression_added AFTER INSERT ON suppression BEGIN
        UPDATE lead SET suppressed = NEW.reason WHERE address_key = NEW.address_key;
    END
    """,
    """
    CREATE TRIGGER suppression_changed AFTER UPDATE ON suppression BEGIN
        UPDATE lead SET suppressed = NULL
            WHERE address_key = OLD.address_key AND OLD.address_key <> NEW.address_key;
        UPDATE lead SET suppressed = NEW.reason WHERE address_key = NEW.address_key;
    END
    """,
    """
    CREATE TRIGGER suppression_removed AFTER DELETE ON suppression BEGIN
        UPDATE lead SET suppressed = NULL WHERE address_key = OLD.address_key;
    END
    """,
    """
    CREATE TRIGGER lead_added AFTER INSERT ON lead
    WHEN NEW.suppressed IS NOT (SELECT reason FROM suppression WHERE address_key = NEW.address_key)
    BEGIN
        UPDATE lead
            SET suppressed = (SELECT reason FROM suppression WHERE address_key = NEW.address_key)
            WHERE id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER lead_changed AFTER UPDATE OF address_key ON lead
    WHEN NEW.suppressed IS NOT (SELECT reason FROM suppression WHERE address_key = NEW.address_key)
    BEGIN
        UPDATE lead
            SET suppressed = (SELECT reason FROM suppression WHERE address_key = NEW.address_key)
            WHERE id = NEW.id;
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION suppression_told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            UPDATE lead SET suppressed = NULL WHERE address_key = OLD.address_key;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            UPDATE lead SET suppressed = NEW.reason WHERE address_key = NEW.address_key;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER suppression_told AFTER INSERT OR UPDATE OR DELETE ON suppression
        FOR EACH ROW EXECUTE FUNCTION suppression_told()
    """,
    """
    CREATE FUNCTION lead_told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.suppressed := (SELECT reason FROM suppression WHERE address_key = NEW.address_key);
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER lead_told BEFORE INSERT OR UPDATE OF address_key ON lead
        FOR EACH ROW EXECUTE FUNCTION lead_told()
    """,
)


def upgrade() -> None:
    postgresql = op.get_context().dialect.name == "postgresql"
    op.add_column("lead", sa.Column("suppressed", sa.String(), nullable=True))
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)
    op.execute(
        "UPDATE lead SET suppressed ="
        " (SELECT reason FROM suppression WHERE suppression.address_key = lead.address_key)"
        " WHERE address_key IN (SELECT address_key FROM suppression)"
    )
    if postgresql:
        # SQLite's has the id in it anyway.
        op.drop_index("ix_lead_pipeline_stage_stage_at", table_name="lead")
        op.create_index(
            "ix_lead_pipeline_stage_stage_at",
            "lead",
            ["pipeline", "stage", "stage_at"],
            unique=False,
            postgresql_include=["id"],
        )
    op.create_index(
        "ix_lead_barred",
        "lead",
        ["pipeline", "stage", "stage_at", "merged_into", "erased_at", "suppressed"],
        unique=False,
        sqlite_where=_BARRED,
        postgresql_where=_BARRED,
        postgresql_include=["id"],
    )

    op.drop_index("ix_preference_name_value_lead_id", table_name="preference")
    op.create_index(
        "ix_preference_name_folded_lead_id",
        "preference",
        ["name", _FOLDED_C if postgresql else _FOLDED, "lead_id"],
        unique=False,
        postgresql_include=["value"],
    )
    op.create_index(
        "ix_preference_name_lead_id_number",
        "preference",
        ["name", "lead_id", "number"],
        unique=False,
        sqlite_where=_NUMBER,
        postgresql_where=_NUMBER,
    )

    op.create_index(
        "ix_consent_withdrawn",
        "consent",
        ["topic", "lead_id"],
        unique=False,
        sqlite_where=_WITHDRAWN,
        postgresql_where=_WITHDRAWN,
    )

    op.drop_index("ix_event_kind_campaign_at", table_name="event")
    op.create_index(
        "ix_event_kind_campaign_at",
        "event",
        ["kind", "campaign", "at", "lead_id"],
        unique=False,
    )
    op.create_index("ix_event_kind_at_lead_id", "event", ["kind", "at", "lead_id"], unique=False)
