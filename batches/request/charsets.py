"""The encodings of CSV files that requests may name."""

import codecs

# Python's names of the encodings that people meet: Unicode, the code pages of Windows and DOS,
# ISO 8859, and those of East Asia. Python also has encodings that no file has, such as `idna`.
ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii"),
    *(f"cp{number}" for number in range(1250, 1259)),
    *(f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))),
    *(f"cp{number}" for number in (437, 850, 852, 855, 858, 866, 874, 932, 949, 950)),
    *("koi8-r", "koi8-u", "mac-roman", "shift_jis", "euc_jp", "iso2022_jp"),
    *("gb18030", "gbk", "big5", "euc_kr"),
)


def find_encoding(name: str) -> str | None:
    """Return Python's name of an encoding, such as `cp1252` for `windows-1252`.

    None for an unknown name, and for an encoding that is not in `ENCODINGS`.
    """
    try:
        # A byte order mark is recognized whether or not the name mentions it.
        found = codecs.lookup(name).name.removesuffix("-sig")
    except (LookupError, ValueError):  # ValueError: the name contains a NUL character.
        return None
    return found if found in ENCODINGS else None
