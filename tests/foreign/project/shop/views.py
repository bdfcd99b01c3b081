from django.http import HttpRequest, JsonResponse

from shop.models import Stamp
from shop.tasks import stamp as stamp_task


def stamp(request: HttpRequest) -> JsonResponse:
    """Send a task on GET ?text=…, and return the names of all stamps."""
    if text := request.GET.get("text"):
        stamp_task.delay(text)
    return JsonResponse({"stamps": [each.file.name for each in Stamp.objects.all()]})
