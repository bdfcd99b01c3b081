"""Appearance of the admin: the settings of Unfold."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Longshore",
    "SITE_HEADER": "Longshore",
    "SITE_SUBHEADER": "Bulk exports and imports",
    "SITE_SYMBOL": "anchor",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("longshore_accounts/favicon.svg"),
        }
    ],
    "SITE_URL": None,
    "DASHBOARD_CALLBACK": "exports_project.home.home",
    "STYLES": [
        lambda request: static("longshore_accounts/frame.css"),
        lambda request: static("longshore_jobs/admin.css"),
    ],
    "SCRIPTS": [lambda request: static("longshore_accounts/frame.js")],
    "ACCOUNT": {
        "navigation": [
            {"title": "Time zone", "link": reverse_lazy("staff_preferences")},
            {"title": "Second factor", "link": reverse_lazy("staff_second_factor")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .013 225)",
            "100": "oklch(94.5% .029 224)",
            "200": "oklch(89.5% .056 224)",
            "300": "oklch(82% .092 225)",
            "400": "oklch(71.5% .118 227)",
            "500": "oklch(60.5% .118 231)",
            "600": "oklch(52% .106 234)",
            "700": "oklch(45% .092 235)",
            "800": "oklch(38.5% .077 236)",
            "900": "oklch(33.5% .064 237)",
            "950": "oklch(25.5% .048 238)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "exports_project.sidebar.navigation",
    },
}
