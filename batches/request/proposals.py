"""Proposes targets for the headers of an input, by their names and by their values.

Only previews propose. A batch never uses a proposal unless the client sends it as its mapping.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from batches.request.name_likeness import Words, likeness
from batches.request.value_evidence import Expected, Fit, Values
from batches.targets import Target, Targets

# Headers that get a proposal; the cost is the product of headers and targets.
MAX_HEADERS = 500
MIN_SCORE = 0.6
MAX_ALTERNATIVES = 3
# From this likeness of names on, values that do not fit count less: they may be mistakes.
_SURE = 0.9
# The difference of scores up to which one target is nearly as good as another.
_RIVAL = 0.03


@dataclass(frozen=True)
class Candidate:
    """A target that a header may mean: its name, a score from 0 to 1, and the reason."""

    target: str
    score: float
    reason: str


@dataclass(frozen=True)
class Proposal:
    """The best target of a header, and others that are nearly as good.

    position: of the header in the input, from 0.
    """

    position: int
    best: Candidate
    alternatives: tuple[Candidate, ...]

    @property
    def rivals(self) -> tuple[Candidate, ...]:
        """The alternatives that are nearly as good as the best target."""
        least = self.best.score - _RIVAL
        return tuple(each for each in self.alternatives if each.score >= least)


def propose(
    headers: Mapping[int, str],
    values: Mapping[int, Sequence[str | None]],
    targets: Targets,
    taken: Collection[str],
) -> list[Proposal]:
    """Return at most one proposal for each header and each column of the resource, by position.

    headers: by position in the input; those without a target yet.
    values: the first values of each header.
    taken: the columns and relations that other headers set already.
    """
    resource = Words.of(targets.resource.name)
    possible = list(_possible_targets(targets, taken))
    described = [(each, Words.of(each.name)) for each in possible]
    expected = [Expected(targets, each, words.meaning.split()) for each, words in described]
    candidates: list[tuple[int, Candidate, str]] = []
    for position, header in list(headers.items())[:MAX_HEADERS]:
        words, found = Words.of(header), Values(values.get(position, ()))
        for (target, name), each in zip(described, expected, strict=True):
            candidate = _candidate(target, words, name, resource, each.fit(found))
            if candidate.score >= MIN_SCORE:
                candidates.append((position, candidate, target.sets))
    return sorted(_one_to_one(candidates), key=lambda proposal: proposal.position)


def _possible_targets(targets: Targets, taken: Collection[str]) -> Iterator[Target]:
    names = list(targets.names)
    for relation in targets.relations.values():
        names += [f"{relation.name}.{field}" for field in targets.identifying_fields(relation)]
    for name in names:
        if (target := targets.find(name)) and target.sets not in taken:
            yield target


def _candidate(target: Target, header: Words, name: Words, resource: Words, fit: Fit) -> Candidate:
    """Combine the likeness of the names with the fit of the values."""
    alike = likeness(header, name, resource)
    score, reason = alike.score, alike.reason
    if fit.share is not None:
        penalty = 0.3 if score >= _SURE else 0.6
        score *= 1 - penalty * (1 - fit.share)
        if fit.share and fit.reason and score:
            reason = f"{reason}, and {fit.reason}"
    if fit.suggests > score:
        # A name that is at least similar decides between targets that accept the same values.
        score, reason = fit.suggests + 0.05 * alike.score, fit.reason
    return Candidate(target.name, round(score, 2), reason)


def _one_to_one(candidates: Sequence[tuple[int, Candidate, str]]) -> Iterator[Proposal]:
    """Yield the best candidates first; each header and each set column occurs once."""
    ordered = sorted(candidates, key=lambda each: (-each[1].score, each[0]))
    of_header: dict[int, list[Candidate]] = {}
    for position, candidate, _ in ordered:
        of_header.setdefault(position, []).append(candidate)
    done: set[int] = set()
    used: set[str] = set()
    for position, candidate, sets in ordered:
        if position not in done and sets not in used:
            done.add(position)
            used.add(sets)
            others = [each for each in of_header[position] if each is not candidate]
            yield Proposal(position, candidate, tuple(others[:MAX_ALTERNATIVES]))
