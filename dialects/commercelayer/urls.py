"""Addresses of the dialect, below `/api/`."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, re_path
from drf_spectacular.utils import extend_schema_view

from dialects.commercelayer.application import ApplicationView
from dialects.commercelayer.documentation.operations import related_operation
from dialects.commercelayer.events.views import EventViewSet
from dialects.commercelayer.exports.views import ExportViewSet
from dialects.commercelayer.imports.views import ImportViewSet
from dialects.commercelayer.views import DocumentViewSet
from dialects.commercelayer.webhooks.views import CallbackViewSet, WebhookViewSet
from longshore.api.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("exports", ExportViewSet, "commercelayer-export")
router.register("imports", ImportViewSet, "commercelayer-import")
router.register("events", EventViewSet, "commercelayer-event")
router.register("webhooks", WebhookViewSet, "commercelayer-webhook")
router.register("event_callbacks", CallbackViewSet, "commercelayer-callback")


def _related(
    of: str, id_pattern: str, relation: str, viewset: type[DocumentViewSet[Any]]
) -> Iterator[URLPattern]:
    """Yield the addresses of the objects of a relation, and of their identifiers.

    Both return the objects, which have their identifiers.
    """
    for folder in ("", "relationships/"):
        described = extend_schema_view(list=related_operation(of, relation, viewset.kind, folder))
        view: Any = described(type(f"Related{viewset.__name__}", (viewset,), {"of": of}))
        path = rf"^{of}/(?P<public_id>{id_pattern})/{folder}{relation}/?$"
        yield re_path(path, view.as_view({"get": "list"}))


_CALLBACKS = "last_event_callbacks"
urlpatterns = [
    *router.urls,
    re_path(r"^application/?$", ApplicationView.as_view()),
    *_related("exports", r"exp_\w+", "events", EventViewSet),
    *_related("imports", r"batch_\w+", "events", EventViewSet),
    *_related("webhooks", r"whsub_\w+", _CALLBACKS, CallbackViewSet),
    *_related("events", r"evt_\w+", _CALLBACKS, CallbackViewSet),
]
