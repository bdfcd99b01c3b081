"""The error CSV of an export that has failed: one row, behind a signed link."""

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from dialects.packagex.exports import documentation
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.links import absolute
from longshore.files import signed_links
from longshore.files.formulas import escape_formula
from longshore.files.signed_links import InvalidLink
from longshore.jobs.api.files import SignedView

_PREFIX = "packagex-errors:"
VIEW_NAME = "packagex-export-errors"


def error_file_url(native: Mapping[str, Any], request: HttpRequest | None) -> str | None:
    """Return the signed link to the errors of an export; None if it has none."""
    if native["error"] is None:
        return None
    public_id = native["id"]
    path = reverse(VIEW_NAME, args=[_name_of(public_id)])
    query = urlencode({"signature": signed_links.sign(f"{_PREFIX}{public_id}")})
    return f"{absolute(path, request)}?{query}"


class ExportErrorFileView(SignedView):
    """The errors of an export as CSV."""

    @documentation.error_file
    def get(self, request: Request, name: str) -> HttpResponse:
        signature = request.query_params.get("signature", "")
        try:
            identifier = signed_links.verify(signature, settings.EXPORT_LINK_SECONDS)
        except InvalidLink as link:
            if not link.expired:
                raise ApiError(ErrorCode.NOT_FOUND) from None
            raise EXPORT_FILES.link_expired() from None
        public_id = identifier.removeprefix(_PREFIX)
        if public_id == identifier or name != _name_of(public_id):
            raise ApiError(ErrorCode.NOT_FOUND)
        export = Export.objects.visible().filter(public_id=public_id).first()
        if export is None or export.error is None:
            raise ApiError(ErrorCode.NOT_FOUND)
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["error", "message"])
        rows.writerow(escape_formula(export.error[each]) for each in ("error", "message"))
        return HttpResponse(
            text.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _name_of(public_id: str) -> str:
    return f"{public_id}.errors.csv"
