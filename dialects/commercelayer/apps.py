"""The API of Commerce Layer."""

from typing import ClassVar

from dialects.base.apps import DialectConfig


class CommerceLayerConfig(DialectConfig):
    name = "dialects.commercelayer"
    label = "longshore_commercelayer"
    verbose_name = "Commerce Layer"
    dialect_name = "commercelayer"
    dialect_title = "Commerce Layer"
    dialect_urls: ClassVar = {
        "api/": "dialects.commercelayer.urls",
        "oauth/": "dialects.commercelayer.oauth.urls",
    }
    dialect_envelope = "dialects.commercelayer.webhooks.envelope.CommerceLayerEnvelope"
    dialect_errors = "dialects.commercelayer.errors.render_error"
