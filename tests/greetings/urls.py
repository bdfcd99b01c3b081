from collections.abc import Mapping, Sequence
from typing import Any

from longshore.accounts.authentication import key_of
from longshore.api.routers import OptionalSlashRouter
from longshore.jobs import actions
from longshore.jobs.api.serializers import JobEventSerializer, JobSerializer
from longshore.jobs.api.views import JobViewSet
from longshore.jobs.statuses import Lane
from tests.greetings.jobs import GREETINGS, greeting_lifecycle
from tests.greetings.models import Greeting, GreetingEvent


class GreetingSerializer(JobSerializer[Greeting]):
    object_name = "greeting"
    view_name = "greeting-detail"

    class Meta:
        model = Greeting
        fields = ("id", "object", "url", "status", "progress", "text", "error")


class GreetingEventSerializer(JobEventSerializer[GreetingEvent]):
    class Meta(JobEventSerializer.Meta):
        model = GreetingEvent


class GreetingViewSet(JobViewSet[Greeting]):
    queryset = Greeting.objects.visible()
    serializer_class = GreetingSerializer
    event_serializer_class = GreetingEventSerializer
    lifecycle = greeting_lifecycle

    def create_job(self, body: Mapping[str, Any]) -> tuple[Greeting, bool]:
        greeting = Greeting(
            organization=self.organization,
            api_key=key_of(self.request),
            resource="greeting",
            request=body,
            spec={"name": str(body.get("name"))},
            lane=Lane.QUICK,
        )
        actions.create(self.lifecycle, greeting)
        return greeting, True

    def filter_choices(self) -> Mapping[str, Sequence[str]]:
        return {"status": [status.value for status in GREETINGS.statuses]}


router = OptionalSlashRouter()
router.register("greetings", GreetingViewSet, "greeting")
urlpatterns = router.urls
