"""`templates preview`: what the page shows, read from the files each time it is asked."""

import asyncio
import signal
from collections.abc import Callable

from console.errors import explain
from console.previews import compiled_now, lead_named, letter_for, trial_envelope
from console.web.preview import Look, preview_app
from console.web.serving import listening, serve
from console.wiring import Workspace
from deliverability import Identity


def look_at(workspace: Workspace, name: str, email: str, sender: Identity) -> Look:
    """The mail `email` would get from the files as they are; a mistake in them is in `wrong`.

    Raises Refused for an unknown lead.
    """
    lead = lead_named(workspace, email)
    try:
        rendered = letter_for(workspace, compiled_now(workspace, name), sender, lead)
        envelope = trial_envelope(workspace, sender, rendered, to=lead.email)
    except Exception as error:  # half-written files are what a preview is looked at with
        return Look(template=name, lead=lead.email, wrong=explain(error)[0])
    head = envelope.data.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")
    return Look(
        template=name,
        lead=lead.email,
        subject=rendered.subject,
        headers=head,
        text=rendered.text,
        html=rendered.html,
    )


def serve_look(look: Callable[[], Look], *, port: int, say: Callable[[str], None]) -> None:
    """Serves the page on 127.0.0.1 until Ctrl-C or SIGTERM; `say` hears its address."""
    bound = listening(f"127.0.0.1:{port}")
    taken = bound.getsockname()[1]
    app = preview_app(look, hosts=frozenset({f"127.0.0.1:{taken}", f"localhost:{taken}"}))

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        say(f"Look at http://127.0.0.1:{taken}/ and reload after each change; Ctrl-C ends it.")
        await serve(app, bound, stop)

    asyncio.run(work())
