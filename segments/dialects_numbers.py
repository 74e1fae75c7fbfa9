"""What SQLite and PostgreSQL say differently about numbers in JSON, which many write as texts.

What counts as a number is `folding.NUMBER` in both.
"""

from sqlalchemy import BigInteger, Numeric

from segments.dialects_json import JsonTruth, JsonValue
from segments.folding import NUMBER_LENGTH


class attribute_looks_numeric(JsonTruth):  # noqa: N801
    """Whether the database could make a number of it: asked before it does."""

    inherit_cache = True
    sqlite = "({type} IS NOT NULL)"
    postgresql = "pg_input_is_valid({value}, 'numeric')"
    older_postgresql = (
        f"({{type}} = 'number' OR ({{type}} = 'string' AND length({{value}}) <= {NUMBER_LENGTH} "
        "AND {value} ~ '^-?[0-9]+([.][0-9]+)?$'))"
    )


class attribute_number(JsonValue):  # noqa: N801
    """The number, or the one a text looks like; only for values that `attribute_is_number`.

    SQLite makes a number of any text, quickly, and PostgreSQL of those that look numeric: the
    comparison comes first, and few values are looked at twice.
    """

    type = Numeric(asdecimal=False)
    inherit_cache = True
    sqlite = "({value} + 0)"
    postgresql = f"(CASE WHEN {attribute_looks_numeric.postgresql} THEN {{value}}::numeric END)"
    older_postgresql = (
        f"(CASE WHEN {attribute_looks_numeric.older_postgresql} THEN {{value}}::numeric END)"
    )


class attribute_is_number(JsonTruth):  # noqa: N801
    """Whether it is a number or a text like `folding.NUMBER`.

    Whole ones written as SQLite would are told first; what is no text is equal to none.
    """

    inherit_cache = True
    sqlite = (
        # No CASE: inside one SQLite works out both sides of every AND.
        f"(substr(CAST({{value}} AS INTEGER) || '', 1, {NUMBER_LENGTH}) = {{value}} "
        f"OR ({{type}} = 'text' AND length({{value}}) BETWEEN 1 AND {NUMBER_LENGTH} "
        "AND {value} NOT GLOB '*[^0-9.-]*' AND substr({value}, 2) NOT GLOB '*-*' "
        "AND {value} NOT GLOB '*.*.*' AND ltrim({value}, '-') GLOB '[0-9]*' "
        "AND {value} GLOB '*[0-9]') OR {type} IN ('integer', 'real'))"
    )
    postgresql = (
        f"((octet_length({{value}}) <= {NUMBER_LENGTH} AND {{value}} ~ '^-?[0-9]+([.][0-9]+)?$') "
        "OR {type} = 'number')"
    )


class attribute_looks_whole(JsonTruth):  # noqa: N801
    """Whether PostgreSQL could make a whole number of it, as it can of most, in half the time."""

    inherit_cache = True
    sqlite = "false"
    postgresql = "pg_input_is_valid({value}, 'int8')"
    older_postgresql = "false"


class attribute_whole(JsonValue):  # noqa: N801
    """The whole number; only for values that `attribute_looks_whole`."""

    type = BigInteger()
    inherit_cache = True
    sqlite = "{value}"
    postgresql = "{value}::int8"


class attribute_is_whole(JsonTruth):  # noqa: N801
    """Whether it is written as PostgreSQL would write it: no plus, no space, no leading nought."""

    inherit_cache = True
    sqlite = "false"
    postgresql = f"(left({{value}}::int8::text, {NUMBER_LENGTH}) = {{value}})"
