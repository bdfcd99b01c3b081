"""People and tenants that the team had before: an app with the name of one of Longshore's."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from longshore.accounts.models import Organization


class MemberManager(BaseUserManager):
    def create_superuser(self, email: str, password: str, **fields: Any) -> "Member":
        member = self.model(email=email, is_staff=True, is_superuser=True, **fields)
        member.set_password(password)
        member.save()
        return member


class Member(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(unique=True)
    nickname = models.CharField(max_length=40)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = MemberManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ("nickname",)

    def __str__(self) -> str:
        return self.email


class Club(models.Model):
    """The team's own tenant, linked to an organization of Longshore."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    founded = models.DateField()

    def __str__(self) -> str:
        return self.name
