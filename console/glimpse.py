"""A quick look into a workspace for the shell: names of files, words of rules, values of leads.

Somebody has pressed Tab and waits, so this reads potok.toml and the database without SQLAlchemy and
without the rooms, whose imports alone take longer than a whole completion may. Read-only, from the
newest leads only, so that a million of them make no difference; whatever goes wrong means nothing
is offered.
"""

import sqlite3
import tomllib
from collections.abc import Sequence
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

#: Values are looked for among so many newest leads, names of events among the newest events.
NEWEST = 5_000
#: More than this nobody reads on a terminal.
MOST = 200
#: Seconds; a PostgreSQL that does not answer offers nothing.
PATIENCE = 1


def vocabulary() -> ModuleType:
    """`segments/vocabulary.py`, without the room around it."""
    path = Path(__file__).parents[1] / "segments" / "vocabulary.py"
    spec = spec_from_file_location("potok_vocabulary", path)
    assert spec is not None and spec.loader is not None  # noqa: S101 - the file is there
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def workspace_at(directory: str | None) -> Path | None:
    """The workspace `directory` names, else the one around the present folder."""
    if directory:
        path = Path(directory).expanduser()
        return path if (path / "potok.toml").is_file() else None
    here = Path.cwd()
    return next((path for path in (here, *here.parents) if (path / "potok.toml").is_file()), None)


class Glimpse:
    """One look. Every answer is a list, empty when there is nothing or nothing can be read."""

    def __init__(self, workspace: Path | None) -> None:
        self._workspace = workspace

    @cached_property
    def settings(self) -> dict[str, Any]:
        if self._workspace is None:
            return {}
        return tomllib.loads((self._workspace / "potok.toml").read_text("utf-8-sig"))

    def files(self, *folders: str) -> list[str]:
        """The names of the definitions in these folders."""
        if self._workspace is None:
            return []
        paths = [path for folder in folders for path in (self._workspace / folder).glob("*")]
        names = [path.stem for path in paths if path.is_dir() or path.suffix == ".toml"]
        return sorted({name for name in names if not name.startswith((".", "_"))})

    def identities(self) -> list[str]:
        return sorted(self.settings.get("identity", {}))

    def pipelines(self) -> list[str]:
        return list(self.settings.get("pipeline", {}))

    def stages(self) -> list[str]:
        """The stages of all pipelines, in their order."""
        names = [
            stage if isinstance(stage, str) else stage.get("name", "")
            for pipeline in self.settings.get("pipeline", {}).values()
            for stage in pipeline.get("stages", pipeline.get("stage", []))
        ]
        return list(dict.fromkeys(names))

    def column(self, name: str, begins: str = "") -> list[str]:
        """Values of a text column of `lead`, most frequent first; `name` is a known column."""
        return self._ask(
            f"SELECT {name} FROM lead WHERE {_RECENT} AND {name} <> '' "  # noqa: S608 - see above
            f"AND lower({name}) LIKE {{}} ESCAPE '!' GROUP BY 1 ORDER BY count(*) DESC, 1",
            _like(begins),
        )

    def attributes(self) -> list[str]:
        return self._ask(
            f"SELECT key FROM lead, json_each(attributes) WHERE {_RECENT} GROUP BY 1 ORDER BY 1",  # noqa: S608
            postgresql=f"SELECT DISTINCT jsonb_object_keys(attributes) FROM lead WHERE {_RECENT} "  # noqa: S608
            "ORDER BY 1",
        )

    def attribute(self, name: str) -> list[str]:
        path = '$."' + name.replace('"', "") + '"'
        if self._postgresql:
            return self._ask(
                "SELECT v FROM (SELECT jsonb_array_elements_text(CASE "  # noqa: S608
                "WHEN jsonb_typeof(attributes -> {}) = 'array' THEN attributes -> {} "
                "WHEN attributes -> {} IS NULL THEN '[]'::jsonb "
                f"ELSE jsonb_build_array(attributes -> {{}}) END) v FROM lead WHERE {_RECENT}) x "
                "WHERE v <> '' GROUP BY 1 ORDER BY count(*) DESC, 1",
                *(name,) * 4,
            )
        return self._ask(
            "SELECT e.value FROM lead, json_each(attributes, {}) e "  # noqa: S608
            f"WHERE {_RECENT} AND e.value <> '' GROUP BY 1 ORDER BY count(*) DESC, 1",
            path,
        )

    def preferences(self) -> list[str]:
        return self._ask(f"SELECT DISTINCT name FROM preference WHERE {_OF_RECENT} ORDER BY 1")  # noqa: S608

    def preference(self, name: str) -> list[str]:
        return self._ask(
            f"SELECT value FROM preference WHERE {_OF_RECENT} AND name = {{}} "  # noqa: S608
            "GROUP BY 1 ORDER BY count(*) DESC, 1",
            name.lower(),
        )

    def tags(self) -> list[str]:
        return self._ask(
            "SELECT e.value FROM lead, json_each(tags) e "  # noqa: S608
            f"WHERE {_RECENT} GROUP BY 1 ORDER BY count(*) DESC, 1",
            postgresql="SELECT t FROM (SELECT jsonb_array_elements_text(tags) t FROM lead "  # noqa: S608
            f"WHERE {_RECENT}) x GROUP BY 1 ORDER BY count(*) DESC, 1",
        )

    def events(self) -> list[str]:
        return self._ask(
            "SELECT DISTINCT kind FROM event WHERE id > "  # noqa: S608
            f"(SELECT coalesce(max(id), 0) FROM event) - {NEWEST} ORDER BY 1"
        )

    # The database ---------------------------------------------------------------------------

    @cached_property
    def _url(self) -> str:
        return str(self.settings.get("database", "sqlite:///potok.db"))

    @property
    def _postgresql(self) -> bool:
        return self._url.startswith("postgresql")

    def _ask(self, query: str, *values: str, postgresql: str | None = None) -> list[str]:
        """The first column; `{}` in the query stands for a value."""
        if self._workspace is None:
            return []
        ask = self._ask_postgresql if self._postgresql else self._ask_sqlite
        chosen = postgresql if postgresql is not None and self._postgresql else query
        return [str(row[0]) for row in ask(f"{chosen} LIMIT {MOST}", values) if row[0] is not None]

    def _ask_sqlite(self, query: str, values: Sequence[str]) -> list[Any]:
        assert self._workspace is not None  # noqa: S101 - asked before
        path = self._workspace / self._url.removeprefix("sqlite:///")
        # mode=ro makes no file where none is.
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.1)
        try:
            return connection.execute(query.replace("{}", "?"), values).fetchall()
        finally:
            connection.close()

    def _ask_postgresql(self, query: str, values: Sequence[str]) -> list[Any]:
        import psycopg

        dsn = self._url.replace("+psycopg", "", 1)
        # The percent sign of a value needs no care: values travel beside the query.
        with psycopg.connect(dsn, connect_timeout=PATIENCE, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = on")
            connection.execute(f"SET statement_timeout = {PATIENCE * 1000}")
            return connection.execute(query.replace("{}", "%s").encode(), values).fetchall()


_RECENT = f"lead.id > (SELECT coalesce(max(id), 0) FROM lead) - {NEWEST}"  # noqa: S608
_OF_RECENT = f"lead_id > (SELECT coalesce(max(id), 0) FROM lead) - {NEWEST}"  # noqa: S608


def _like(begins: str) -> str:
    escaped = begins.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"{escaped}%"
