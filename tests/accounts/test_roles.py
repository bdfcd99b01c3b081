"""Roles: what the groups that `migrate` sets up may do."""

from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from longshore.accounts.models import ApiKey, Organization
from longshore.accounts.roles import Role, grant, role_names
from tests.exports.conftest import export_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
BODY = {"resource": "contact", "csv_field_options": {"columns": {"id": True}}}


def person(role: Role) -> tuple[User, Client]:
    user = User.objects.create_user(role.value.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return user, client


def test_groups_may_be_a_property_of_the_user_model() -> None:
    class Member(Model):  # noqa: DJ008
        groups = SimpleNamespace(all=lambda: [Group(name="Viewer")])

        class Meta:
            apps = Apps()
            app_label = "tests"

    assert role_names(Member()) == role_names(SimpleLazyObject(Member)) == ["Viewer"]


def test_each_role_has_all_permissions_of_the_lower_ones() -> None:
    granted = [
        set(Group.objects.get(name=role.value).permissions.values_list("pk", flat=True))
        for role in Role
    ]
    assert all(lower < higher for lower, higher in pairwise(granted))
    assert len(granted[-1]) == Permission.objects.count()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("permission", "lowest"),
    [
        ("exports.view_export", Role.VIEWER),
        ("webhooks.view_delivery", Role.VIEWER),
        ("longshore_logistics.view_contact", Role.VIEWER),
        ("longshore_accounts.view_apikey", Role.VIEWER),
        ("exports.download_export", Role.SUPPORT),
        ("exports.preview_export", Role.SUPPORT),
        ("batches.download_batch", Role.SUPPORT),
        ("batches.preview_batch", Role.SUPPORT),
        ("exports.add_export", Role.OPERATOR),
        ("exports.change_export", Role.OPERATOR),
        ("exports.change_exportlimits", Role.OPERATOR),
        ("webhooks.change_subscription", Role.OPERATOR),
        ("longshore_logistics.change_contact", Role.OPERATOR),
        ("django_celery_beat.change_periodictask", Role.OPERATOR),
        ("longshore_accounts.change_organization", Role.OPERATOR),
        ("longshore_accounts.view_auditentry", Role.OPERATOR),
        ("longshore_accounts.add_apikey", Role.ADMINISTRATOR),
        ("longshore_accounts.change_apikey", Role.ADMINISTRATOR),
        ("longshore_accounts.change_staffprofile", Role.ADMINISTRATOR),
        ("auth.view_user", Role.ADMINISTRATOR),
        ("auth.change_group", Role.ADMINISTRATOR),
    ],
)
def test_a_permission_belongs_to_a_role_and_all_higher_ones(permission: str, lowest: Role) -> None:
    order = list(Role)
    for role in order:
        user = User.objects.create_user(role.value)
        user.groups.add(Group.objects.get(name=role.value))
        assert user.has_perm(permission) == (order.index(role) >= order.index(lowest)), role


@pytest.mark.slow
def test_migrate_restores_the_permissions_of_a_role() -> None:
    viewer = Group.objects.get(name=Role.VIEWER)
    viewer.permissions.set(Permission.objects.filter(codename__in=["add_export", "view_user"]))
    Group.objects.filter(name=Role.SUPPORT).delete()
    for config in apps.get_app_configs():
        grant(sender=config, using="default")
    names = set(viewer.permissions.values_list("codename", flat=True))
    assert "view_export" in names
    assert not names & {"add_export", "view_user"}
    assert (
        Group.objects.get(name=Role.SUPPORT).permissions.filter(codename="download_export").exists()
    )


def test_groups_of_an_earlier_version_keep_their_permissions_under_another_name() -> None:
    Group.objects.all().delete()
    earlier = Group.objects.create(name="Support")
    earlier.permissions.set(Permission.objects.filter(codename="view_user"))
    member = User.objects.create_user("member")
    member.groups.add(earlier)
    migration = import_module("longshore.accounts.migrations.0002_staffprofile")
    migration.rename_groups(apps, connection.schema_editor())
    for config in apps.get_app_configs():
        grant(sender=config, using="default")
    assert [group.name for group in member.groups.all()] == ["Support (earlier)"]
    assert member.get_all_permissions() == {"auth.view_user"}


def test_a_viewer_sees_exports_but_cannot_download_or_change_them(acme: Organization) -> None:
    export = export_of(acme, BODY)
    _, viewer = person(Role.VIEWER)
    assert viewer.get(reverse("admin:exports_export_change", args=[export.pk])).status_code == 200
    assert viewer.get(reverse("admin:exports_export_download", args=[export.pk])).status_code == 403
    for action in ("cancel_job", "retry_job", "delete_job"):
        path = reverse(f"admin:exports_export_{action}", args=[export.pk])
        assert viewer.post(path, {"_form_submitted": "on"}).status_code == 403
    assert viewer.get("/admin/auth/user/").status_code == 403
    assert viewer.get("/admin/longshore_accounts/auditentry/").status_code == 403


def test_a_viewer_cannot_run_or_disable_a_schedule() -> None:
    _, viewer = person(Role.VIEWER)
    response = viewer.get("/admin/django_celery_beat/periodictask/")
    assert response.status_code == 200
    choices = (
        dict(response.context["action_form"].fields["action"].choices)
        if response.context["action_form"]
        else {}
    )
    assert not {"run_tasks", "enable_tasks", "disable_tasks"} & choices.keys()


def test_an_operator_sees_keys_but_cannot_issue_or_revoke_them(acme: Organization) -> None:
    api_key, _ = ApiKey.objects.create_key(organization=acme, name="ci")
    _, operator = person(Role.OPERATOR)
    keys = "/admin/longshore_accounts/apikey/"
    assert operator.get(keys).status_code == 200
    assert operator.get(f"{keys}add/").status_code == 403
    revoke = reverse("admin:longshore_accounts_apikey_revoke", args=[api_key.pk])
    assert operator.post(revoke, {"_form_submitted": "on"}).status_code == 403


def test_an_administrator_cannot_make_or_change_a_superuser(admin_user: User) -> None:
    user, administrator = person(Role.ADMINISTRATOR)
    own = f"/admin/auth/user/{user.pk}/change/"
    page = administrator.get(own)
    assert page.status_code == 200
    assert 'name="is_superuser"' not in page.content.decode()
    other = f"/admin/auth/user/{admin_user.pk}/"
    assert administrator.post(f"{other}change/", {"username": "taken"}).status_code == 403
    assert administrator.post(f"{other}delete/", {"post": "yes"}).status_code == 403
    assert administrator.post(f"{other}password/", {"password1": "x"}).status_code == 403
    admin_user.refresh_from_db()
    assert admin_user.username == "admin"


def test_the_roles_of_longshore_are_described_and_cannot_be_changed(admin_client: Client) -> None:
    groups = "/admin/auth/group/"
    page = admin_client.get(groups).content.decode()
    assert all(role.summary in page for role in Role)
    viewer = Group.objects.get(name=Role.VIEWER)
    assert admin_client.post(f"{groups}{viewer.pk}/change/", {"name": "x"}).status_code == 403
    own = Group.objects.create(name="Warehouse")
    response = admin_client.post(f"{groups}{own.pk}/change/", {"name": "Night shift"})
    assert response.status_code == 302


def test_the_page_of_a_role_lists_what_it_may_do(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    group = Group.objects.get(name=Role.SUPPORT)
    page = client.get(reverse("admin:auth_group_change", args=[group.pk])).content.decode()
    assert "<strong>Exports</strong> download, preview, view: exports</p>" in page
    assert "Can view" not in page
    # Its table has no page.
    assert "batch turn" not in page
