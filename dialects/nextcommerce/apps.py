from typing import ClassVar

from dialects.base.apps import DialectConfig


class NextCommerceConfig(DialectConfig):
    name = "dialects.nextcommerce"
    label = "longshore_nextcommerce"
    verbose_name = "29next"
    dialect_name = "nextcommerce"
    dialect_title = "29next"
    dialect_urls: ClassVar = {"api/admin/": "dialects.nextcommerce.urls"}
    dialect_errors = "dialects.nextcommerce.errors.render_error"
    dialect_envelope = "dialects.nextcommerce.webhooks.envelope.NextCommerceEnvelope"
