"""The Feedback-ID of a mail: by it Gmail tells the complaints about our mails apart."""

import re
from hashlib import sha256

from deliverability import Identity


def feedback_id(campaign: str, topic: str, identity: Identity) -> str:
    """Gmail's Feedback-ID, by which its Postmaster Tools tell complaints apart: three fields of
    ours, and who sends in 15 characters that stay the same.

    Names of campaigns and identities hold no colon; a topic may.
    """
    topic = re.sub(r"[^A-Za-z0-9._-]+", "-", topic)
    sender = sha256(identity.domain.encode()).hexdigest()[:12]
    return f"{campaign or 'test'}:{topic or 'none'}:{identity.name}:{sender}"
