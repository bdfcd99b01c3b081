"""The names of languages in `LANGUAGES` that Django does not know.

Unfold's user menu asks Django for all of them on every page, whether or not it shows them.
"""

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info


def name_languages() -> None:
    """Give Django the names that the project declares, for languages that it does not know."""
    for code, name in settings.LANGUAGES:
        try:
            get_language_info(code)
        except KeyError:
            is_bidi = code in settings.LANGUAGES_BIDI
            LANG_INFO[code] = {"bidi": is_bidi, "code": code, "name": name, "name_local": name}
