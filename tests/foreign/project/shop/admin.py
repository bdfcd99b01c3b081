from django.contrib import admin

from shop.models import Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """In Django's style, without a base of Longshore."""

    list_display = ("name", "price")
