"""potok.toml: every setting read, every mistake answered with line, key and what may be written."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import Refused, SecretMissing, SettingsError
from console.known_settings import SETTINGS
from console.sections import Section, Source
from console.settings import Settings, read_settings
from console.signup_settings import Signup
from deliverability import (
    Cause,
    Phase,
    answers_of,
    classify,
    provider_of_mx,
    shipped_schedules,
)
from leads import FrequencyCap

EVERYTHING = """\
database = "sqlite:///potok.db"
time_zone = "Europe/Warsaw"
[web]
base_url = "https://mail.example.com/"
listen = "127.0.0.1:8026"
[pipeline.sales]
stages = ["new", "demo", "won", "lost"]
[[pipeline.renewal.stage]]
name = "due"
[[pipeline.renewal.stage]]
name = "renewed"
won = true
[[pipeline.renewal.stage]]
name = "gone"
lost = true
[identity.anna]
from = "Anna Żółć <anna@acme.pl>"
reply_to = "office@acme.pl"
postal_address = "Acme, Prosta 1, Kraków"
bounce_address = "bounces@acme.pl"
egress_ips = ["192.0.2.7", "2001:DB8::7"]
[identity.anna.smtp]
host = "smtp.acme.pl"
port = 465
tls = "implicit"
user = "anna"
password_env = "ANNA_PASSWORD"
allow_plain_text = false
ca_file = "ca.pem"
timeout = 30
data_timeout = 300.5
[identity.anna.mailbox.imap]
host = "imap.acme.pl"
port = 993
tls = "implicit"
user = "anna"
password_file = "imap.password"
folder = "Answers"
[identity.anna.limits]
per_day = 2000
connections = 4
per_connection = 50
warm_up = "domain"
spread = false
[identity.anna.dkim]
domain = "acme.pl"
selector = "s1"
private_key = "dkim.pem"
ed25519_selector = "e1"
ed25519_key = "ed.pem"
[identity.try.limits]
warm_up_steps = [20, 40]
[identity.try]
from = "try@acme.pl"
[identity.try.outbox]
folder = "outbox"
[identity.try.mailbox]
maildir = "inbox"
[dns]
nameservers = ["127.0.0.1:5353", "9.9.9.9", "[2620:fe::9]:5300"]
timeout = 2
mx_lookups = true
mx_per_second = 20
[preflight]
recipients = 1000
[delivery]
when_in_doubt = "resend"
frequency = { messages = 3, days = 7 }
domain_per_hour = 20
most_retries = 5
[pace.default]
per_minute = 60
connections = 2
per_connection = 20
jitter = 0.1
[pace.gmail]
per_minute = 7.5
at_most_per_minute = 90
[pace.partner]
connections = 1
[provider.partner]
domains = ["Partner.example"]
mx = ["mx.Partner.example."]
[[answer]]
cause = "rate"
provider = "partner"
codes = "4.."
enhanced = "4[.]7[.]0"
words = "come back tomorrow"
phases = ["mail", "rcpt"]
suspend_minutes = 90
[topic.news]
en = "Product news"
pl = "Nowości"
[consent]
required = true
require = "double"
[signup]
open = true
identity = "anna"
per_hour = 5
[templates]
link_domains = ["Acme.pl", "acme.example"]
spamd = "127.0.0.1:1783"
spamd_timeout = 5
"""


def read(folder: Path, text: str) -> Settings:
    (folder / "potok.toml").write_text(text, "utf-8")
    return read_settings(folder)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value)


def test_every_setting_reaches_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNA_PASSWORD", "s3cret")
    (tmp_path / "imap.password").write_text("other\n", "utf-8")
    settings = read(tmp_path, EVERYTHING)
    anna = settings.sender("anna")
    assert (anna.from_name, anna.from_address) == ("Anna Żółć", "anna@acme.pl")
    assert anna.smtp.password == "s3cret"
    assert anna.smtp.ca_file == tmp_path / "ca.pem"
    assert (anna.smtp.timeout, anna.smtp.data_timeout) == (30.0, 300.5)
    mailbox = settings.reader("anna").mailbox
    assert mailbox is not None and mailbox.imap is not None
    assert (mailbox.imap.password, mailbox.imap.folder) == ("other", "Answers")
    assert anna.limits.per_day == 2000
    assert anna.limits.warm_up == shipped_schedules()["domain"] and not anna.limits.spread
    tries = settings.identities["try"].limits
    assert tries.warm_up is not None and (tries.warm_up.steps, tries.spread) == ((20, 40), True)
    assert anna.dkim is not None and anna.dkim.private_key == tmp_path / "dkim.pem"
    assert anna.second_dkim is not None
    assert (anna.second_dkim.domain, anna.second_dkim.selector) == ("acme.pl", "e1")
    assert anna.second_dkim.private_key == tmp_path / "ed.pem"
    assert anna.egress_ips == ("192.0.2.7", "2001:db8::7")
    assert settings.dns.nameservers == (
        ("127.0.0.1", 5353),
        ("9.9.9.9", 53),
        ("2620:fe::9", 5300),
    )
    assert (settings.dns.timeout, settings.dns.mx_per_second) == (2, 20)
    assert settings.dns.mx_lookups is True
    assert settings.preflight_from == 1000
    assert settings.identities["try"].smtp.outbox == tmp_path / "outbox"
    assert settings.web.base_url == "https://mail.example.com"
    assert [stage.name for stage in settings.pipelines["renewal"].stages if stage.won] == [
        "renewed"
    ]
    assert [stage.name for stage in settings.pipelines["sales"].stages if stage.lost] == ["lost"]
    assert settings.delivery.frequency == FrequencyCap(messages=3, days=7)
    assert settings.delivery.most_retries == 5
    assert settings.providers == {"partner": ("partner.example",)}
    assert settings.topics == {"news": {"en": "Product news", "pl": "Nowości"}}
    assert settings.consent_required
    assert settings.consent_double
    assert settings.signup == Signup(open=True, identity="anna", per_hour=5)
    assert settings.templates.link_domains == ("acme.pl", "acme.example")
    assert settings.templates.spamd == ("127.0.0.1", 1783)
    assert settings.templates.spamd_named
    assert settings.templates.spamd_timeout == 5


def test_a_provider_inherits_the_default_pace_and_answers_to_its_mail_service(
    tmp_path: Path,
) -> None:
    settings = read(tmp_path, EVERYTHING)
    assert settings.pace_of("google").per_minute == 7.5
    assert settings.pace_of("google").per_connection == 20
    assert settings.pace_of("google").highest == 1.5
    assert settings.pace_of("wp").highest == 0.5
    assert settings.pace_of("partner").connections == 1
    assert settings.pace_of("other").per_minute == 60
    # Nothing said: the default, no hotter than what is known of the provider.
    assert settings.pace_of("yahoo").per_connection <= 20


def test_the_workspace_s_providers_and_answers_come_before_the_shipped_ones(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        EVERYTHING + '[provider.google]\ndomains = ["acme.pl"]\nmx = ["relay.example"]\n',
    )
    table = settings.provider_table
    assert provider_of_mx(("a.mx.partner.example.",), table) == "partner"
    assert provider_of_mx(("in.relay.example",), table) == "google"
    assert provider_of_mx(("aspmx.l.google.com",), table) == "google"
    assert "acme.pl" in table["google"].domains and "gmail.com" in table["google"].domains
    (row,) = settings.answers
    assert (row.cause, row.provider, row.suspend) == (Cause.RATE, "partner", timedelta(minutes=90))
    outcome = classify(
        Phase.RCPT, 451, "4.7.0 Come back TOMORROW", answers_of("partner", settings.answers)
    )
    assert outcome.cause is Cause.RATE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[answer]]\ncause = "rate"', "write one of them"),
        ('[[answer]]\ncause = "rate"\nwords = "("', "words is no regular expression"),
        ('[[answer]]\ncause = "rates"\nwords = "x"', 'cause = "rates": write "rate" or'),
        ('[[answer]]\ncause = "rate"\nwords = "x"\nphases = ["rctp"]', '"rctp" in phases'),
        ('[[answer]]\ncause = "rate"\nword = "x"', "did you mean 'words'?"),
        ('[[answer]]\ncause = "rate"\nwords = "x"\nprovider = "googl"', "did you mean 'google'?"),
        ("[provider.partner]", "what belongs to partner?"),
        ('[provider.partner]\nmxs = ["x.example"]', "did you mean 'mx'?"),
        ("[pace.wp]\nper_minute = 60\nat_most_per_minute = 30", "is more than at_most_per_minute"),
        (
            "[pace.default]\nat_most_per_minute = 30\n[pace.google]\nper_minute = 60",
            "[pace.google] per_minute = 60 is more than at_most_per_minute = 30",
        ),
    ],
)
def test_a_mistake_about_pace_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text + "\n")
    assert says in str(caught.value)
    assert str(caught.value).startswith("potok.toml:")


def test_the_example_holds_every_setting_there_is(tmp_path: Path) -> None:
    """So the tests above, and the documentation's, know a new setting the day it comes."""
    import tomllib

    def keys(section: Section) -> set[str]:
        found = set()
        for key, value in section.data.items():
            if isinstance(value, dict):
                found |= keys(section.table(key))
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                found |= {one for row in section.array(key) for one in keys(row)}
            else:
                found.add(".".join((*section.pattern, key)))
        return found

    given = keys(Section(Source("potok.toml", {}), tomllib.loads(EVERYTHING)))
    assert given == {setting.path for setting in SETTINGS} - {
        f"identity.*.{where}.{what}"
        for where, what in (
            ("smtp", "password_file"),  # stands in mailbox.imap, with the same reader
            ("mailbox.imap", "password_env"),
        )
    }


