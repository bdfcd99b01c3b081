from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.timezone import now

from longshore.jobs.leases import lease
from shop.models import Stamp
from shop.tasks import stamp as stamp_task


def stamp(request: HttpRequest) -> JsonResponse:
    """Send a task on GET ?text=…, and return the names of all stamps."""
    if text := request.GET.get("text"):
        stamp_task.delay(text)
    return JsonResponse({"stamps": [each.file.name for each in Stamp.objects.all()]})


def cached(request: HttpRequest) -> JsonResponse:
    """Return the type of a value that JSON does not have, and whether Longshore's leases work.

    The team's cache has a value with the name of the lease.
    """
    cache.set("lease:now", now())
    with lease("now", 60) as first, lease("now", 60) as second:
        stored = cache.get("lease:now")
        return JsonResponse({"type": type(stored).__name__, "leases": [first, second]})


def cache_key(key: str, prefix: str, version: int) -> str:
    return f"shop-{key}"
