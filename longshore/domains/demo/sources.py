"""The demo data that the installed domains offer.

A domain declares its data by the attribute `demo` of its AppConfig: the dotted path of a
`DemoSource`. The commands `demo` and `demo_data` name no domain.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Model
from django.utils.module_loading import import_string

from longshore.accounts.models import Organization
from longshore.domains.demo.load import DemoData


@dataclass(frozen=True)
class DemoSource:
    """The demo data of a domain.

    unit: what a size counts, and the name of the option of `manage.py demo_data`.
    help: the help text of that option.
    default_size: size that `manage.py demo_data` loads without the option; 0 loads nothing.
    sample_size: size that `manage.py demo` loads.
    min_size: smallest size other than 0.
    model: an organization with records of this model holds data of the domain already.
    build: returns the data of the given size for an organization, without loading it.
    """

    unit: str
    help: str
    default_size: int
    sample_size: int
    min_size: int
    model: type[Model]
    build: Callable[[Organization, int], DemoData]


def demo_sources() -> list[DemoSource]:
    """Return the demo data of the installed domains, in the order of INSTALLED_APPS."""
    paths = (getattr(config, "demo", None) for config in apps.get_app_configs())
    return [import_string(path) for path in paths if path]
