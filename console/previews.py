"""Templates as their files are now, rendered for one lead: for looking at and for test mails."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from campaigns import Circumstances, Office, Written, asks, circumstances, write_trial
from console.definitions import segment_bodies
from console.errors import Refused
from console.template_folders import folder_files
from console.wiring import Workspace
from deliverability import Identity
from leads import (
    JsonObject,
    Recipient,
    address_key,
    find_lead,
    parse_address,
    recipients,
    suppression_of,
)
from templates import Compiled, compile_template, is_partial


def names(workspace: Workspace) -> list[str]:
    """The templates there are files of."""
    folder = workspace.path / "templates"
    if not folder.is_dir():
        return []
    hidden = (".", "_")
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(hidden))


def template_files(workspace: Workspace, name: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A template's own files and the workspace's partials. Raises Refused with the nearest name."""
    if name not in names(workspace):
        refuse_unknown("template", name, names(workspace))
    folder = workspace.path / "templates" / name
    beside = sorted(path for path in folder.parent.glob("_*") if path.is_file())
    partials = {path.name: path.read_bytes() for path in beside if is_partial(path.name)}
    return folder_files(folder), partials


def refuse_unknown(what: str, name: str, known: list[str]) -> NoReturn:
    """Raises Refused: there is no such thing, and what was probably meant."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there is: {', '.join(known) or 'none yet'}"
    raise Refused(f'There is no {what} "{name}"; {hint}')


def compiled_now(workspace: Workspace, name: str) -> Compiled:
    """The template as its files say it, applied or not. Raises templates.SourceError."""
    files, partials = template_files(workspace, name)
    segments = segments_now(workspace, files, partials)
    return compile_template(name, files, partials=partials, segments=segments)


def segments_now(
    workspace: Workspace, files: Mapping[str, bytes], partials: Mapping[str, bytes]
) -> dict[str, JsonObject] | None:
    """The segments as their files say them, when these texts ask about one.

    Raises SettingsError when a segment has a mistake of its own.
    """
    if not any(b"segment" in text for text in (*files.values(), *partials.values())):
        return None
    return segment_bodies(workspace.settings)


def identity_name(workspace: Workspace, name: str | None) -> str:
    """`name`, or the only identity there is. Raises Refused."""
    known = list(workspace.settings.identities)
    if name is not None and name not in known:
        refuse_unknown("identity", name, known)
    if name is None and len(known) != 1:
        if not known:
            raise Refused("potok.toml has no identity yet: write an [identity.NAME]")
        raise Refused(f"Say who writes: --identity {' or '.join(known)}")
    return name or known[0]


def lead_named(workspace: Workspace, email: str) -> Recipient:
    """The lead with this address. Raises Refused, or leads.AddressError."""
    key = address_key(parse_address(email), workspace.keys.address)
    with workspace.database.reading() as session:
        lead = find_lead(session, key)
        if lead is None or lead.id is None:
            raise Refused(f"There is no lead {email}: potok leads list shows who is there")
        return recipients(session, [lead.id])[lead.id]


def specimen(to: str, language: str, *, now: datetime) -> Recipient:
    """Somebody invented, for a test mail that names no lead."""
    return Recipient(
        lead_id=0,
        email=to,
        domain=to.rpartition("@")[2],
        token="0" * 16,
        name="Anna Nowak",
        first_name="Anna",
        last_name="Nowak",
        company="Example Ltd",
        job_title="Director",
        language=language,
        country="PL",
        stage="new",
        stage_at=now,
    )


def office_of(workspace: Workspace, sender: Identity) -> Office:
    """Who writes, and with which keys links are signed: as it is when a campaign sends."""
    return Office(
        identity=sender,
        identity_version_id=0,
        base_url=workspace.settings.web.base_url,
        # The file has the newest key first, the signer wants it last.
        link_keys=tuple(reversed(workspace.keys.links)),
    )


def trial(
    workspace: Workspace,
    compiled: Compiled,
    sender: Identity,
    lead: Recipient,
    *,
    to: str | None = None,
) -> Written:
    """The mail `lead` would get, made by the very lines that make real ones, under a Message-ID
    that belongs to no campaign. Its links opt nobody out. Nothing is written down.

    With `to` it is addressed there and marked as a test. Raises templates.RenderError,
    deliverability.DeliverabilityError.
    """
    token = format(workspace.random.getrandbits(64), "016x")
    now, zone = workspace.now(), workspace.settings.time_zone
    around = Circumstances()
    if asks(compiled):
        with workspace.database.reading() as session:
            told = circumstances(session, compiled, [lead.lead_id], now=now, zone=zone)
        around = told[lead.lead_id]
    return write_trial(
        lead,
        compiled if to is None else marked(compiled),
        office_of(workspace, sender),
        to=(lead.email, lead.name) if to is None else (to, ""),
        rfc_message_id=f"test.{token}@{sender.domain}",
        at=now,
        circumstances=around,
    )


def marked(compiled: Compiled) -> Compiled:
    """The template with `[Test]` before each of its subjects, so that nobody mistakes the mail."""
    return replace(
        compiled,
        texts={
            language: replace(
                each, subject=replace(each.subject, source=f"[Test] {each.subject.source}")
            )
            for language, each in compiled.texts.items()
        },
    )


def refuse_suppressed(workspace: Workspace, addresses: Sequence[str]) -> None:
    """Raises Refused when one of them is on the suppression list: a test is a mail, too."""
    for address in addresses:
        key = address_key(parse_address(address), workspace.keys.address)
        with workspace.database.reading() as session:
            held = suppression_of(session, key)
        if held is not None:
            raise Refused(
                f"{address} is on the suppression list ({held.reason}): nothing is sent there, "
                "not even a test. Give another --to"
            )
