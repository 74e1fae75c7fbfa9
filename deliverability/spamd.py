"""What SpamAssassin says of a mail: a client of its daemon, spamd (SPAMC/1.5).

One connection for one mail, nothing kept. The daemon is the operator's; nothing is ever learned
from what we show it.
"""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from deliverability.errors import SpamdError

#: What answers are read up to; a report has some 5 kB.
_MOST = 1_000_000
_SCORE = re.compile(r"^Spam:\s*\w+\s*;\s*(-?[\d.]+)\s*/\s*(-?[\d.]+)", re.IGNORECASE | re.M)
_STATUS = re.compile(rb"SPAMD/[\d.]+ (\d+) (\S+)")
_RULE = re.compile(r"^\s*(\*|-?\d+(?:\.\d+)?)\s+([A-Z][A-Z0-9_]+)\b\s?(.*)$")


@dataclass(frozen=True, slots=True)
class SpamRule:
    """One rule of SpamAssassin that the mail meets."""

    name: str
    #: Negative speaks for the mail.
    points: float
    description: str


@dataclass(frozen=True, slots=True)
class SpamScore:
    """What SpamAssassin makes of one mail."""

    score: float
    #: From here on the daemon calls a mail spam; 5.0 unless its operator says otherwise.
    threshold: float
    #: Those with most points first.
    rules: tuple[SpamRule, ...]


async def spam_score(message: bytes, *, host: str, port: int, timeout: float) -> SpamScore:  # noqa: ASYNC109
    """Shows spamd the mail as it would leave and reads its report.

    `timeout` is in seconds, for everything together. Raises SpamdError with one sentence;
    `SpamdError.nobody` tells that nothing listens there.
    """
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(timeout):
            answer = await _ask(message, host, port)
    except ConnectionRefusedError as wrong:
        raise SpamdError(f"no spamd listens at {where}", nobody=True) from wrong
    except socket.gaierror as wrong:
        raise SpamdError(f"there is no host called {host!r}") from wrong
    except TimeoutError as wrong:
        raise SpamdError(f"spamd at {where} did not answer within {timeout:g} s") from wrong
    except OSError as wrong:
        raise SpamdError(f"spamd at {where} cannot be asked: {wrong.strerror or wrong}") from wrong
    return _understood(answer, where)


async def _ask(message: bytes, host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        head = f"REPORT SPAMC/1.5\r\nContent-length: {len(message)}\r\n\r\n"
        writer.write(head.encode() + message)
        with suppress(ConnectionError):  # spamd may have answered and hung up already
            await writer.drain()
            writer.write_eof()
        answer = b""
        while len(answer) < _MOST:
            part = await reader.read(65_536)
            if not part:
                break
            answer += part
        return answer
    finally:
        writer.close()


def _understood(answer: bytes, where: str) -> SpamScore:
    status = _STATUS.match(answer)
    if status is None:
        raise SpamdError(f"what listens at {where} is no spamd")
    if status[1] != b"0":
        said = status[2].decode("ascii", "replace")
        raise SpamdError(f"spamd at {where} answered {said}")
    head, _, body = answer.partition(b"\r\n\r\n")
    found = _SCORE.search(head.decode("utf-8", "replace").replace("\r\n", "\n"))
    if found is None:
        raise SpamdError(f"spamd at {where} gave no score")
    rules = sorted(_rules(body.decode("utf-8", "replace")), key=lambda rule: -rule.points)
    return SpamScore(float(found[1]), float(found[2]), tuple(rules))


def _rules(report: str) -> list[SpamRule]:
    """The table under `pts rule name  description`, whatever language its words are in."""
    lines = iter(report.splitlines())
    for line in lines:
        if re.match(r"\s*-{2,}\s+-{4,}\s", line):
            break
    found: list[SpamRule] = []
    for line in lines:
        row = _RULE.match(line)
        if row:
            points = 0.0 if row[1] == "*" else float(row[1])
            found.append(SpamRule(row[2], points, row[3].strip()))
        elif found and line.startswith(" " * 8) and line.strip():
            last = found[-1]
            text = f"{last.description} {line.strip()}".strip()
            found[-1] = SpamRule(last.name, last.points, text)
        elif found:
            break
    return found
