from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.timezone import now

from shop.models import Stamp
from shop.tasks import stamp as stamp_task


def stamp(request: HttpRequest) -> JsonResponse:
    """Send a task on GET ?text=…, and return the names of all stamps."""
    if text := request.GET.get("text"):
        stamp_task.delay(text)
    return JsonResponse({"stamps": [each.file.name for each in Stamp.objects.all()]})


def cached(request: HttpRequest) -> JsonResponse:
    """Return the type of a value that JSON does not have, from the cache of the team."""
    cache.set("lease:now", now())
    return JsonResponse({"type": type(cache.get("lease:now")).__name__})


def cache_key(key: str, prefix: str, version: int) -> str:
    return f"shop-{key}"
