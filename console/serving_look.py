"""`templates preview` at work: one page on this machine until somebody has seen enough."""

import asyncio
import signal
import webbrowser
from collections.abc import Callable

from console.web.preview import Viewed, preview_app
from console.web.serving import listening, serve


def serve_look(
    viewed: Viewed, *, port: int, say: Callable[[str], None], browser: bool = False
) -> None:
    """Serves the page on 127.0.0.1 until Ctrl-C or SIGTERM; `say` hears its address.

    With `browser` the person's browser is opened on it. Raises Refused when the port is taken.
    """
    bound = listening(f"127.0.0.1:{port}", what="The preview", do="choose another --port")
    taken = bound.getsockname()[1]

    async def work() -> None:
        stop = asyncio.Event()
        app = preview_app(
            viewed, hosts=frozenset({f"127.0.0.1:{taken}", f"localhost:{taken}"}), stop=stop
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        bound.listen()
        say(f"Look at http://127.0.0.1:{taken}/ and edit; each save shows. Ctrl-C ends it.")
        if browser:
            await asyncio.to_thread(webbrowser.open, f"http://127.0.0.1:{taken}/")
        await serve(app, bound, stop)

    asyncio.run(work())
