"""What columns are called by people and by other programs (HubSpot, Mailchimp, Mautic, Outlook)."""

import unicodedata

#: target -> headings, the most telling first. In lower case, signs as blanks (`plain`).
HEADINGS: dict[str, str] = {
    "email": (
        "email|e mail|email address|e mail address|mail|work email|business email|primary email|"
        "contact email|adres email|adres e mail|adres mailowy|e mail adresse|emailadresse|"
        "mailadresse|email 1 value|internet address"
    ),
    "name": (
        "name|full name|contact name|lead name|display name|imię i nazwisko|imie i nazwisko|"
        "nazwisko i imię|nazwisko i imie|vollständiger name|vor und nachname|"
        "ansprechpartner|kontakt"
    ),
    "first_name": (
        "first name|firstname|given name|forename|fname|imię|imie|vorname|contact first name"
    ),
    "last_name": (
        "last name|lastname|surname|family name|lname|nazwisko|nachname|familienname|"
        "contact last name"
    ),
    "company": (
        "company|company name|organization|organisation|organization name|account|account name|"
        "associated company|employer|firma|nazwa firmy|unternehmen|firmenname|organizacja"
    ),
    "job_title": (
        "job title|jobtitle|title|position|role|stanowisko|pozycja|position im unternehmen|beruf|"
        "funktion"
    ),
    "phone": (
        "phone|phone number|telephone|tel|mobile phone|mobile phone number|mobile|telefon|"
        "numer telefonu|komórka|telefonnummer|handy"
    ),
    "country": "country|country region|country code|cc|kraj|kod kraju|land|ländercode",
    "language": "language|preferred language|locale|lang|język|jezyk|sprache",
    "timezone": "timezone|time zone|strefa czasowa|zeitzone",
    "owner": (
        "owner|contact owner|lead owner|account owner|assigned to|opiekun|handlowiec|"
        "właściciel kontaktu|betreuer|verantwortlicher"
    ),
    "source": (
        "source|lead source|original source|original traffic source|źródło|zrodlo|"
        "źródło kontaktu|quelle|herkunft"
    ),
    "stage": ("stage|pipeline stage|etap|etap sprzedaży|phase|verkaufsphase"),
    "pipeline": "pipeline|lejek",
    # What people say when asked, under the names rules know: prefers.topic, prefers.budget.
    "prefers.topic": (
        "topic|topics|interest|interests|temat|tematy|zainteresowania|thema|themen|interessen"
    ),
    "prefers.budget": "budget|budżet|budzet",
    "prefers.frequency": "frequency|mail frequency|częstotliwość|häufigkeit",
    "tags": "tags|tag|labels|tagi|etykiety|schlagwörter|schlagworte",
    "consent": "consent|marketing consent|gdpr consent|zgoda|zgoda marketingowa|einwilligung",
    "consent_source": "consent source|źródło zgody|zrodlo zgody|einwilligungsquelle|optin source",
    "consent_date": (
        "consent date|consent given at|opt in date|optin date|optin time|confirm time|data zgody|"
        "einwilligungsdatum|datum der einwilligung"
    ),
    "consent_topic": "consent topic|temat zgody|einwilligungsthema",
    "opted_out": (
        "opted out|opt out|unsubscribed|unsubscribed from all email|email opt out|do not email|"
        "do not contact|dnc|unsub time|email unsubscribed|wypisany|wypisany z mailingu|abgemeldet|"
        "has opted out of email"
    ),
    # What `leads export` adds for readers, and what a file of rejected rows begins with.
    "-": "stage at|created at|updated at|score|left out|token|rejected line|rejected reason",
}


def plain(heading: str) -> str:
    """A heading to be looked up: lower case, every sign a blank, e-mail one word."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    words = " ".join("".join(c if c.isalnum() else " " for c in text).split())
    return f" {words} ".replace(" e mail ", " email ").strip()


#: plain heading -> (target, rank); a lower rank tells more.
KNOWN: dict[str, tuple[str, int]] = {
    plain(heading): (target, rank)
    for target, headings in HEADINGS.items()
    for rank, heading in enumerate(headings.split("|"))
}
