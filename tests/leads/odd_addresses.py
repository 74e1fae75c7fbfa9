"""Odd addresses by the thousand: what people, programs and attackers write before and behind an @.

Local parts and domains are listed apart and put together each with each.
"""

from collections.abc import Iterator

LOCALS = (
    *("a", "A", "anna.nowak", "Anna.Nowak", "anna+news", "a-b_c", "0", "007", "-", "--", "_", "+"),
    *("!#$%&'*+-/=?^_`{|}~", "a.b.c.d.e.f", "{{name}}", "x" * 63, "x" * 64, "x" * 65, "x" * 200),
    # Mailboxes that are the same in capitals (RFC 2142), and some that are nearly those.
    *("info", "INFO", "Sales", "sAlEs", "POSTMASTER", "Hostmaster", "info.PL", "INFOS", "Admin"),
    # Dots in the wrong place, and what only looks like one.
    *("", ".", "..", ".a", "a.", "a..b", "a...b", "a．b", "a。b", "a․b"),
    # Quoted.
    *('"a"', '"a b"', '"a@b"', '"a\\"b"', '"a\\\\b"', '""', '"', 'a"b', '"a"b', '"a".b', '"."'),
    *('"żółw"', '" "', '"\t"', '"a\u00a0b"', '"a\u037eb"', '"' + "x" * 64 + '"', "'a'", "\\a"),
    # Comments, groups, routes, blanks and signs that need quotes.
    *(
        "a(comment)",
        "(c)a",
        "a b",
        " a",
        "a ",
        "a\tb",
        "a,b",
        "a;b",
        "a:b",
        "@x.pl:a",
        "a<b",
        "a>b",
    ),
    *("[a]", "a@b", "@", "a@@b", "mailto:a", "Anna Nowak <a", '"Anna Nowak" <a', "<a", "a\\@b"),
    # Letters beyond ASCII, composed and not, and of one look.
    *("żółw", "ŻÓŁW", "z\u0307o\u0301łw", "é", "e\u0301", "\u0301e", "ﬁ", "ß", "ẞ", "ı", "İ", "ſ"),
    *(
        "δοκιμή",
        "аnna",
        "用户",
        "ユーザー",
        "수신",
        "אבג",
        "ابجد",
        "aא",
        "1א",
        "नमस्ते",
        "ก็",
        "ö" * 32,
    ),
    *("ö" * 33, "用" * 21, "用" * 22, "𝓪𝓷𝓷𝓪", "ａｎｎａ", "²", "½", "Ⅷ", "K", "Å"),
    # Emoji, joiners, marks, and what nobody sees.
    *(
        "😀",
        "👩‍💻",
        "🇵🇱",
        "❤️",
        "a\u200db",
        "a\u200bb",
        "a\u00adb",
        "a\u2060b",
        "\ufeffa",
        "a\ufeff",
    ),
    *(
        "a\u202eb",
        "a\u200fb",
        "a\u061cb",
        "a\u2028b",
        "a\u2029b",
        "a\u00a0b",
        "a\u3000b",
        "a\u0085b",
    ),
    # Control characters, unassigned, private and half characters.
    *("a\x00b", "a\x01b", "a\x1fb", "a\x7fb", "a\x80b", "a\rb", "a\nb", "a\r\nb", "\n"),
    *("a\ue000b", "a\U000e0001b", "a\ufffeb", "a\ud800b", "\udcffa", "a\u0378b", "a\ufffdb"),
    # A sign whose combination with the next one is another sign.
    *("a<\u0338b", '"\u0338a"', "a\u0338", "a=\u0338b", "=?utf-8?q?a?=", "%61", "&#97;", "a%40b"),
)

_63 = "b" * 63

