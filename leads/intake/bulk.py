"""Many rows of one table, straight to the driver.

SQLAlchemy looks at every value of every row again; in an import that took more time than the
database. Here the dialect names the conversions once, and constant values are converted once. A
driver inside the process takes rows one by one at no cost. A server gets them as a stream: each
place of a long INSERT would be looked for by the driver and read by the server.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    String,
    Table,
    any_,
    insert,
    literal,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped

Convert = Callable[[Any], Any]


class Bulk:
    """INSERT of the named columns of `table`, in the given order, for rows that are bound."""

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        self.names = tuple(names)
        self._dialect = dialect
        statement = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        if {*statement.params} != {*names}:
            raise ValueError(f"{table.name}: every column with a default has to be named")
        #: Numbered places are those of SQLite's driver; PostgreSQL's understands a stream.
        self._one_by_one = bool(statement.positional)
        if self._one_by_one:
            if statement.positiontup != [*names]:
                raise ValueError(f"{table.name} has another order: {statement.positiontup}")
            self._text = str(statement)
        else:
            words = dialect.identifier_preparer
            columns = ", ".join(words.format_column(table.c[name]) for name in names)
            self._text = f"COPY {words.format_table(table)} ({columns}) FROM STDIN"
        self._convert: dict[str, Convert] = {
            name: convert for name in names if (convert := self._conversion(table, name))
        }

    def _conversion(self, table: Table, name: str) -> Convert | None:
        kind = table.c[name].type.dialect_impl(self._dialect)
        convert: Convert | None = kind.bind_processor(self._dialect)
        if self._one_by_one:
            return convert
        # Texts go into the stream as they are: what else the driver does there in the midst of a
        # transaction is done once, or where nobody waits.
        if isinstance(kind, JSON):
            return json.dumps
        if convert is not None:
            return lambda value: None if value is None else str(convert(value))
        return None

    def bind(self, name: str) -> Convert:
        """What makes of a value of this column one the driver understands."""
        return self._convert.get(name, _as_it_is)

    def write(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Writes rows of bound values in the order of the names. Raises DBAPIError."""
        if not rows:
            return
        if self._one_by_one:
            connection.exec_driver_sql(self._text, list(rows))
            return
        driver: Any = self._dialect.dbapi
        cursor: Any = connection.connection.cursor()
        try:
            with cursor.copy(self._text) as copy:
                for row in rows:
                    copy.write_row(row)
        except driver.Error as error:
            raise DBAPIError.instance(
                self._text, None, error, driver.Error, dialect=self._dialect
            ) from error
        finally:
            cursor.close()


@lru_cache(maxsize=32)
def bulk(table: Table, names: tuple[str, ...], dialect: Dialect) -> Bulk:
    """A `Bulk`, made once for each dialect in use."""
    return Bulk(table, names, dialect)


def among(column: Mapped[str], texts: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
    """`column` is one of thousands of texts; a server takes them as one value, not as so many."""
    if dialect.name == "postgresql":
        return column == any_(literal(list(texts), ARRAY(String)))
    return column.in_(texts)


def use_indexes(connection: Connection) -> None:
    """Lets a server look up keys in indexes until the transaction ends.

    By its own reckoning it reads small tables from end to end; and it keeps to that, without new
    statistics, while an import makes them big.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def _as_it_is(value: Any) -> Any:
    return value