SMTP = '[identity.a]\nfrom = "a@b.pl"\n[identity.a.smtp]\nhost = "h.pl"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('databse = "x"', "potok.toml:1: unknown setting 'databse'; did you mean 'database'?"),
        ("\n[delivry]\nx = 1", "potok.toml:2: unknown setting 'delivry'; did you mean 'delivery'?"),
        (
            SMTP + '[identity.a.limits]\nwarm_up = "slow"',
            'potok.toml:6: [identity.a.limits] warm_up = "slow": write "mailbox" or "domain" or '
            '"domain-fast"',
        ),
        (
            SMTP + '[identity.a.limits]\nwarm_up = "domain"\nwarm_up_steps = [5]',
            "potok.toml:6: [identity.a.limits] give warm_up or warm_up_steps, not both",
        ),
        (
            SMTP + "[identity.a.limits]\nwarm_up_steps = [50, 5]",
            "potok.toml:6: [identity.a.limits] warm_up_steps go up: write the smallest number of a "
            "day first",
        ),
        (
            SMTP + "[identity.a.limits]\nwarm_up_steps = [5, true]",
            "potok.toml:6: [identity.a.limits] warm_up_steps = [5, True]: write a list of whole "
            "numbers, [5, 10, 20]",
        ),
        (
            SMTP + "[identity.a.limits]\nspread = true",
            "potok.toml:6: [identity.a.limits] spread needs a number to spread: write per_day as "
            "well",
        ),
        (
            SMTP + "prot = 25",
            "potok.toml:5: [identity.a.smtp] unknown setting 'prot'; did you mean 'port'?",
        ),
        (
            SMTP + 'port = "25"',
            'potok.toml:5: [identity.a.smtp] port = "25": write a whole number from 1 to 65,535',
        ),
        (SMTP + "port = 0", "from 1 to 65,535"),
        (SMTP + "port = true", "write a whole number"),
        (SMTP + 'tls = "ssl"', 'tls = "ssl": write "none" or "starttls" or "implicit"'),
        (SMTP + 'tls = "none"', "if it must be, add allow_plain_text = true"),
        (SMTP + 'password = "x"', "no password stands in this file"),
        (SMTP + 'user = "x"', 'needs a password: write password_env = "NAME"'),
        (SMTP + 'password_env = "X"', 'a password needs a login: write user = "..."'),
        ('[identity.a]\n[identity.a.smtp]\nhost = "h"', "[identity.a] from is missing"),
        ('[identity.a]\nfrom = "a@b.pl"', "either [identity.a.smtp]"),
        ('[identity.a]\nfrom = "a b"', 'from = "a b" is no mail address'),
        ('[identity.a]\nfrom = "a@b.pl\\nBcc: x@y.pl"', "is no mail address"),
        ('[identity."Anna N"]\nfrom = "a@b.pl"', "cannot be a name"),
        ('identity = "a"', "identity is a table: write [identity]"),
        ("web = 3", "web is a table"),
        ("[pipeline.sales]\nstages = []", "needs at least one stage"),
        ('[pipeline.sales]\nstages = ["a", "a"]', 'the stage "a" stands here twice'),
        ('[pipeline.sales]\nstages = ["a", 3]', "a list of texts in quotes"),
        ("[pipeline.sales]\n", "write stages ="),
        ("[[pipeline.sales.stage]]\nwon = true", "name is missing"),
        ("[pipeline.sales]\nstage = [1]", "stage is written as [[...]] tables"),
        ('time_zone = "Warsaw"', 'there is no time zone "Warsaw"; did you mean "Europe/Warsaw"?'),
        ('time_zone = "../etc/passwd"', "there is no time zone"),
        ('database = "mysql://x"', 'write "sqlite:///potok.db" or'),
        ('[web]\nbase_url = "mail.example.com"', 'write "https://mail.example.com"'),
        ("[delivery]\nfrequency = 3", "frequency is a table"),
        ("[delivery]\nfrequency = { messages = 3 }", "days is missing"),
        ("[pace.googel]\nper_minute = 1", "did you mean 'google'?"),
        ("[pace.default]\nper_minute = 0", "per_minute = 0: write a number from 0.01"),
        ("[pace.default]\nper_minute = nan", "per_minute = nan: write a number from 0.01"),
        ('[templates]\nspamd = "localhost"', 'spamd = "localhost": write "127.0.0.1:783"'),
        (
            '[templates]\nlink_domains = ["https://acme.pl/"]',
            '"https://acme.pl/" in link_domains is no domain: write "acme.pl"',
        ),
        ("[consent]\nrequired = 1", "required = 1: write true or false"),
        ('[consent]\nrequire = "triple"', 'write "none" or "single" or "double"'),
        (
            "[signup]\nopen = true",
            "open = true needs the address of the page: write [web] base_url",
        ),
        ('[signup]\nidentity = "ewa"', 'there is no identity "ewa"; there is: none yet'),
        ("[consent]\nrequired = true\n[consent]", "potok.toml:3: this stands in the file twice"),
        ("x = ", "potok.toml:1: this is no TOML"),
        ('a = "open', "potok.toml:1: this is no TOML"),
    ],
)
def test_a_mistake_is_one_line_with_place_and_remedy(
    text: str, sentence: str, tmp_path: Path
) -> None:
    found = mistake(tmp_path, text)
    assert sentence in found
    assert "\n" not in found
    assert found.startswith("potok.toml:")


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "potok.toml").write_bytes("a = 1\n# Krak\xf3w\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"potok\.toml:2: not in UTF-8"):
        read_settings(tmp_path)


def test_a_byte_order_mark_and_windows_lines_are_no_mistake(tmp_path: Path) -> None:
    text = '\ufefftime_zone = "Europe/Warsaw"\r\n[consent]\r\nrequired = true\r\n'
    (tmp_path / "potok.toml").write_bytes(text.encode())
    assert read_settings(tmp_path).consent_required


def test_an_empty_file_is_a_workspace_with_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert [stage.name for stage in settings.pipelines["sales"].stages] == ["new"]
    assert settings.delivery.when_in_doubt == "hold"
    # The daemon of this machine is asked when there is one, and never missed.
    assert settings.templates.spamd == ("127.0.0.1", 783)
    assert not settings.templates.spamd_named
    assert settings.templates.link_domains == ()


def test_spamd_can_be_switched_off(tmp_path: Path) -> None:
    assert read(tmp_path, '[templates]\nspamd = ""').templates.spamd is None


def test_a_missing_secret_is_asked_for_only_when_somebody_logs_in(tmp_path: Path) -> None:
    settings = read(tmp_path, SMTP + 'user = "x"\npassword_env = "NO_SUCH_VARIABLE"')
    assert settings.identities["a"].smtp.password == ""
    with pytest.raises(SecretMissing, match="export NO_SUCH_VARIABLE"):
        settings.sender("a")
    assert settings.reader("a").name == "a"
    with pytest.raises(Refused, match="there is: a"):
        settings.sender("b")


def test_a_secret_is_in_no_text_that_could_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_VARIABLE", "hunter2")
    settings = read(tmp_path, SMTP + 'user = "x"\npassword_env = "SECRET_VARIABLE"')
    assert settings.sender("a").smtp.password == "hunter2"
    assert "hunter2" not in repr(settings) + str(settings)
    with_login = read(tmp_path, 'database = "postgresql+psycopg://anna:hunter2@h/x"')
    assert "hunter2" not in repr(with_login)
    assert "hunter2" not in mistake(tmp_path, 'database = "mysql://anna:hunter2@h/x"')
    assert "hunter2" not in mistake(tmp_path, 'database = "postgresql://anna:hunter2@h:x/x"')


@given(st.text(max_size=300))
def test_whatever_the_file_holds_the_answer_is_a_value_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        (folder / "potok.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        read_settings(folder)
    except SettingsError as error:
        assert str(error).startswith("potok.toml:")


def test_an_empty_user_said_on_purpose_means_no_login(tmp_path: Path) -> None:
    settings = read(tmp_path, SMTP + 'user = ""\npassword_env = "NOT_SET_ANYWHERE"')
    assert settings.secrets_missing == {}
    assert settings.sender("a").smtp.user == ""