DOMAINS = (
    *("x.pl", "X.PL", "Example.COM", "example", "example.com", "a.b.c.d.e.f.g.pl", "x.co.uk"),
    *("mail-server.x.pl", "0.pl", "007.com", "1x.pl", "x1.pl", "123.456", "1.2.3.4", "x.123"),
    *("x.1pl", "x.pl1", "x.p1l", "x.c", "x.C", "c", "c.c", "x.p-l", "x.-pl", "x.pl-", "x.中国"),
    # Dots and hyphens in the wrong place.
    *("", ".", "..", ".x.pl", "x.pl.", "x.pl..", "x..pl", "-x.pl", "x-.pl", "a.-b.pl", "a-.b.pl"),
    *(
        "a--b.pl",
        "ab--c.pl",
        "AB--c.pl",
        "a-b--c.pl",
        "abc--d.pl",
        "xn-a.pl",
        "x_y.pl",
        "_dmarc.x.pl",
    ),
    *("-", "x-", "-.pl", "x.-", "ab--.pl", "a.b--c.pl", "a---b.pl", "12--a.pl"),
    # Lengths at every limit.
    *(f"{_63}.pl", f"{_63}b.pl", f"x.{_63}", f"x.{_63}b", f"{_63}.{_63}.{_63}.{'b' * 59}.x"),
    *(f"{_63}.{_63}.{_63}.{'b' * n}" for n in (53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64)),
    *(f"{_63}.{_63}.{'b' * 58}.pl", ".".join(["a"] * 126), ".".join(["a"] * 127), "b" * 300),
    *(f"{_63}.{_63}.{'b' * n}.pl" for n in (56, 57, 58, 59, 60)),
    # Names that are kept from mail, their neighbours, and the one kept for tests.
    *("localhost", "localhost.localdomain", "x.localhost", "x.local", "x.LOCAL", "local", "x.test"),
    *("test", "TEST", "x.TEST", "x.invalid", "invalid", "x.onion", "x.arpa", "1.in-addr.arpa"),
    *("x.example", "example.org", "x.internal", "x.lan", "x.home.arpa", "x.locale", "mylocal.pl"),
    *("local.pl", "test.pl", "x.testing", "notlocal", "x.notlocal", "x.latest", "onion.x"),
    # Literals.
    *("[127.0.0.1]", "[1.2.3]", "[IPv6:::1]", "[IPv6:zz]", "[]", "[", "]", "[x.pl]", "127.0.0.1"),
    # Letters beyond ASCII: composed and not, mapped, forbidden, with two spellings.
    *(
        "żółw.pl",
        "ŻÓŁW.PL",
        "z\u0307o\u0301łw.pl",
        "faß.de",
        "FASS.de",
        "ẞ.de",
        "ﬁ.pl",
        "bücher.example",
    ),
    *(
        "ελλάδα.gr",
        "ςσ.gr",
        "россия.рф",
        "аpple.com",
        "例え.テスト",
        "中国.中国",
        "한국.kr",
        "ไทย.th",
    ),
    *(
        "אבג.com",
        "1.אב.com",
        "אב.1.com",
        "א1.com",
        "1א.com",
        "aא.com",
        "ابجد.com",
        "٣.com",
        "a٣.com",
    ),
    *(
        "ａｎｎａ.pl",
        "anna．pl",
        "anna。pl",
        "anna｡pl",
        "a․pl",
        "⒈pl",
        "½.pl",
        "²x.pl",
        "Ⅷ.pl",
        "℡.pl",
    ),
    *(
        "K.pl",
        "Å.pl",
        "İ.pl",
        "ı.pl",
        "ſ.pl",
        "𝓪.pl",
        "à.pl",
        "a\u0300.pl",
        "\u0300.pl",
        "x\u0338.pl",
    ),
    *("ü" * 10 + ".pl", "ü" * 56 + ".pl", "ü" * 60 + ".pl", "中" * 20 + ".pl", "中" * 60 + ".pl"),
    *(".".join(["中" * n] * 5) + ".pl" for n in (5, 10, 14, 16, 18, 20)),
    *("😀.pl", "👩‍💻.pl", "❤.ws", "❤️.ws", "a‍b.pl", "क्‍ष.com", "नी‌कम.com", "·.pl", "l·l.cat"),
    *("a\u00adb.pl", "a\u200bb.pl", "a\u2060b.pl", "a\u202eb.pl", "a\u2028b.pl", "a\u00a0b.pl"),
    *(
        "a\ue000.pl",
        "a\ud800.pl",
        "a\u0378.pl",
        "\ufeffx.pl",
        "x.pl\ufeff",
        "a\ufffd.pl",
        "a\u3002",
    ),
    # Punycode, good and bad.
    *("xn--w-uga1v8h.pl", "xn--mller-kva.de", "XN--MLLER-KVA.DE", "Xn--Mller-Kva.de", "xn--.pl"),
    *("xn--a.pl", "xn--zzzzzz.pl", "xn--mller-kva", "x.xn--p1ai", "x.xn--fiqs8s", "x.XN--P1AI"),
    *(
        "xn--fa-hia.de",
        "xn--a-.pl",
        "xn---.pl",
        "xn--99zt52a.jp",
        "1.xn--4dbc.com",
        "xn--4dbc.1.com",
    ),
    *("xn--ls8h.la", "xn--0.pl", "xn--abc.xn--def", "xn--e28h.pl", "xn--" + "a" * 59 + ".pl"),
    *("ab.xn--mller-kva.de", "xn--xn--a-.pl", "xn--80ak6aa92e.com", "xn--53h.com", "x.xn--local"),
    # Blanks, signs, remains of other things.
    *(
        "x .pl",
        " x.pl",
        "x.pl ",
        "x.pl\t",
        "x.pl\n",
        "x.pl\x00",
        "x.pl>",
        "<x.pl",
        "x.pl;",
        "x.pl,",
    ),
    *("x.pl, b@y.pl", "x.pl; b@y.pl", "x.pl b@y.pl", "x.pl?subject=a", "x.pl/a", "x.pl:25", "x,pl"),
    *("x.pl(c)", "(c)x.pl", "x!.pl", "x'.pl", '"x".pl', "x@y.pl", "x%y.pl", "x\\y.pl", "x.p\u0131"),
    *("x.pl\x7f", "x\x80.pl", "x\u0085.pl", "x\r\n.pl", "x.pl\u200b", "x.pl\u2029", "\u0338x.pl"),
)

