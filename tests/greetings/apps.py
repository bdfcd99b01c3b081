"""An app with a kind of job of its own, which writes greetings: all that such an app needs."""

from django.apps import AppConfig


class GreetingsConfig(AppConfig):
    name = "tests.greetings"
    label = "greetings"
    api_urls = "tests.greetings.urls"

    def ready(self) -> None:
        from longshore.jobs import kinds
        from tests.greetings.jobs import GREETINGS

        kinds.register(GREETINGS)
