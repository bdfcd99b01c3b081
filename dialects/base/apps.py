"""Base of the configurations of dialects."""

from typing import Any, ClassVar

from django.apps import AppConfig, apps
from django.utils.module_loading import import_string

from longshore.api.apis import Api, register


class DialectConfig(AppConfig):
    """The configuration of a dialect, an app that the setting `DIALECTS` names.

    Its module `description` has `SETTINGS` for its API description.

    dialect_name: in the addresses of its documentation and in `Subscription.dialect`.
    dialect_title: its name for people.
    dialect_urls: modules with its addresses, by the beginning of the path. `{"api/": …}` serves
        the addresses below `/api/`.
    dialect_errors: dotted path of the function that renders its errors
        (`longshore.api.apis.RenderError`).
    dialect_envelope: dotted path of the class of its webhooks (`webhooks.envelopes.Envelope`); ""
        if it has none.
    """

    dialect_name: ClassVar[str]
    dialect_title: ClassVar[str]
    dialect_urls: ClassVar[dict[str, str]]
    dialect_errors: ClassVar[str]
    dialect_envelope: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        # Django finds two configurations in a module that imports this class.
        cls.default = True

    @property
    def description(self) -> dict[str, Any]:
        """The settings of drf-spectacular that differ for its API description.

        SCHEMA_PATH_PREFIX, one of its prefixes without a slash at the end, tells its endpoints.
        """
        settings: dict[str, Any] = import_string(f"{self.name}.description.SETTINGS")
        return settings

    def ready(self) -> None:
        from webhooks import envelopes  # Imports models, which are ready now.

        prefixes = tuple(f"/{prefix}" for prefix in self.dialect_urls)
        register(Api(self.dialect_name, prefixes, import_string(self.dialect_errors)))
        if self.dialect_envelope:
            envelopes.register(self.dialect_name, import_string(self.dialect_envelope)())


def installed_dialects() -> list[DialectConfig]:
    """Return the configurations of the installed dialects, in the order of `INSTALLED_APPS`."""
    return [config for config in apps.get_app_configs() if isinstance(config, DialectConfig)]
