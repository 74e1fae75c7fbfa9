"""DNS in a dictionary: name -> records, in the shape of the conformance suite of RFC 7208."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from deliverability.resolver import DnsAnswer, Kind, Known

SILENT = "TIMEOUT"


class Names:
    """A resolver that knows what it was given: `{"a.test": [{"TXT": "."}, {"MX": [10, "b"]}]}`."""

    def __init__(self, zone: Mapping[str, Sequence[Any]]) -> None:
        self._zone = {name.lower().rstrip("."): records for name, records in zone.items()}
        #: Questions in order.
        self.asked: list[tuple[str, Kind]] = []

    async def ask(self, name: str, kind: Kind) -> DnsAnswer:
        self.asked.append((name, kind))
        key = ip_address(name).reverse_pointer if kind == "PTR" else name.lower().rstrip(".")
        return self._look(key, kind, 0)

    def _look(self, name: str, kind: Kind, depth: int) -> DnsAnswer:
        records = self._zone.get(name)
        if depth > 8:
            return DnsAnswer(known=Known.FAILED)
        if records is None:
            below = any(each.endswith("." + name) for each in self._zone)
            return DnsAnswer(known=Known.NO_DATA if below else Known.NO_NAME, ttl=60)
        rows = [(k, v) for each in records if isinstance(each, dict) for k, v in each.items()]
        texts = any(k == "TXT" for k, _ in rows)
        found: list[str] = []
        for row in records:
            if row == SILENT:
                break
            ((record, value),) = row.items()
            if record == "CNAME":
                return self._look(value.lower().rstrip("."), kind, depth + 1)
            # The suite writes SPF for "TXT of that text, unless TXT records are given".
            fits = record == kind or (record == "SPF" and kind == "TXT" and not texts)
            if fits and value == SILENT:
                return DnsAnswer(known=Known.SILENT)
            if fits and value != "NONE":
                found.append(_text(kind, value))
        if not found and SILENT in records:
            return DnsAnswer(known=Known.SILENT)
        return DnsAnswer(
            known=Known.FOUND if found else Known.NO_DATA, records=tuple(found), ttl=60
        )


def _text(kind: Kind, value: Any) -> str:
    if kind == "MX":
        return f"{value[0]} {value[1]}"
    return "".join(value) if isinstance(value, list) else str(value)
