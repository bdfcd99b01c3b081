from typing import ClassVar

from dialects.base.apps import DialectConfig


class PackageXConfig(DialectConfig):
    name = "dialects.packagex"
    label = "longshore_packagex"
    verbose_name = "PackageX"
    dialect_name = "packagex"
    dialect_title = "PackageX"
    dialect_urls: ClassVar = {"packagex/v1/": "dialects.packagex.urls"}
    dialect_errors = "dialects.packagex.errors.render_error"
    dialect_envelope = "dialects.packagex.webhooks.messages.PackageXMessages"
