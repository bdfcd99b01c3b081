"""Names of models and fields in plain words: "SKU code" instead of "sku code".

"Total amount" instead of "total amount cents": people read and type amounts as decimal text.
"""

from typing import Any

from django.apps import AppConfig
from django.db.models import Field

_WORDS = {
    "api": "API",
    "arn": "ARN",
    "gtin": "GTIN",
    "hs": "HS",
    "id": "ID",
    "ids": "IDs",
    "ip": "IP",
    "qty": "quantity",
    "rma": "RMA",
    "sku": "SKU",
    "skus": "SKUs",
    "upc": "UPC",
    "url": "URL",
    "urls": "URLs",
    "vat": "VAT",
}


def spelled(name: str) -> str:
    """Return the words of a name: `tracking URL` for `tracking_url`.

    Acronyms are in capitals, abbreviations are written out.
    """
    return " ".join(_WORDS.get(word, word) for word in name.replace("_", " ").split())


def spell_out(config: AppConfig) -> None:
    """Correct the labels that Django derives from the names of an app's models and fields.

    Labels that a model declares stay. Migrations do not store derived labels.
    """
    for model in config.get_models(include_auto_created=True):
        options = model._meta
        for name in ("verbose_name", "verbose_name_plural"):
            if name not in options.original_attrs:
                setattr(options, name, _label(str(getattr(options, name))))
        fields: list[Any] = [each for each in options.get_fields() if isinstance(each, Field)]
        for field in fields:
            if field._verbose_name is None and field.verbose_name:
                field.verbose_name = _label(str(field.verbose_name))


def _label(name: str) -> str:
    return spelled(name.removesuffix(" cents"))
