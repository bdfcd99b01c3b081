"""The control that chooses an organization on pages that do not edit a model."""

from typing import Any

from django.db.models import QuerySet
from django.forms import Form, ModelChoiceField
from unfold.fields import UnfoldAdminAutocompleteModelChoiceField
from unfold.views import BaseAutocompleteView

from longshore.accounts import staff
from longshore.accounts.models import Organization


class OrganizationChoice(Form):
    """The control, which finds organizations by typing.

    address: the name of the address of an `OrganizationAutocomplete`.
    """

    def __init__(self, user: staff.Person, chosen: Organization | None, address: str) -> None:
        super().__init__(initial={"organization": chosen.pk if chosen else None})
        field: ModelChoiceField[Organization] = UnfoldAdminAutocompleteModelChoiceField(
            address, queryset=staff.organizations(user)
        )
        if chosen is None:
            # Only the chosen organization is in the page; the others are loaded by typing.
            field.queryset = Organization.objects.none()
        else:
            field.queryset = Organization.objects.filter(pk=chosen.pk)
        self.fields["organization"] = field


class OrganizationAutocomplete(BaseAutocompleteView):
    """Finds the organizations that the person may see."""

    def get_queryset(self) -> QuerySet[Any]:
        term = self.request.GET.get("term", "")
        found = staff.organizations(self.request.user)
        return found.filter(name__icontains=term) | found.filter(slug__icontains=term)


def find_organization(user: staff.Person, pk: str) -> Organization | None:
    """Return the organization of an id; None if the person may not see one with it."""
    return staff.organizations(user).filter(pk=pk).first() if pk else None


def only_organization(user: staff.Person) -> Organization | None:
    """Return the organization of a person who may see just one."""
    found = list(staff.organizations(user)[:2])
    return found[0] if len(found) == 1 else None
