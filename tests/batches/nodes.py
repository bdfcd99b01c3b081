"""Models of tests: nodes, and records that refer to them in every way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db import connection, models

import tests
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource

# A separate app registry: organizations of other tests have no relation to these tables. Django
# finds the relations of a model among those of app configurations.
APPS = Apps()
APPS.register_model("longshore_accounts", Organization)
CONFIG = AppConfig("tests", tests)
CONFIG.apps, CONFIG.models = APPS, APPS.all_models["tests"]
APPS.app_configs["tests"] = CONFIG


class Node(models.Model):
    """A record to which others refer in every way."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.TextField()
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="+")

    objects: ClassVar[models.Manager["Node"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return self.name


class Reference(models.Model):
    """A record that refers to nodes, by one of its foreign keys."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    cascade = models.ForeignKey(Node, null=True, on_delete=models.CASCADE, related_name="+")
    null = models.ForeignKey(Node, null=True, on_delete=models.SET_NULL, related_name="+")
    default = models.ForeignKey(
        Node, null=True, default=1, on_delete=models.SET_DEFAULT, related_name="+"
    )
    value = models.ForeignKey(Node, null=True, on_delete=models.SET(2), related_name="+")
    protect = models.ForeignKey(Node, null=True, on_delete=models.PROTECT, related_name="+")
    restrict = models.ForeignKey(Node, null=True, on_delete=models.RESTRICT, related_name="+")
    nothing = models.ForeignKey(Node, null=True, on_delete=models.DO_NOTHING, related_name="+")

    objects: ClassVar[models.Manager["Reference"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return str(self.pk)


def give_up(*_: object) -> None:
    """Do something else when a node is deleted."""


class Odd(models.Model):
    """A record with a composite primary key: a batch can neither delete nor change it."""

    pk = models.CompositePrimaryKey("name", "number")
    name = models.TextField()
    number = models.IntegerField()
    null = models.ForeignKey(Node, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[models.Manager["Odd"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return self.name


class Custom(models.Model):
    """A record with another reaction to the deletion of its node than those of Django."""

    node = models.ForeignKey(Node, on_delete=give_up, related_name="+")

    objects: ClassVar[models.Manager["Custom"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return str(self.pk)


NODE = Resource("node", "nodes", Node)
_MODELS: tuple[type[models.Model], ...] = (Node, Reference, Odd, Custom)


@contextmanager
def node_tables() -> Iterator[None]:
    """Create the tables until the end of the block."""
    with connection.schema_editor() as editor:
        for model in _MODELS:
            editor.create_model(model)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in _MODELS[::-1]:
                editor.delete_model(model)
