"""The mailboxes of a workspace, read with what its settings and keys say."""

from collections.abc import Callable

from campaigns import Desk, Polled, Store, poll
from console.wiring import Workspace
from deliverability import MailboxError, MailboxReader, Maildir


def mailboxes(workspace: Workspace) -> list[tuple[Desk, MailboxReader]]:
    """One reader for each mailbox; identities that share one are read once, by the first of them.

    Keep the readers while the process lives: they remember what they have seen.
    """
    identities = workspace.settings.identities
    own = frozenset(
        address.lower()
        for identity in identities.values()
        for address in (identity.from_address, identity.reply_to, identity.bounce_address)
        if address
    )
    found: dict[str, tuple[Desk, MailboxReader]] = {}
    for name, identity in identities.items():
        if identity.mailbox is None or identity.mailbox.maildir is None:
            continue
        path = (workspace.path / identity.mailbox.maildir).resolve()
        desk = Desk(
            identity=name,
            address_key=workspace.keys.address,
            # The file has the newest key first, the signer wants it last.
            link_keys=tuple(reversed(workspace.keys.links)),
            own=own,
        )
        found.setdefault(str(path), (desk, Maildir(path)))
    return list(found.values())


async def poll_all(
    store: Store,
    boxes: list[tuple[Desk, MailboxReader]],
    workspace: Workspace,
    *,
    say: Callable[[str], None],
) -> dict[str, Polled]:
    """Reads every mailbox once; {identity: what came}. One that cannot be read is said and passed
    over, since the others matter no less."""
    came: dict[str, Polled] = {}
    for desk, reader in boxes:
        try:
            came[desk.identity] = await poll(store, reader, desk, now=workspace.now())
        except MailboxError as error:
            say(f"{desk.identity}: {error}")
            continue
        for why in came[desk.identity].unreadable:
            say(f"{desk.identity}: cannot read {why}")
    return came
