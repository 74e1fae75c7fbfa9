"""`potok web`: the opt-out page by itself."""

import click

from console.cli.frame import Frame, command, group

web = group("web", help="The pages for recipients: opting out, choosing what to get.")


@command(web, "serve")
@click.option("--listen", metavar="HOST:PORT", help="Instead of [web] listen in potok.toml.")
def serve(frame: Frame, listen: str | None) -> None:
    """Serve the pages for recipients until told to stop (Ctrl-C or SIGTERM): opting out, the
    preference page, a mail in the browser.

    potok run serves it by itself; this is for a machine that does nothing else. In front of it
    belongs a web server with a certificate for the address that [web] base_url names.

    \b
    Example:
      potok web serve --listen 127.0.0.1:8025
    """
    import asyncio
    import signal

    from console.errors import Refused
    from console.web import open_page

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await page.serve(stop)

    with frame.workspace() as workspace:
        found = open_page(workspace, listen=listen, say=frame.say)
        if found is None:
            raise Refused(
                "The page is switched off: set [web] base_url in potok.toml, or name --listen"
            )
        page = found
        frame.say(f"The opt-out page listens on http://{page.address}/u/TOKEN")
        asyncio.run(work())
