from celery import shared_task
from django.core.files.base import ContentFile

from shop.models import Stamp


@shared_task
def stamp(text: str) -> None:
    Stamp.objects.create(file=ContentFile(text.encode(), name=f"{text}.txt"))
