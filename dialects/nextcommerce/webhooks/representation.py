"""Webhooks in the words of 29next."""

from rest_framework import serializers

from dialects.nextcommerce.webhooks.envelope import api_version
from longshore.api.serializers import DateTimeField, ModelSerializer
from webhooks.models import Subscription


class WebhookSerializer(ModelSerializer[Subscription]):
    """A webhook."""

    id = serializers.IntegerField(
        source="organization_number", help_text="Number of the webhook within the organization."
    )
    name = serializers.SerializerMethodField()
    secret_key = serializers.SerializerMethodField(
        help_text="The signing secret, in the response to the request that sets it. Otherwise null."
    )
    api_version = serializers.SerializerMethodField(help_text="Version of the messages.")
    warning_count = serializers.IntegerField(
        source="consecutive_failures", help_text="Failed attempts since the last success."
    )
    next_check_date = DateTimeField(
        source="paused_until",
        allow_null=True,
        help_text="When the next attempt may begin, if failures have paused the webhook.",
    )

    class Meta:
        model = Subscription
        fields = (
            "id",
            "name",
            "target",
            "events",
            "active",
            "secret_key",
            "api_version",
            "created_at",
            "updated_at",
            "warning_count",
            "next_check_date",
        )
        read_only_fields = fields

    def get_name(self, subscription: Subscription) -> str | None:
        return subscription.name or None

    def get_secret_key(self, subscription: Subscription) -> str | None:
        # Set by the request that sets or generates the secret.
        secret: str | None = self.context.get("secret")
        return secret

    def get_api_version(self, subscription: Subscription) -> str:
        return api_version(subscription)
