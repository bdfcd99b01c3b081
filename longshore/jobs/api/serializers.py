"""Fields that the API shows of every kind of job."""

from typing import Any, ClassVar, TypeVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from longshore.api.links import absolute
from longshore.api.serializers import AnyField, ModelSerializer
from longshore.jobs.models import Job, JobEvent

_Job = TypeVar("_Job", bound=Job)
_Event = TypeVar("_Event", bound=JobEvent)


@extend_schema_field(
    {
        "type": ["object", "null"],
        "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
        "required": ["error", "message"],
    }
)
class FailureField(serializers.JSONField):
    """Why a job failed: code and message, as in errors of the API."""


# The title names the class in generated clients: there are components of the other names.
@extend_schema_field({"type": "object", "additionalProperties": {}, "title": "Submitted"})
class RequestField(serializers.JSONField):
    """The body of the request that created a job. An alias of a field is stored as the field."""


class JobSerializer(ModelSerializer[_Job]):
    """Base of the serializer of one kind of job; values that are not known yet are null.

    A subclass states `object_name`, `view_name` (of the job's own URL) and `Meta.fields`; `omitted`
    are fields of `Meta.fields` that it leaves out.
    Links are absolute for the request in the context, else for `BASE_URL`.
    """

    object_name: ClassVar[str]
    view_name: ClassVar[str]
    omitted: ClassVar[tuple[str, ...]] = ()

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    progress = serializers.IntegerField()
    error = FailureField()
    metadata = serializers.SerializerMethodField(help_text="`metadata` of the request.")
    request = RequestField()

    def get_fields(self) -> dict[str, AnyField]:
        fields = super().get_fields()
        return {name: field for name, field in fields.items() if name not in self.omitted}

    def get_object(self, job: _Job) -> str:
        return self.object_name

    def get_url(self, job: _Job) -> str:
        return absolute(reverse(self.view_name, args=[job.public_id]), self.context.get("request"))

    def get_status(self, job: _Job) -> str:
        return str(job.shown_status)

    def get_metadata(self, job: _Job) -> dict[str, Any]:
        return job.request.get("metadata") or {}


class JobEventSerializer(ModelSerializer[_Event]):
    """Base of the serializer of a status change of a job."""

    class Meta:
        fields = ("status", "attempt", "reason", "created_at")
