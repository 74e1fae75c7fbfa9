"""The template that is measured: a newsletter of sections, as long as one likes."""

_SECTION = """
  <tr><td class="card"><h2>{title} for {{{{ lead.company }}}}</h2>
    <p>Teams in {{{{ lead.country }}}} told us that {text} Since every one of them works with its
    own tools, we looked for what they have in common, and found five things worth a minute of your
    time. You can read about them below, or simply answer this mail and tell us what you need.</p>
    <table class="rows"><tr><th>What</th><th>Before</th><th>After</th></tr>
    {{% for word in lead.tags %}}<tr><td>{{{{ word }}}}</td><td>4 days</td><td>1 day</td></tr>
    {{% endfor %}}</table>
    {{% if lead.stage == "demo" %}}<p class="note">Your demo is still open.</p>{{% else %}}
    <p class="note">Shall we show you?</p>{{% endif %}}
    <p><a class="button" href="https://example.com/{title}?c={{{{ lead.country }}}}">Read on</a></p>
  </td></tr>"""
_PLAIN_SECTION = """
  <tr><td class="card"><h2>{title}</h2>
    <p>Teams everywhere told us that {text} Since every one of them works with its
    own tools, we looked for what they have in common, and found five things worth a minute of your
    time. You can read about them below, or simply answer this mail and tell us what you need.</p>
    <table class="rows"><tr><th>What</th><th>Before</th><th>After</th></tr>
    <tr><td>Planning a week</td><td>4 days</td><td>1 day</td></tr>
    <tr><td>Writing it down</td><td>3 days</td><td>an hour</td></tr></table>
    <p class="note">Shall we show you?</p>
    <p><a class="button" href="https://example.com/{title}">Read on</a></p>
  </td></tr>"""
_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>News</title><style>
.card {{ padding: 16px 24px; background: #ffffff; border: 1px solid #d8dee4; }}
h2 {{ font-size: 18px; margin: 0 0 8px; color: #1f2328; }}
p {{ font-size: 15px; line-height: 22px; color: #1f2328; }}
.rows td, .rows th {{ padding: 4px 8px; border-bottom: 1px solid #d8dee4; text-align: left; }}
.note {{ color: #59636e; }}
.button {{ background: #0b5cad; color: #ffffff; padding: 10px 16px; text-decoration: none; }}
@media (max-width: 480px) {{ .card {{ padding: 8px; }} }}
</style></head><body><table width="600">
  <tr><td><h1>Good morning, {{{{ lead.first_name }}}}</h1></td></tr>{sections}
  <tr><td><p><a href="{{{{ links.unsubscribe }}}}">Unsubscribe</a><br>
  {{{{ sender.postal_address }}}}</p></td></tr></table></body></html>"""


def newsletter(sections: int = 12, *, plain: int = 0) -> dict[str, str]:
    """The files of a template with so many sections that say something about the lead, and so many
    that are the same for everybody."""
    titles = ["Planning", "Routes", "Stock", "Invoices", "Returns", "Drivers", "Fuel"]
    made = "".join(
        (_SECTION if n < sections else _PLAIN_SECTION).format(
            title=titles[n % 7], text=f"part {n} of their week went into paper."
        )
        for n in range(sections + plain)
    )
    message = 'subject = "News for {{ lead.company }}"\npreheader = "Five things"\n'
    return {"message.toml": message, "body.html": _PAGE.format(sections=made)}
