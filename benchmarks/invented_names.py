"""Names, companies and titles for invented leads: all made up, with reserved domains."""

#: First names and surnames by country: women, men, surnames of women, surnames of men.
#: Polish, Czech adjectival surnames agree with the person: Kowalska, Kowalski.
PEOPLE: dict[str, tuple[str, str, str, str]] = {
    "PL": (
        "Agnieszka Aleksandra Alicja Anna Barbara Beata Bożena Dorota Elżbieta Ewa Gabriela "
        "Grażyna Halina Iwona Izabela Joanna Jolanta Julia Justyna Karolina Katarzyna "
        "Kinga Lidia Łucja "
        "Magdalena Małgorzata Maria Marta Monika Natalia Olga Patrycja Paulina Renata Sylwia "
        "Teresa Urszula Weronika Wioletta Zofia Żaneta",
        "Adam Aleksander Andrzej Arkadiusz Bartłomiej Bartosz Bogdan Dariusz Dawid Filip Grzegorz "
        "Henryk Jacek Jakub Jan Jarosław Jerzy Józef Kacper Kamil Karol Krzysztof Łukasz Maciej "
        "Marcin Marek Mariusz Mateusz Michał Mikołaj Paweł Piotr Przemysław Rafał Robert Sebastian "
        "Sławomir Stanisław Szymon Tadeusz Tomasz Wiesław Witold Wojciech Zbigniew",
        "Kowalska Wiśniewska Wójcik Kamińska Lewandowska Zielińska Szymańska Woźniak Dąbrowska "
        "Kozłowska Jankowska Mazur Kwiatkowska Krawczyk Piotrowska Grabowska Pawłowska Michalska "
        "Król Wieczorek Jabłońska Wróbel Nowakowska Majewska Olszewska Stępień Malinowska Jaworska "
        "Adamczyk Dudek Nowicka Pawlak Górska Witkowska Walczak Sikora Rutkowska Baran Michalak "
        "Szewczyk Ostrowska Tomaszewska Pietrzak Zalewska Wróblewska Marciniak Jasińska Sadowska "
        "Bąk Zawadzka Duda Włodarczyk Chmielewska Borkowska Sokołowska Szczepańska Kubiak "
        "Kucharska",
        "Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski "
        "Kozłowski Jankowski Mazur Kwiatkowski Krawczyk Piotrowski Grabowski Pawłowski Michalski "
        "Król Wieczorek Jabłoński Wróbel Nowakowski Majewski Olszewski Stępień Malinowski Jaworski "
        "Adamczyk Dudek Nowicki Pawlak Górski Witkowski Walczak Sikora Rutkowski Baran Michalak "
        "Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski Marciniak Jasiński Sadowski "
        "Bąk Zawadzki Duda Włodarczyk Chmielewski Borkowski Sokołowski Szczepański Kubiak "
        "Kucharski",
    ),
    "GB": (
        "Abigail Amelia Charlotte Chloë Eleanor Emily Emma Esmé Freya Georgia Grace Hannah Harriet "
        "Imogen Isla Lucy Matilda Olivia Phoebe Poppy Rosalind Sophie Zoë",
        "Alfie Archie Benjamin Callum Charles Daniel Edward Elliot Finlay Frederick George Harry "
        "Henry Isaac Jack James Joseph Noah Oliver Oscar Samuel Thomas William",
        *(
            [
                "Ashworth Barker Bennett Blackwood Brontë Carter Chapman Clarke Cooper Davies "
                "Ellison Fairfax Fletcher Greenwood Hargreaves Harrison Hughes Lockwood Marsh "
                "Mitchell Morgan Palmer Patel Pemberton Radcliffe Shaw Singh Sinclair Thornton "
                "Turner Wainwright Whitfield Wright"
            ]
            * 2
        ),
    ),
    "IE": (
        "Aoife Caoimhe Ciara Clodagh Gráinne Niamh Orla Róisín Saoirse Sinéad Síofra Úna",
        "Cian Cillian Conor Darragh Eoin Fionn Oisín Pádraig Rónán Ruairí Seán Tadhg",
        *(
            [
                "Brennan Byrne Doyle Fitzgerald Gallagher Kavanagh Kelly McCarthy Murphy Nolan "
                "O’Brien O’Connor O’Sullivan Quinn Walsh"
            ]
            * 2
        ),
    ),
    "US": (
        "Ashley Brooke Chelsea Danielle Heather Jennifer Lauren Megan Nicole Rachel Renée Samantha",
        "Andrew Brandon Christopher Ethan Jason Jordan José Kevin Matthew Nathan Ryan Tyler",
        *(
            [
                "Anderson Brooks Castillo Coleman Foster García Hayes Jenkins Martínez Nguyen "
                "Peterson Ramirez Reed Simmons Sullivan Wallace"
            ]
            * 2
        ),
    ),
    "DE": (
        "Annika Friederike Jana Käthe Kerstin Lena Sabine Silke",
        "Bernd Florian Jörg Jürgen Lukas Matthias Stefan Uwe",
        *(["Bäcker Fischer Groß Hoffmann Köhler Krüger Löwe Müller Schäfer Voß Weiß"] * 2),
    ),
    "CZ": (
        "Alžběta Barbora Kateřina Lenka Markéta Tereza Zdeňka",
        "Jiří Luboš Matěj Ondřej Tomáš Václav Zdeněk",
        "Černá Dvořáková Horáková Nováková Procházková Svobodová Veselá",
        "Černý Dvořák Horák Novák Procházka Svoboda Veselý",
    ),
}

