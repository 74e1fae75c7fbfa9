"""A real Postfix for tests: takes mail on loopback, relays it to one receiver on loopback, delivers
mail for `sender.test` (bounces above all) into a Maildir. Ended by its own command.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.spamd import free_port

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.sender.test
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
# Everything goes to one receiver on this machine: no mail of a test can leave it.
relayhost = [127.0.0.1]:{receiver}
smtp_host_lookup = native
disable_dns_lookups = yes
virtual_mailbox_domains = sender.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:inbox/
virtual_transport = virtual
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
bounce_queue_lifetime = 1h
minimal_backoff_time = 1s
"""
_MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    port: int
    #: Where mail for anybody at sender.test lands.
    maildir: Path
    log: Path

    def wait_for_mail(self, *, seconds: float = 20.0) -> Path:
        """The first mail in the Maildir; what Postfix said when none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for path in (self.maildir / "new").glob("*"):
                return path
            time.sleep(0.05)
        pytest.fail(f"no mail came back: {self.log.read_text('utf-8')[-2000:]}")


@contextmanager
def running_postfix(receiver: int) -> Iterator[Postfix]:
    """Relays to the receiver at that port. Skips the test where it cannot run."""
    program = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin")
    if program is None:
        pytest.skip("postfix is not installed (apt-get install postfix)")
    if os.geteuid() != 0:
        pytest.skip("Postfix's master must be started by root")
    port = free_port()
    # A short path, since sockets live below it.
    with TemporaryDirectory(prefix="pf-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("queue", "data", "mail"):
            (folder / part).mkdir()
        shutil.chown(folder / "data", "postfix")
        os.chown(folder / "mail", 65534, 65534)
        (folder / "main.cf").write_text(_MAIN.format(folder=folder, receiver=receiver), "utf-8")
        (folder / "master.cf").write_text(_MASTER.format(port=port), "utf-8")
        started = subprocess.run(
            [program, "-c", str(folder), "start"], capture_output=True, text=True, timeout=60
        )
        try:
            log = folder / "log"
            if started.returncode:
                said = log.read_text("utf-8") if log.exists() else started.stderr
                pytest.fail(f"Postfix does not start here: {said[-1500:]}")
            yield Postfix(port=port, maildir=folder / "mail" / "inbox", log=log)
        finally:
            subprocess.run(
                [program, "-c", str(folder), "stop"], capture_output=True, timeout=60, check=False
            )
