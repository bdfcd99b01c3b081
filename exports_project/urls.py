from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
handler400 = "accounts.errors.bad_request"
handler404 = "accounts.errors.page_not_found"
handler500 = "accounts.errors.server_error"