#: Not of the shape LOCAL@DOMAIN.
OTHERS = (
    *(
        "",
        " ",
        "@",
        "@@",
        "a",
        "anna.nowak",
        "x.pl",
        "a＠x.pl",
        "a at x.pl",
        "a(at)x.pl",
        "a&#64;x.pl",
    ),
    *("Anna Nowak <a@x.pl>", "<a@x.pl>", "Anna <a@x.pl", "a@x.pl>", '"Nowak, Anna" <a@x.pl>'),
    *(
        "Anna a@x.pl",
        "a@x.pl (Anna)",
        "mailto:a@x.pl",
        "MAILTO:A@X.PL?subject=x",
        "<mailto:a@x.pl>",
    ),
    *(
        "a@x.pl,b@x.pl",
        "a@x.pl;b@x.pl",
        "a@x.pl b@x.pl",
        "a@x.pl/b@x.pl",
        "a@b@x.pl",
        "a@x.pl@y.pl",
    ),
    *(
        "\ufeffa@x.pl",
        "a@x.pl\u200b",
        "\u00a0a@x.pl\u00a0",
        "\u3000a@x.pl",
        "a@x.pl\x1f",
        "\x1ca@x.pl",
    ),
    *(
        "a@\u0338x.pl",
        "a\u0338@x.pl",
        "a@\u0301.pl",
        "a@x.pl\u0301",
        "a@\u200dx.pl",
        "undisclosed:;",
    ),
    *(
        "a" * 10_000,
        "@" * 100,
        "a@" + "x." * 5000,
        "a." * 500 + "@x.pl",
        "x" * 300 + "@x.pl",
        "a@\ud83d",
    ),
)


def odd_addresses(*, each: int = 1) -> Iterator[str]:
    """Every local part at every domain (or every `each`-th, in turn), and the rest."""
    for first, local in enumerate(LOCALS):
        for domain in DOMAINS[first % each :: each]:
            yield f"{local}@{domain}"
    yield from OTHERS


def long_addresses() -> Iterator[str]:
    """Around the limits of 64, 63, 253 and 254 octets, typed in letters of one to four octets."""
    for letter in ("b", "ü", "中", "𝓪", "xn--"):
        for local in (1, 2, 30, 32, 62, 63, 64, 65):
            for size in range(1, 66, 5):
                for labels in (1, 2, 3, 4, 5):
                    yield f"{'a' * local}@{'.'.join([letter * size] * labels)}.pl"
    for local in range(1, 66, 3):
        for rest in range(180, 256):
            labels = [_63, _63, _63[: max(rest - 128 - 3, 1)]]
            domain = ".".join(labels)[: rest - 3].rstrip(".") + ".pl"
            yield f"{'a' * local}@{domain}"
