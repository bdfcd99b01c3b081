"""The superuser of the demo, for every AUTH_USER_MODEL."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import CharField, EmailField, TextField

USERNAME = "admin"
_EMAIL = f"{USERNAME}@example.com"


class NoSuperuser(Exception):
    """The project's user model needs values that the demo cannot know."""


def get_or_create_password(known: str) -> tuple[str, str]:
    """Return user name and password of the superuser: the known password, otherwise a new one.

    Creates the account if it is missing. If somebody changed the password in the admin, it stays as
    it is, and the known password is outdated.
    Raises NoSuperuser.
    """
    model: Any = get_user_model()
    username = _value(model, model.USERNAME_FIELD)
    user = model._default_manager.filter(**{model.USERNAME_FIELD: username}).first()
    if user and known:
        return username, known
    new = known or secrets.token_urlsafe(12)
    if user:
        user.set_password(new)
        user.save()
        return username, new
    values = {name: _value(model, name) for name in (model.USERNAME_FIELD, *model.REQUIRED_FIELDS)}
    try:
        with transaction.atomic():
            model._default_manager.create_superuser(password=new, **values)
    except Exception as error:
        # The manager is the project's, and may raise anything.
        raise NoSuperuser(
            f"The demo could not create a superuser ({type(error).__name__}: {error})."
        ) from error
    return username, new


def _value(model: Any, name: str) -> Any:
    """Return a value of a field of the user model; None if only the project knows one."""
    field = model._meta.get_field(name)
    if isinstance(field, EmailField):
        return _EMAIL
    return USERNAME if isinstance(field, CharField | TextField) else None
