"""`/api/application`: the API key of the request, by which clients check their access."""

from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer.documentation.operations import operation
from dialects.commercelayer.documents import Shown, document, moment
from dialects.commercelayer.tokens import SCOPE
from dialects.commercelayer.views import DocumentView
from longshore.accounts.authentication import key_of


class ApplicationView(DocumentView):
    """The application that a token stands for."""

    @operation(
        "get_application",
        tag="application",
        summary="Retrieve the application",
        description="Returns the API key of the request, without its secret.",
        response="applicationsDocument",
    )
    def get(self, request: Request) -> Response:
        api_key = key_of(request)
        created_at = moment(api_key.created)
        attributes = {
            "name": api_key.name,
            "kind": "integration",
            "public_access": False,
            "client_id": api_key.prefix,
            "scopes": SCOPE,
            "created_at": created_at,
            "updated_at": created_at,
            "reference": None,
            "reference_origin": None,
            "metadata": {},
        }
        return Response(document(Shown("applications", api_key.pk, attributes), request))
