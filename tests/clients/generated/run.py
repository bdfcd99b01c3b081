"""Creates an export with the generated client, which is beside this file, and lists it."""

import json
import os

from client import AuthenticatedClient  # type: ignore[import-not-found]
from client.api.exports import create_export, list_exports  # type: ignore[import-not-found]
from client.models import (  # type: ignore[import-not-found]
    ExportRequest,
    OutputOptions,
    ResourceEnum,
)

client = AuthenticatedClient(os.environ["BASE"], os.environ["KEY"])
output = OutputOptions(columns=["id", "name"])
request = ExportRequest(resource=ResourceEnum.CONTACT, csv_field_options=output)
created = create_export.sync(client=client, body=request, wait=10)
listed = list_exports.sync(client=client)
print(json.dumps([created.status, created.files[0].rows, listed.results[0].records_count]))
