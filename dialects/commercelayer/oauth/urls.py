"""Addresses below `/oauth/`."""

from django.urls import re_path

from dialects.commercelayer.oauth.views import TokenView

urlpatterns = [re_path(r"^token/?$", TokenView.as_view(), name="commercelayer-token")]
