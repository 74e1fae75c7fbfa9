"""A Message-ID without an index of its own: it is found through its run and its lead"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = "uq_message_rfc_message_id"
_CONSTRAINT = f"CONSTRAINT {_NAME} UNIQUE (rfc_message_id),"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "message", type_="unique")
        return
    # SQLite cannot drop a constraint: the table is made anew under the same name, so that nothing
    # that points at it changes, and its rows and indexes are put back.
    connection = op.get_bind()
    made = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'message' AND sql IS NOT NULL"
    ).all()
    (table,) = (sql for kind, sql in made if kind == "table")
    if _CONSTRAINT not in table:
        raise LookupError(f"the table message has no constraint {_NAME}")
    # Attempts and enrolments point at rows that are away until the end.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TABLE message_moving AS SELECT * FROM message")
    op.execute("DROP TABLE message")
    connection.exec_driver_sql(table.replace(_CONSTRAINT, ""))
    op.execute("INSERT INTO message SELECT * FROM message_moving ORDER BY id")
    op.execute("DROP TABLE message_moving")
    for kind, sql in made:
        if kind == "index":
            connection.exec_driver_sql(sql)