#: Share of the leads, what they read, where they live.
COUNTRIES: dict[str, tuple[int, str, str]] = {
    "PL": (58, "pl", "Europe/Warsaw"),
    "GB": (20, "en", "Europe/London"),
    "US": (8, "en", "America/New_York"),
    "IE": (5, "en", "Europe/Dublin"),
    "DE": (5, "de", "Europe/Berlin"),
    "CZ": (4, "cs", "Europe/Prague"),
}

#: Company, its domain, its industry.
COMPANIES: dict[str, list[tuple[str, str, str]]] = {
    "PL": [
        ("Młyn Danych", "mlyndanych.example", "software"),
        ("Piekarnie Złoty Kłos", "zlotyklos.example", "food"),
        ("Tartak Wschód", "tartakwschod.example", "manufacturing"),
        ("Hurtownia Śrubka", "hurtowniasrubka.example", "wholesale"),
        ("Przychodnia Cztery Pory", "czterypory.example", "healthcare"),
        ("Meble Dąbek", "mebledabek.example", "manufacturing"),
        ("Transport Łoś", "transportlos.example", "logistics"),
        ("Szkoła Językowa Echo", "szkolaecho.example", "education"),
        ("Drukarnia Pod Arkadami", "podarkadami.example", "printing"),
        ("Zielony Próg Architekci", "zielonyprog.example", "architecture"),
        ("Kancelaria Rosa i Wspólnicy", "kancelariarosa.example", "legal"),
        ("Browar Trzy Mosty", "trzymosty.example", "food"),
        ("Ogrody Żurawie", "ogrodyzurawie.example", "services"),
        ("Studio Kreska", "studiokreska.example", "marketing"),
        ("Elektro-Świt", "elektroswit.example", "energy"),
        ("Hotel Nad Stawem", "nadstawem.example", "hospitality"),
        ("Apteki Rumianek", "rumianek.example", "healthcare"),
        ("Logis Bałtyk", "logisbaltyk.example", "logistics"),
        ("Rower Stal", "rowerstal.example", "retail"),
        ("Palarnia Ćma", "palarniacma.example", "food"),
        ("Budowa Plus Gęś", "budowages.test", "construction"),
        ("Księgowi z Sadyby", "ksiegowizsadyby.example", "accounting"),
        ("Okna Jaśmin", "oknajasmin.test", "construction"),
        ("Fabryka Sukna", "fabrykasukna.example", "manufacturing"),
    ],
    "GB": [
        ("Harbour & Finch", "harbourfinch.example", "legal"),
        ("Copper Kettle Tea", "copperkettle.example", "food"),
        ("Northgate Joinery", "northgatejoinery.example", "manufacturing"),
        ("Brightwell Clinics", "brightwell.example", "healthcare"),
        ("Moorland Freight", "moorlandfreight.example", "logistics"),
        ("Paper Lantern Studio", "paperlantern.example", "marketing"),
        ("Quayside Analytics", "quayside.test", "software"),
        ("Larch & Linden Homes", "larchlinden.example", "construction"),
        ("The Ledger Room", "ledgerroom.example", "accounting"),
        ("Foxglove Schools Trust", "foxglove.test", "education"),
    ],
    "IE": [
        ("Blackthorn Brewing", "blackthorn.example", "food"),
        ("Currach Software", "currach.example", "software"),
        ("Clare Coast Hotels", "clarecoast.example", "hospitality"),
    ],
    "US": [
        ("Juniper Ridge Supply", "juniperridge.example", "wholesale"),
        ("Blue Mesa Solar", "bluemesa.example", "energy"),
        ("Harvest Table Foods", "harvesttable.example", "food"),
        ("Two Rivers Dental", "tworivers.test", "healthcare"),
    ],
    "DE": [
        ("Lindenhof Werkzeuge", "lindenhof.example", "manufacturing"),
        ("Nordlicht Verlag", "nordlicht.example", "printing"),
        ("Grünwald Energie", "gruenwald.test", "energy"),
    ],
    "CZ": [
        ("Sklárna Jizera", "jizera.example", "manufacturing"),
        ("Modrá Lípa", "modralipa.example", "hospitality"),
    ],
}

