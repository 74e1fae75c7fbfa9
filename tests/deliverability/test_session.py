"""The dialogue: whatever a server or a network does, the outcome says what became of the mail."""

import asyncio
import time

import pytest

from deliverability import Cause, Phase, Verdict, connect
from deliverability.session import Session
from tests.deliverability.samples import mail
from tests.deliverability.scripted import Scripted

PIPELINING = "250-mx.test\r\n250-PIPELINING\r\n250 SIZE 1000000"
OFFERS = pytest.mark.parametrize("ehlo", ["250-mx.test\r\n250 HELP", PIPELINING])


async def open_to(server: Scripted, **changes: object) -> Session:
    connection = await connect(server.settings(**changes), ehlo_name="client.test")
    assert isinstance(connection, Session)
    return connection


@OFFERS
async def test_three_messages_leave_on_one_connection(ehlo: str) -> None:
    async with Scripted(ehlo=ehlo) as server:
        connection = await open_to(server)
        for _ in range(3):
            outcome = await connection.send(mail())
            assert outcome.verdict is Verdict.ACCEPTED
            assert outcome.phase is Phase.DONE
            assert outcome.relay_id == "4F1kZq2XyZz1"
        assert connection.usable
        assert connection.messages == 3
        await connection.close()
    assert server.connections == 1
    assert server.bodies == [mail().data] * 3
    assert server.commands[-1] == "QUIT"


@OFFERS
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("450 4.3.0 not now", Verdict.DEFERRED),
        ("550-5.3.0 never\r\n550 5.3.0 ever", Verdict.REJECTED),
    ],
)
async def test_a_refusal_at_any_step_is_attributed_and_the_connection_lives_on(
    ehlo: str, step: str, answer: str, verdict: Verdict
) -> None:
    def once(message: int) -> str:
        good = {"data": "354 go", "body": "250 2.0.0 fine"}.get(step, "250 ok")
        return answer if message == 1 else good

    async with Scripted(ehlo=ehlo, **{step: once}) as server:  # type: ignore[arg-type]
        # With PIPELINING a server that refused MAIL still answers RCPT and DATA.
        connection = await open_to(server)
        outcome = await connection.send(mail())
        assert (outcome.verdict, outcome.phase) == (verdict, Phase(step))
        assert outcome.code == int(answer[:3])
        assert "\n" not in outcome.reply
        assert connection.usable
        assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        await connection.close()


