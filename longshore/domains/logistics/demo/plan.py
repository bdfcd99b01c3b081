"""The plan of logistics demo data: numbers, ids and references of the records."""

import hashlib

from longshore.domains.demo import words
from longshore.domains.demo.chance import scatter
from longshore.domains.demo.clock import Moment, Name, moments, names, stamp
from longshore.domains.logistics.demo import pools

MIN_ROWS = 100

# Records per thousand rows; the rest are shipments.
_SHARES = {
    "loc": 5,
    "grp": 10,
    "ctct": 150,
    "item": 40,
    "ast": 30,
    "man": 10,
    "ful": 25,
    "track": 200,
    "inf_sl": 80,
}
# Documented requests filter by the id of this group.
_KNOWN_GROUP = {"acme": "grp_19asti9p9u8sBaiJVPxFUF"}

_DAY_MS = 86_400_000

# Carriers by frequency: the first three have three quarters of all parcels.
_CARRIERS = tuple(words.CARRIERS[i] for i in (0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5, 6))
_TRACKING_PREFIXES = dict(
    zip(words.CARRIERS, ("7", "1Z999AA1", "94001", "JJD", "70", "RM", "4"), strict=True)
)


class Plan:
    """The demo data of one organization, determined by its slug and the number of rows.

    counts: number of records by the prefix of their ids. Records are numbered from 0. All types
        cover the same period, so equal fractions of their counts are created at the same time.
    moments, names: functions from the number of a record to its creation time and id, by prefix.
    """

    def __init__(self, slug: str, organization: str, rows: int) -> None:
        self.slug = slug
        self.rows = rows
        self.organization = organization
        self.counts = {prefix: max(3, rows * share // 1000) for prefix, share in _SHARES.items()}
        self.counts["ship"] = rows - sum(self.counts.values())
        self.salt = int.from_bytes(hashlib.sha256(slug.encode()).digest()[:5], "big")
        self.moments: dict[str, Moment] = {}
        self.names: dict[str, Name] = {}
        for prefix, count in self.counts.items():
            self._name(prefix, count)
        self._name("lvl", 2 * self.counts["item"])
        self._name("art", 3 * (self.counts["ful"] + self.counts["man"]))
        if slug in _KNOWN_GROUP:
            self.names["grp"] = _except_first(self.names["grp"], _KNOWN_GROUP[slug])

    def _name(self, prefix: str, count: int) -> None:
        self.moments[prefix] = moments(count)
        self.names[prefix] = names(prefix, self.slug, self.moments[prefix])

    def common(self, number: int, time: int, bits: int, metadata: str | None = None) -> str:
        """Return the columns of `Record`.

        organization external_id metadata created_at updated_at updated_by
        """
        external = f"EXT-{number}" if bits & 7 == 0 else "" if bits & 63 == 9 else r"\N"
        changed = stamp(time + (bits >> 20) % (9 * _DAY_MS))
        metadata = metadata or pools.metadata()[bits >> 40 & 511]
        user = pools.users()[bits % 5]
        return f"{self.organization}\t{external}\t{metadata}\t{stamp(time)}\t{changed}\t{user}"

    def same_moment(self, number: int, source: str, target: str) -> int:
        """Return the number of the target record created at the same time as a source record."""
        return number * self.counts[target] // self.counts[source]

    def first_at(self, number: int, source: str, target: str) -> int:
        """Return the number of the first target record that belongs to a source record.

        `same_moment`, from target to source, maps it to this source record. There must be fewer
        source records.
        """
        return -(-number * self.counts[target] // self.counts[source])

    def carrier(self, parcel: int) -> str:
        """Return the carrier code of a parcel."""
        return _CARRIERS[scatter(parcel + self.salt) & 15]

    def tracking_number(self, parcel: int) -> str:
        """Return the tracking number of a parcel.

        Parcels with trackers have even numbers, other shipments odd ones.
        """
        digits = (parcel * 7_368_787 + self.salt) % 10**11
        return f"{_TRACKING_PREFIXES[self.carrier(parcel)]}{digits:011}"

    def contact(self, tracker: int) -> int:
        """Return the number of the recipient of a tracker.

        The contact is older than the tracker; older contacts receive more parcels.
        """
        bits = scatter(tracker ^ self.salt)
        known = self.same_moment(tracker, "track", "ctct") + 1
        return (bits & 0xFFFF) * (bits >> 16 & 0xFFFF) * known >> 32

    def person(self, contact: int) -> pools.Person:
        """Return the personal data of a contact."""
        return pools.people()[contact * 40_503 & 1023]

    def party(self, contact: int, contact_id: str) -> str:
        """Return the JSON object of a contact on a label. contact_id: a JSON value."""
        start, end = self.person(contact).party
        return f'{{"contact_id": {contact_id}, {start}{contact}{end}'


def _except_first(name: Name, first: str) -> Name:
    return lambda number: name(number) if number else first
