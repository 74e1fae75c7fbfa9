"""Many rows of one table, straight to the driver.

SQLAlchemy looks at every value of every row again; in an import that took more time than the
database. Here the dialect writes the statement and names the conversions once, and constant values
are converted once. A driver inside the process takes rows one by one at no cost; a server is asked
for many in one statement.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.engine import Dialect

Convert = Callable[[Any], Any]

_NAME = re.compile(r"%\((\w+)\)s")
#: Rows of one statement; a server takes 65,535 values.
_TOGETHER = 200


class Bulk:
    """INSERT of the named columns of `table`, in the given order, for rows that are bound."""

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        self.names = tuple(names)
        statement = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        self._text = str(statement)
        #: Numbered places are those of SQLite's driver, named ones those of PostgreSQL's.
        self._one_by_one = bool(statement.positional)
        order = statement.positiontup if self._one_by_one else _NAME.findall(self._text)
        if order != [*names]:
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
        if self._one_by_one:
            connection.exec_driver_sql(self._text, list(rows))
            return
        before, _, places = _NAME.sub("%s", self._text).partition(" VALUES ")
        for start in range(0, len(rows), _TOGETHER):
            some = rows[start : start + _TOGETHER]
            statement = f"{before} VALUES {', '.join([places] * len(some))}"
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


@lru_cache(maxsize=32)
def bulk(table: Table, names: tuple[str, ...], dialect: Dialect) -> Bulk:
    """A `Bulk`, made once for each dialect in use."""
    return Bulk(table, names, dialect)


def _as_it_is(value: Any) -> Any:
    return value
