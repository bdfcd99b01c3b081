"""`manage.py fill`: create records of two tenants."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Club, Member
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand

from longshore.accounts.models import Organization, StaffProfile
from shop.models import Book, Country, Invoice, Product, Review, Size, Stock

START = datetime(2024, 2, 29, 22, 30, 5, 123456, tzinfo=UTC)
# Texts that files must escape.
NAMES = ("Anvil", 'The "Big" One', "line\nbreak", "Grüße, 東京 🎈", " =2+3", "")


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        self._bound_member()
        author = Member.objects.get(email="admin@example.com")
        Country.objects.create(code="no", name="Norway")
        Country.objects.create(code="bj", name="Benin")
        for organization in Organization.objects.order_by("slug"):
            club = Club.objects.create(
                organization=organization,
                name=f"Club of {organization}",
                founded=date(1999, 12, 31),
            )
            for number, name in enumerate(NAMES):
                self._product(club, author, number, name)
            Invoice.objects.create(
                club=club, number=f"{organization.slug}-1", total=Decimal("12.30"), issued=START
            )

    def _bound_member(self) -> None:
        """Create a person with the role Viewer in one organization."""
        member = Member(email="bound@example.com", nickname="bound", is_staff=True)
        member.set_password("a long password")
        member.save()
        member.groups.add(Group.objects.get(name="Viewer"))
        profile = StaffProfile.objects.create(user=member, is_bound=True)
        profile.organizations.add(Organization.objects.get(slug="acme"))

    def _product(self, club: Club, author: Member, number: int, name: str) -> None:
        at = START + timedelta(days=number)
        model, more = (Book, {"pages": number}) if number % 2 else (Product, {})
        product = model.objects.create(
            club=club,
            sku=f"P-{number}",
            name=name,
            price=Decimal(number) / 4,
            size=Size.LARGE if number > 2 else Size.SMALL,
            tags=["red", name] if number > 1 else [],
            details={"weight": number, "parts": [name, None]},
            is_listed=number != 3,
            added=at,
            **more,
        )
        for mood, deleted_at in (("happy", None), ("sad", at)):
            Review.objects.create(
                product=product,
                author=author,
                mood=mood,
                text=f"{mood}: {name}",
                written=at,
                deleted_at=deleted_at,
            )
        Stock.objects.create(product=product, place="shelf", pieces=number, counted=at)
