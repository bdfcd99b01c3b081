"""Serves the guide at /docs/guide: the pages of docs/, which `make docs` builds into SITE."""

import base64
import hashlib
import os
import re
from pathlib import Path

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, re_path
from django.utils._os import safe_join
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.static import serve

SITE = Path(__file__).with_name("site")


def is_built() -> bool:
    """Return whether this installation has the guide."""
    return (SITE / "index.html").exists()


@gzip_page
@require_safe
def _guide(request: HttpRequest, name: str = "") -> HttpResponseBase:
    """Return a file of the guide, or the index page of a folder."""
    file = Path(safe_join(SITE, name))
    # Not is_dir and is_file, which raise an error for a name that is too long.
    if os.path.isdir(file):
        if not request.path.endswith("/"):
            return redirect(f"{request.path}/")
        file /= "index.html"
    if not os.path.isfile(file):
        raise Http404(f"The guide has no file {name!r}.")
    response = serve(request, file.relative_to(SITE).as_posix(), document_root=str(SITE))
    # A page names files of its own version.
    response["Cache-Control"] = "no-cache"
    if file.suffix != ".html":
        return response
    hashes = _hashes(file.read_text(encoding="utf-8"))
    return csp_update({"script-src": hashes})(lambda request: response)(request)


def _hashes(page: str) -> list[str]:
    """Return the sources of the content security policy that allow the inline scripts of a page."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


urlpatterns = [
    path("docs/guide/", _guide, name="guide"),
    re_path(r"^docs/guide(?:/(?P<name>.*))?$", _guide),
]