#: Free mail providers of the invented world, and their share among the countries that use them.
PROVIDERS: dict[str, list[tuple[str, int]]] = {
    "PL": [
        ("poczta.example", 46),
        ("szybka-poczta.example", 26),
        ("wolna.example", 13),
        ("szara-lista.example", 15),
    ],
    "": [
        ("poczta.example", 30),
        ("szybka-poczta.example", 40),
        ("wolna.example", 14),
        ("szara-lista.example", 16),
    ],
}

#: Title of a woman, title of a man.
TITLES: dict[str, list[tuple[str, str]]] = {
    "PL": [
        ("Kierowniczka sprzedaży", "Kierownik sprzedaży"),
        ("Dyrektorka operacyjna", "Dyrektor operacyjny"),
        ("Specjalistka ds. marketingu", "Specjalista ds. marketingu"),
        ("Właścicielka", "Właściciel"),
        ("Prezeska zarządu", "Prezes zarządu"),
        ("Główna księgowa", "Główny księgowy"),
        ("Kierowniczka zakupów", "Kierownik zakupów"),
        ("Koordynatorka projektów", "Koordynator projektów"),
        ("Analityczka danych", "Analityk danych"),
        ("Kierowniczka biura", "Kierownik biura"),
        ("Szefowa obsługi klienta", "Szef obsługi klienta"),
        ("Inżynierka procesu", "Inżynier procesu"),
    ],
    "": [
        (title, title)
        for title in (
            "Head of Sales",
            "Operations Director",
            "Marketing Manager",
            "Founder",
            "Managing Director",
            "Finance Lead",
            "Procurement Manager",
            "Project Coordinator",
            "Data Analyst",
            "Office Manager",
            "Customer Success Lead",
            "IT Manager",
        )
    ],
}

#: Where we met, and what gave us leave to write; Polish and English wording.
MEETINGS: dict[str, list[tuple[str, str]]] = {
    "PL": [
        ("Targi e-handlu, Poznań 2025", "wizytówka na targach"),
        ("Webinar: oferta w jeden dzień", "zapis na webinar"),
        ("Formularz kontaktowy", "formularz kontaktowy"),
        ("Newsletter", "zapis na newsletter"),
        ("Polecenie", "rozmowa telefoniczna"),
    ],
    "": [
        ("Retail Days London 2025", "business card at the fair"),
        ("Webinar: quotes in one day", "webinar registration"),
        ("Contact form", "contact form"),
        ("Newsletter", "newsletter sign-up"),
        ("Referral", "phone call"),
    ],
}
