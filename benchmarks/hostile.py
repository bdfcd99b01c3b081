"""Hostile request bodies of at most 1 MiB, built to consume memory or time.

`bodies(seed, count)` yields bytes. The same seed gives the same bodies.
"""

import json
import random
from collections.abc import Callable, Iterator

MAX_BYTES = 2**20
Maker = Callable[[random.Random, int], str]


def bodies(seed: int, count: int) -> Iterator[bytes]:
    """Yield `count` bodies of all kinds in turn, with random sizes."""
    source = random.Random(seed)  # noqa: S311  (not for secrets)
    for number in range(count):
        maker = MAKERS[number % len(MAKERS)]
        size = source.choice((1_000, 20_000, 60_000, 300_000, MAX_BYTES))
        # Truncation makes some of them malformed, as a client that disconnects does.
        yield maker(source, size).encode("utf-8", "surrogatepass")[:MAX_BYTES]


def _key(source: random.Random, size: int) -> str:
    return "".join(source.choices("abcdefghijklmnopqrstuvwxyz_.", k=8)) * max(1, size // 8)


def _filled(member: str, size: int) -> str:
    """Return `member` repeated with commas, about `size` characters long."""
    return ",".join([member] * max(1, size // (len(member) + 1)))


def _long_key_wide_list(source: random.Random, size: int) -> str:
    return json.dumps({_key(source, size // 2): [0] * (size // 6)})


def _long_keys_in_each_other(source: random.Random, size: int) -> str:
    levels = source.randint(2, 70)
    key = _key(source, size // levels - 10)
    return f'{{"{key}":' * levels + "1" + "}" * levels


def _deep_arrays(source: random.Random, size: int) -> str:
    depth = source.choice((60, 64, 65, size // 3))
    return '{"options":' + "[" * depth + "]" * depth + "}"


def _open_arrays(source: random.Random, size: int) -> str:
    return '{"options":' + "[" * size


def _wide(member: str) -> Maker:
    def make(source: random.Random, size: int) -> str:
        field = source.choice(("options", "filters", "resources", "events", "fields", "metadata"))
        return f'{{"resource":"shipment","{field}":[{_filled(member, size)}]}}'

    return make


def _many_keys(source: random.Random, size: int) -> str:
    field = source.choice(("options", "filters", "csv_field_options", "metadata", "headers"))
    members = ",".join(f'"{number:x}":{{}}' for number in range(max(1, size // 11)))
    return f'{{"resource":"shipment","{field}":{{{members}}}}}'


def _unknown_fields(source: random.Random, size: int) -> str:
    return json.dumps({f"f{number}": "x" * 50 for number in range(max(1, size // 70))})


def _the_same_key(source: random.Random, size: int) -> str:
    return f"{{{_filled(chr(34) + _key(source, 8) + chr(34) + ':0', size)}}}"


def _long_text(source: random.Random, size: int) -> str:
    text = source.choice(("x", "é", "😀", "%_", '"', "\\", ",", "\u0000", "\ud800"))
    field = source.choice(("resource", "target", "name", "type", "date_from", "format"))
    # Escapes: six characters of the body for each character.
    return json.dumps({field: text * max(1, size // 7)})


def _long_filter(source: random.Random, size: int) -> str:
    name = source.choice(("tracking_number_matches", "tracking_number_cont_any", "status_in"))
    value = "%a" * (size // 2) if source.random() < 0.5 else ["a%" * 4] * (size // 12)
    return json.dumps({"resource": "shipment", "filters": {name: value}})


def _long_option(source: random.Random, size: int) -> str:
    name = source.choice(("status", "metadata", "order_by", "id", "search", _key(source, size)))
    value = source.choice((",".join("ab" * (size // 6)), {"a": ["b"] * (size // 6)}))
    return json.dumps({"resource": "shipment", "options": {name: value}})


def _long_number(source: random.Random, size: int) -> str:
    digits = source.choice((4_000, 4_301, size))
    return f'{{"resource":"shipment","max_rows_per_file":{"9" * digits}}}'


def _open_text(source: random.Random, size: int) -> str:
    return '{"options":"' + '\\"' * (size // 2)


def _noise(source: random.Random, size: int) -> str:
    return "".join(source.choices('{}[],:"0a\\ \n😀', k=size // 2))


_MEMBERS = (
    *("0", "[]", "{}", "1.5", "[[]]", '{"a":0}', '"ab"', '"😀x"', "99999999"),
    *('"\\u0100"', '""""', '"\\""', '"a,b,c"'),
)
MAKERS: tuple[Maker, ...] = (
    _long_key_wide_list,
    _long_keys_in_each_other,
    _deep_arrays,
    _open_arrays,
    *map(_wide, _MEMBERS),
    _many_keys,
    _unknown_fields,
    _the_same_key,
    _long_text,
    _long_filter,
    _long_option,
    _long_number,
    _open_text,
    _noise,
)
