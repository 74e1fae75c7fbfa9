import asyncio
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session, select

from console.database import Database, Store
from console.migrations.types import same_type
from console.schema import metadata
from console.schema_version import newest, present
from leads import Suppression


# SQLite does not say what an index on an expression is of; that it is used is tested by its plans.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_migrations_give_exactly_the_schema_of_the_models(database: Database) -> None:
    assert present(database) == newest()
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type})
        assert compare_metadata(context, metadata) == []


def _row(key: str) -> Suppression:
    return Suppression(address_key=key, reason="manual", at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_failed_write_takes_nothing_else_of_its_batch_down(database: Database) -> None:
    store = Store(database)

    def good(key: str):
        def work(session: Session) -> str:
            session.add(_row(key))
            return key

        return work

    def bad(session: Session) -> None:
        session.add(_row("lost"))
        session.flush()
        raise ValueError("refused")

    async def many() -> list[object]:
        jobs = [store.write(good(f"{n:03}")) for n in range(20)]
        return await asyncio.gather(*jobs, store.write(bad), return_exceptions=True)

    results = asyncio.run(many())
    store.close()
    assert results[:20] == [f"{n:03}" for n in range(20)]
    assert isinstance(results[20], ValueError)
    assert store.commits < 21
    with database.reading() as session:
        keys = session.exec(select(Suppression.address_key)).all()
    assert sorted(keys) == [f"{n:03}" for n in range(20)]


def test_a_naive_instant_is_refused(database: Database) -> None:
    row = _row("naive")
    row.at = datetime(2026, 1, 1)  # noqa: DTZ001 - the fault under test
    with pytest.raises(Exception, match="naive datetime"), database.writing() as session:
        session.add(row)
        session.flush()
