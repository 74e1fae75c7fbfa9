"""Many rows of one table through the driver's own `executemany`.

SQLAlchemy looks at every value of every row again; in an import that took more time than the
database. Here the dialect writes the statement and names the conversions once, and constant values
are converted once.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.engine import Dialect

Convert = Callable[[Any], Any]


class Bulk:
    """INSERT of the named columns of `table`, in the given order, for rows that are bound."""

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        self.names = tuple(names)
        statement = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        self._text = str(statement)
        self._positional = bool(statement.positional)
        order = statement.positiontup if self._positional else list(statement.params)
        if order is None or set(order) != set(names) or (self._positional and order != [*names]):
            raise ValueError(f"{table.name}: every column with a default has to be named: {order}")
        self._convert: dict[str, Convert] = {
            name: convert
            for name in names
            if (convert := table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
        }

    def bind(self, name: str) -> Convert:
        """What makes of a value of this column one the driver understands."""
        return self._convert.get(name, _as_it_is)

    def write(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Writes rows of bound values in the order of the names."""
        if not rows:
            return
        if self._positional:
            connection.exec_driver_sql(self._text, list(rows))
        else:
            named = [dict(zip(self.names, row, strict=True)) for row in rows]
            connection.exec_driver_sql(self._text, named)


@lru_cache(maxsize=32)
def bulk(table: Table, names: tuple[str, ...], dialect: Dialect) -> Bulk:
    """A `Bulk`, made once for each dialect in use."""
    return Bulk(table, names, dialect)


def _as_it_is(value: Any) -> Any:
    return value
