"""Addresses below `/v1/` that belong to no other app."""

from django.urls import re_path

from longshore.api.limits import LimitsView

urlpatterns = [re_path(r"^limits/?$", LimitsView.as_view(), name="limits")]
