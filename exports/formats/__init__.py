"""The file formats: each module `*_format.py` of this package registers one or more.

To add a format, write such a module. Nothing else has to be changed.
"""

from importlib import import_module
from pkgutil import iter_modules

from exports.formats.base import formats

__all__ = ["formats"]

for _module in iter_modules(__path__, f"{__name__}."):
    if _module.name.endswith("_format"):
        import_module(_module.name)
