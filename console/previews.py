"""Templates as their files are now, rendered for one lead: for looking at and for test mails."""

import difflib
from datetime import datetime
from typing import NoReturn

from console.errors import Refused
from console.wiring import Workspace
from deliverability import Envelope, Identity, compose
from leads import Recipient, address_key, find_lead, parse_address, recipients
from templates import Compiled, Letter, Links, Rendered, Sender, compile_template, render


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
    partials = {path.name: path.read_bytes() for path in sorted(folder.parent.glob("_*.html"))}
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}, partials


def refuse_unknown(what: str, name: str, known: list[str]) -> NoReturn:
    """Raises Refused: there is no such thing, and what was probably meant."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there is: {', '.join(known) or 'none yet'}"
    raise Refused(f'There is no {what} "{name}"; {hint}')


def compiled_now(workspace: Workspace, name: str) -> Compiled:
    """The template as its files say it, applied or not. Raises templates.SourceError."""
    files, partials = template_files(workspace, name)
    return compile_template(name, files, partials=partials)


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


def letter_for(
    workspace: Workspace, compiled: Compiled, sender: Identity, lead: Recipient
) -> Rendered:
    """What `lead` would read. The opt-out link in it belongs to nobody, so following it opts
    nobody out. Raises templates.RenderError."""
    mailto = f"mailto:{sender.reply_to or sender.from_address}?subject=unsubscribe%20test"
    base_url = workspace.settings.web.base_url
    writer = Sender(
        name=sender.from_name, address=sender.from_address, postal_address=sender.postal_address
    )
    links = Links(
        unsubscribe=f"{base_url}/u/test" if base_url else mailto, mailto_unsubscribe=mailto
    )
    return render(compiled, Letter(recipient=lead, sender=writer, links=links))


def trial_envelope(
    workspace: Workspace,
    sender: Identity,
    rendered: Rendered,
    *,
    to: str,
    subject: str | None = None,
) -> Envelope:
    """The mail as it would travel, under a Message-ID that belongs to no campaign."""
    token = format(workspace.random.getrandbits(64), "016x")
    return compose(
        sender,
        to_address=to,
        to_name="",
        subject=subject or rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=f"test.{token}@{sender.domain}",
        date=workspace.now(),
        list_id=None,
    )
