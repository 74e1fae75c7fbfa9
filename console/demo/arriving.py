"""The shipped leads come in the way everybody's do: by the import, and the opt-outs with them."""

import csv
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from console.wiring import Workspace
from leads import AddressError, Lead, Preference, address_key, parse_address, suppress

LEADS = Path(__file__).with_name("leads.csv")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """What the import did with the rows of the file."""

    read: int
    added: int
    #: Rows that repeat a lead.
    repeated: int
    rejected: int
    rejects_file: str = ""


def bring_in(workspace: Workspace, *, by: str) -> Arrived:
    now = workspace.now()

    def work(session: Session) -> Arrived:
        seen: set[str] = set()
        read = rep = rej = 0
        for row in csv.DictReader(LEADS.open(encoding="utf-8", newline="")):
            read += 1
            try:
                a = parse_address(row["email"])
            except AddressError:
                rej += 1
                continue
            key = address_key(a, workspace.keys.address)
            if key in seen:
                rep += 1
                continue
            seen.add(key)
            lead = Lead(
                email=a.email,
                address_key=key,
                domain=a.domain,
                name=f"{row['first_name']} {row['last_name']}",
                **{
                    k: row[k]
                    for k in (
                        "first_name",
                        "last_name",
                        "company",
                        "job_title",
                        "phone",
                        "country",
                        "language",
                        "timezone",
                        "source",
                        "stage",
                    )
                },
                stage_at=now,
                created_at=now,
                updated_at=now,
                draw=workspace.random.getrandbits(31),
                token=f"{workspace.random.getrandbits(64):016x}",
            )
            session.add(lead)
            session.flush()
            for t in row["topic"].split(";"):
                session.add(Preference(lead_id=lead.id, name="topic", value=t, said_at=now))
        return Arrived(read=read, added=len(seen), repeated=rep, rejected=rej)

    return workspace.database.write(work)


def suppress_those_in(workspace: Workspace, path: Path, *, by: str) -> int:
    """Suppresses every address of a file with one on each line."""
    now, key = workspace.now(), workspace.keys.address
    addresses = [parse_address(line) for line in path.read_text("utf-8").split()]

    def work(session: Session) -> int:
        return sum(
            suppress(session, address_key(each, key), reason="imported", at=now, by=by)
            for each in addresses
        )

    return workspace.database.write(work)
