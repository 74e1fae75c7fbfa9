"""The preflight of one identity: every check about who writes, side by side."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime

from deliverability.headers import domain_of
from deliverability.identity import Identity
from deliverability.preflight.dmarc import walk
from deliverability.preflight.egress import ptr_row
from deliverability.preflight.opt_out import Fetch, endpoint_row, signed_row
from deliverability.preflight.relay import relay_rows
from deliverability.preflight.row import PreflightRow
from deliverability.preflight.sender_dns import (
    alignment_row,
    dkim_row,
    dmarc_row,
    mx_row,
)
from deliverability.preflight.sender_spf import spf_row
from deliverability.resolver import Resolver


async def check_identity(
    identity: Identity,
    resolver: Resolver,
    *,
    link: str,
    fetch: Fetch,
    ehlo_name: str,
    bulk: bool,
    now: datetime,
    timeout: float = 20.0,  # noqa: ASYNC109 - each check has it for itself
) -> tuple[PreflightRow, ...]:
    """All rows, in the order of the docs. Nothing is sent and nobody is opted out.

    `link` is an opt-out link signed for nobody, empty when there is no page; `bulk` says how
    severe a missing DMARC record is; `timeout` is in seconds. Never raises for what networks do.
    """

    async def in_time(id: str, doing: Awaitable[PreflightRow]) -> PreflightRow:
        try:
            async with asyncio.timeout(timeout):
                return await doing
        except TimeoutError:
            return _silent(id, timeout)

    async def of_author() -> list[PreflightRow]:
        author = await walk(resolver, domain_of(identity.from_address))
        return [
            await dmarc_row(resolver, author, bulk=bulk),
            await alignment_row(resolver, identity, author),
            await endpoint_row(resolver, identity, author, link=link, fetch=fetch),
        ]

    async def of_relay() -> list[PreflightRow]:
        return await relay_rows(identity, ehlo_name=ehlo_name, timeout=min(timeout / 2, 10.0))

    async def several(
        ids: tuple[str, ...], doing: Awaitable[list[PreflightRow]]
    ) -> list[PreflightRow]:
        try:
            async with asyncio.timeout(timeout):
                return await doing
        except TimeoutError:
            return [_silent(id, timeout) for id in ids]

    spf, dkim, mx, ptr, author, relay = await asyncio.gather(
        in_time("DNS-SPF-1", spf_row(resolver, identity)),
        in_time("DNS-DKIM-1", dkim_row(resolver, identity)),
        in_time("DNS-MX-1", mx_row(resolver, identity)),
        in_time("DNS-PTR-1", ptr_row(resolver, identity, ehlo_name=ehlo_name)),
        several(("DNS-DMARC-1", "ALIGN-1", "UNSUB-1"), of_author()),
        several(("TLS-1", "CAP-1"), of_relay()),
    )
    dmarc, alignment, endpoint = author
    signed = signed_row(identity, link=link, now=now)
    return (spf, dkim, dmarc, alignment, mx, ptr, *relay, endpoint, signed)


def _silent(id: str, seconds: float) -> PreflightRow:
    return PreflightRow(
        id=id,
        level="unknown",
        what=f"no answer within {seconds:g} seconds",
        remedy="is this computer online? Try again",
    )