@OFFERS
@pytest.mark.parametrize("how", ["drop", "garbage", "silence"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
async def test_a_line_lost_before_354_took_nothing_and_after_it_leaves_doubt(
    ehlo: str, step: str, how: str
) -> None:
    async with Scripted(ehlo=ehlo, **{step: how}) as server:  # type: ignore[arg-type]
        patience = 0.5 if how == "silence" else 10.0
        connection = await open_to(server, timeout=patience, data_timeout=patience)
        outcome = await connection.send(mail())
        assert outcome.phase is Phase(step)
        assert outcome.cause is Cause.NETWORK
        assert outcome.verdict is (Verdict.IN_DOUBT if step == "body" else Verdict.UNSENT)
        assert outcome.reply
        assert not connection.usable
        again = await connection.send(mail())
        assert again.verdict is Verdict.UNSENT
        await connection.close()


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
async def test_after_421_the_connection_is_not_used_again(step: str) -> None:
    async with Scripted(**{step: "421 4.7.0 too many messages, slow down"}) as server:  # type: ignore[arg-type]
        connection = await open_to(server)
        outcome = await connection.send(mail())
        assert (outcome.verdict, outcome.cause) == (Verdict.DEFERRED, Cause.RATE)
        assert not connection.usable
        await connection.close()
    assert "RSET" not in server.commands


@pytest.mark.parametrize("words", ["421 4.4.2 mx.test Error: timeout exceeded", None])
async def test_a_server_that_is_tired_of_waiting_costs_no_message(words: str | None) -> None:
    async with Scripted() as server:
        connection = await open_to(server)
        assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        if words:
            await server.say(words)
        else:
            server.hang_up()
        await asyncio.sleep(0.05)
        assert not connection.usable
        outcome = await connection.send(mail())
        assert (outcome.verdict, outcome.phase) == (Verdict.UNSENT, Phase.CONNECT)
        await connection.close()
    assert len(server.bodies) == 1


async def test_an_idle_timeout_between_two_commands_gives_the_message_back() -> None:
    async with Scripted(mail="421 4.4.2 idle timeout, closing") as server:
        connection = await open_to(server)
        outcome = await connection.send(mail())
        assert (outcome.verdict, outcome.cause) == (Verdict.UNSENT, Cause.NETWORK)
        await connection.close()


async def test_pipelining_sends_the_envelope_in_one_write_and_only_when_offered() -> None:
    async with Scripted(ehlo=PIPELINING) as server:
        connection = await open_to(server)
        writes = []
        wire_write = connection._wire.write
        connection._wire.write = lambda data: (writes.append(data), wire_write(data))[1]  # type: ignore[method-assign,func-returns-value]
        await connection.send(mail())
        await connection.close()
    assert writes[0].count(b"\r\n") == 3
    assert len(writes) == 3  # envelope, message, QUIT


async def test_a_server_that_says_354_although_it_refused_the_recipient_gets_a_lone_dot() -> None:
    async with Scripted(
        ehlo=PIPELINING, rcpt=lambda n: "550 5.1.1 unknown user" if n == 1 else "250 ok"
    ) as server:
        server.odd = True
        connection = await open_to(server)
        outcome = await connection.send(mail())
        assert (outcome.verdict, outcome.cause) == (Verdict.REJECTED, Cause.ADDRESS)
        assert server.bodies == [b""]
        assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        await connection.close()


async def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    text = ".\n..two\n.end\n" + "x" * 200 + "\n"
    async with Scripted() as server:
        connection = await open_to(server)
        envelope = mail(text=text, html=None)
        await connection.send(envelope)
        await connection.close()
    # RFC 5321 4.5.2: the receiver takes one dot off each line that starts with one.
    received = b"\r\n".join(
        line[1:] if line.startswith(b".") else line for line in server.bodies[0].split(b"\r\n")
    )
    assert received == envelope.data


async def test_parameters_are_sent_only_when_offered() -> None:
    async with (
        Scripted() as plain,
        Scripted(ehlo="250-mx.test\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 SMTPUTF8") as rich,
    ):
        for server in (plain, rich):
            connection = await open_to(server)
            await connection.send(mail())
            await connection.close()
        connection = await open_to(rich)
        unusual = mail(to_address="żółw@example.org")
        assert unusual.needs_smtputf8
        assert (await connection.send(unusual)).verdict is Verdict.ACCEPTED
        await connection.close()
    assert "MAIL FROM:<anna@example.com>" in plain.commands
    size = len(mail().data)
    assert f"MAIL FROM:<anna@example.com> SIZE={size}" in rich.commands
    size = len(unusual.data)
    assert f"MAIL FROM:<anna@example.com> SIZE={size} BODY=8BITMIME SMTPUTF8" in rich.commands
    assert "RCPT TO:<żółw@example.org>" in rich.commands


async def test_what_the_server_cannot_take_is_refused_without_blaming_the_address() -> None:
    async with Scripted(ehlo="250-mx.test\r\n250 SIZE 900") as server:
        connection = await open_to(server)
        unusual = await connection.send(mail(to_address="żółw@example.org"))
        assert (unusual.verdict, unusual.cause) == (Verdict.REJECTED, Cause.POLICY)
        large = await connection.send(mail(text="x" * 2000))
        assert (large.verdict, large.cause) == (Verdict.REJECTED, Cause.CONTENT)
        assert connection.usable
        await connection.close()
    assert not any(line.startswith("MAIL") for line in server.commands)


async def test_a_server_that_answers_byte_by_byte_is_understood() -> None:
    async with Scripted(mail="slow 250-first\r\n250 second", body="slow 250 2.0.0 ok") as server:
        connection = await open_to(server)
        assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        await connection.close()


async def test_eight_bit_and_endless_answers_do_no_harm() -> None:
    async with Scripted(rcpt="550 5.1.1 użytkownik nieznany \x07") as server:
        connection = await open_to(server)
        outcome = await connection.send(mail())
        assert outcome.reply == "5.1.1 użytkownik nieznany"
        await connection.close()
    async with Scripted(rcpt="250-" + "x" * 70_000) as server:
        connection = await open_to(server)
        assert (await connection.send(mail())).verdict is Verdict.UNSENT
        await connection.close()


async def test_the_fault_points_come_in_order() -> None:
    seen: list[str] = []
    async with Scripted() as server:
        connection = await connect(
            server.settings(), ehlo_name="client.test", fault=lambda point: seen.append(point)
        )
        await connection.send(mail())
        await connection.close()
    assert seen == ["data", "body", "reply"]


async def test_a_cancelled_send_leaves_a_connection_nobody_uses() -> None:
    async with Scripted(rcpt="silence") as server:
        connection = await open_to(server, timeout=30)
        task = asyncio.create_task(connection.send(mail()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable
        await connection.close()


async def test_closing_does_not_wait_for_a_server_that_sleeps() -> None:
    async with Scripted() as server:
        server.steps["quit"] = "silence"
        connection = await open_to(server, timeout=30)
        started = time.monotonic()
        await connection.close()
        assert time.monotonic() - started < 5
