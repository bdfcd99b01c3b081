"""The admin of logistics records in a real browser."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from longshore.domains.logistics.models import Contact, Group
from longshore.domains.logistics.models.base import Record

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = [
    model
    for model in apps.get_app_config("longshore_logistics").get_models()
    if issubclass(model, Record)
]


def test_each_list_and_each_form_opens(admin: Page) -> None:
    call_command("demo_data", organization="acme", rows=100, verbosity=0)
    for model in MODELS:
        admin.goto(reverse(f"admin:longshore_logistics_{model._meta.model_name}_changelist"))
        expect(admin.get_by_role("row")).not_to_have_count(0)
        record = model._default_manager.all()[0]
        admin.goto(
            reverse(f"admin:longshore_logistics_{model._meta.model_name}_change", args=[record.pk])
        )
        expect(admin.get_by_role("button", name="Save", exact=True)).to_be_visible()
        expect(admin.get_by_text("Record", exact=True)).to_be_visible()


def test_saving_changes_only_the_edited_field(admin: Page) -> None:
    call_command("demo_data", organization="acme", rows=2000, verbosity=0)
    contact = Contact.objects.filter(name__contains="\n")[0]
    admin.goto(reverse("admin:longshore_logistics_contact_change", args=[contact.pk]))
    admin.get_by_label("Nickname").fill("Ada")
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.wait_for_url("**/contact/")
    saved = Contact.objects.get(pk=contact.pk)
    assert saved.nickname == "Ada"
    changed = {"nickname", "updated_at", "updated_by", "search_text"}
    for field in Contact._meta.concrete_fields:
        same = getattr(saved, field.name) == getattr(contact, field.name)
        assert same or field.name in changed, field.name


def test_a_parent_is_selected_by_typing_its_name(admin: Page) -> None:
    call_command("demo_data", organization="acme", rows=100, verbosity=0)
    child, parent = Group.objects.order_by("name")[:2]
    admin.goto(reverse("admin:longshore_logistics_group_change", args=[child.pk]))
    admin.locator(".field-parent .select2-selection").click()
    admin.locator(".select2-search__field").fill(parent.name.split()[0])
    admin.locator(".select2-results__option").get_by_text(parent.name, exact=True).click()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.wait_for_url("**/group/")
    child.refresh_from_db()
    assert child.parent == parent
