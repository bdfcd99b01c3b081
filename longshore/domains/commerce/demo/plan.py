"""The plan of commerce demo data: numbers and ids of the records, markets and prices."""

import hashlib
from dataclasses import dataclass
from functools import cache
from random import Random

from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, cell, document
from longshore.domains.demo.chance import address, pool, scatter
from longshore.domains.demo.clock import Moment, Name, moments, names, stamp

_DAY_MS = 86_400_000
_UNKNOWN = f"{NULL}\t{NULL}"
_ORIGINS = ("legacy", "erp")


@dataclass(frozen=True)
class Place:
    """A market with currency, tax and shipping prices.

    rate: price in cents for 100 cents of the catalog.
    """

    code: str
    name: str
    currency: str
    rate: int
    tax_percent: int
    tax_included: bool
    shipping: tuple[int, int, int]

    def fee(self, payment: int) -> int:
        """Return the payment fee in cents of the currency; only wire transfers have one."""
        return 150 * self.rate // 100 if payment == 2 else 0


PLACES = (
    Place("us", "United States", "USD", 100, 8, False, (0, 595, 1495)),
    Place("eu", "Europe", "EUR", 95, 19, True, (0, 490, 1290)),
    Place("uk", "United Kingdom", "GBP", 80, 20, True, (0, 399, 999)),
    Place("jp", "日本", "JPY", 150, 10, True, (0, 600, 1400)),
)
# The markets of eight customers, by frequency.
_SHARES = (0, 0, 0, 0, 1, 1, 2, 3)
METHODS = ("standard", "express", "overnight")
PAYMENTS = ("Credit card", "Wallet", "Wire transfer")
OPTIONS = ("Gift wrap", "Engraving", "Assembly")
LOCATIONS = 4
RULES = 6


@dataclass(frozen=True)
class Person:
    """The formatted cells of a person.

    names: first_name last_name. address: line_1 line_2 city zip_code state_code country_code phone
    email: the texts before and after the customer's number.
    """

    names: str
    phone: str
    address: str
    country: str
    email: tuple[str, str]


def _person(random: Random, place: int) -> Person:
    given, family, _ = random.choice(list(words.NAMES.values()))
    last = random.choice(family)
    if place % 16 == 5:
        last = words.AWKWARD_NAMES[place // 16 % len(words.AWKWARD_NAMES)]
    home, phone = address(random), f"+1{random.randint(200, 999)}555{random.randint(100, 199):04}"
    order = ("line1", "line2", "city", "postal_code", "state", "country")
    user = random.choice(("shop", "me", "o.neil", "müller", "family", "=1+1"))
    return Person(
        names=f"{cell(random.choice(given))}\t{cell(last)}",
        phone=phone,
        address="\t".join((*(cell(home[key]) for key in order), phone)),
        country=str(home["country"]),
        email=(f"{user}.", random.choice(("@example.com", "@example.org", "@mail.example.net"))),
    )


def _metadata(random: Random, place: int) -> str:
    if place % 4 > 1:
        return "{}"
    team = random.choice(words.DEPARTMENTS)
    return document({"campaign": f"winter {place % 9}", "gift": place % 3, "team": team})


@cache
def people() -> list[Person]:
    return pool("customers", 1024, _person)


@cache
def _documents() -> list[str]:
    return pool("shop metadata", 128, _metadata)


class Plan:
    """The demo shop of one organization, determined by its slug and the number of orders.

    counts: number of records by the prefix of their ids. Records are numbered from 0.
    moments, names: functions from the number of a record to its creation time and id, by prefix.
    """

    def __init__(self, slug: str, organization: str, orders: int) -> None:
        self.slug = slug
        self.orders = orders
        self.organization = organization
        self.salt = int.from_bytes(hashlib.sha256(slug.encode()).digest()[:5], "big")
        skus = min(20_000, 24 + orders // 20)
        lists = 3 + skus // 40
        self.counts = {
            "tag": len(words.TAGS),
            "mkt": len(PLACES),
            "plst": len(PLACES),
            "scat": 3,
            "sloc": LOCATIONS,
            "smth": len(PLACES) * len(METHODS),
            "pmth": len(PLACES) * len(PAYMENTS),
            "sopt": len(PLACES) * len(OPTIONS),
            "sku": skus,
            "tcat": skus,
            "prc": skus * len(PLACES),
            "tier": skus // 4 * len(PLACES) * 2,
            "sitm": skus * LOCATIONS,
            "strf": 3 + skus // 4,
            "slst": lists,
            "slit": lists * 5,
            "bun": lists,
            "promo": RULES,
            "prul": RULES,
            "cpn": RULES * (2 + orders // 200),
            "gift": 4 + orders // 40,
            "cus": 3 + orders * 3 // 5,
            "isub": 3 + orders // 30,
            "ord": orders,
        }
        self.counts["adr"] = LOCATIONS + 2 * self.counts["cus"]
        self.moments: dict[str, Moment] = {p: moments(max(1, n)) for p, n in self.counts.items()}
        self.names: dict[str, Name] = {
            prefix: names(prefix, slug, moment) for prefix, moment in self.moments.items()
        }

    def common(self, number: int, time: int, bits: int, changed: int | None = None) -> str:
        """Return the columns of `Record`.

        organization_id reference reference_origin metadata created_at updated_at
        """
        # By number, not at random: some types have few records.
        mixed = number ^ number >> 3 ^ number >> 7
        origin = mixed & 7
        reference = f"EXT-{number}\t{_ORIGINS[origin]}" if origin < 2 else _UNKNOWN
        updated = stamp(changed or time + (bits >> 20) % (9 * _DAY_MS))
        metadata = _documents()[mixed & 127]
        return f"{self.organization}\t{reference}\t{metadata}\t{stamp(time)}\t{updated}"

    def place(self, customer: int) -> int:
        """Return the number of a customer's market."""
        return _SHARES[scatter(customer + self.salt) & 7]

    def customer(self, order: int) -> int:
        """Return the number of the customer of an order.

        The customer is older than the order; older customers have more orders.
        """
        bits = scatter(order ^ self.salt)
        known = order * self.counts["cus"] // self.counts["ord"] + 1
        return (bits & 0xFFFF) * (bits >> 16 & 0xFFFF) * known >> 32

    def person(self, customer: int) -> Person:
        """Return the personal data of a customer."""
        return people()[customer * 40_503 & 1023]

    def email(self, customer: int) -> str:
        """Return the e-mail address of a customer."""
        start, end = self.person(customer).email
        return f"{start}{customer}{end}"

    def address(self, customer: int, which: int = 0) -> str:
        """Return the id of one of the two addresses of a customer. which: 0 or 1."""
        return self.names["adr"](LOCATIONS + 2 * customer + which)

    def price(self, sku: int, place: int) -> int:
        """Return the price in minor units of the market's currency."""
        return (scatter(sku ^ self.salt) % 18_000 // 50 * 50 + 495) * PLACES[place].rate // 100
