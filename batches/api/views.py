"""`/v1/batches`: the viewset of batches, the uploads of their files, and the files they wrote."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from batches.api import documentation
from batches.api import errors as refusals
from batches.api.filters import list_filters
from batches.api.pagination import ErrorPagination, errors_of
from batches.execution import checking, runner
from batches.execution import preview as previews
from batches.execution.sample import MAX_BYTES
from batches.lifecycle import creation, undo, uploads
from batches.lifecycle.creation import Source
from batches.lifecycle.representation import (
    LINKS,
    BatchErrorSerializer,
    BatchEventSerializer,
    BatchSerializer,
)
from batches.lifecycle.storage import BATCH_FILES
from batches.lifecycle.transitions import batch_lifecycle
from batches.lifecycle.upload_links import requested_batch
from batches.models import Batch, BatchFile, Via
from batches.request.parser import BatchRequest, parse_batch, parse_preview
from batches.spec import Mode
from longshore.accounts.authentication import key_of
from longshore.accounts.models import Scope
from longshore.api.announcements import announced_bytes, is_announced, was_announced
from longshore.api.concurrency import admitted, expensive
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.idempotency import HEADER, REPLAYED, idempotent
from longshore.api.multipart import FilePart, JsonAndFileParser, MultipartBody
from longshore.api.pagination import single_page
from longshore.api.parsers import BoundedJSONParser
from longshore.files.signed_links import InvalidLink
from longshore.jobs.api.files import SignedFileView, SignedView, SignedZipView, zip_link
from longshore.jobs.api.views import JobViewSet
from longshore.jobs.leases import lease
from longshore.jobs.statuses import TERMINAL, Status
from longshore.resources.readers import check_names

_DATA_NAME = "data.json"
_UPLOAD_NAME = "upload"
_READ_BYTES = 1 << 18
# The next upload waits for this time if a process dies while it stores one.
_UPLOAD_LEASE_SECONDS = 600


class ExactJSONParser(BoundedJSONParser):
    """Refuses numbers that would be written with other digits."""

    keeps_digits = True


@extend_schema_view(**documentation.batches)
class BatchViewSet(JobViewSet[Batch]):
    """The batches of the API key's organization."""

    queryset = Batch.objects.visible().prefetch_related("files")
    lookup_value_regex = r"batch_\w+"
    serializer_class = BatchSerializer
    event_serializer_class = BatchEventSerializer
    lifecycle = batch_lifecycle
    parser_classes: Sequence[type[BaseParser]] = (ExactJSONParser, JsonAndFileParser)

    def get_throttles(self) -> list[BaseThrottle]:
        """A request counts once: if its body is announced, when it is announced."""
        return [] if was_announced(self.request) else super().get_throttles()

    def get_serializer_context(self) -> dict[str, Any]:
        links = [name for name in LINKS if self._is_included(f"include_{name}")]
        return {**super().get_serializer_context(), "links": links}

    @expensive(spare=1)
    def create(self, request: Request) -> Response:
        """Create a batch, and do what its mode does before the response.

        The input is stored, and the batch is executed, outside of the transaction that an
        Idempotency-Key needs. A replayed response shows the batch as it is now.
        """
        if is_announced(request):
            # A repeated request must get its response, whatever the quotas are.
            if HEADER not in request.headers:
                creation.check_quotas(self.organization.pk)
            return Response(status=status.HTTP_204_NO_CONTENT)
        # Refuses invalid parameters of the response before anything is stored.
        self.get_serializer_context()
        source, parsed = self._read(request)
        try:
            response = self._create(request, source, parsed)
        except BaseException:
            source.discard()
            raise
        # Another request may delete the batch at any time.
        public_id = response["Location"].rstrip("/").rpartition("/")[2]
        batch = get_object_or_404(self.get_queryset(), public_id=public_id)
        if batch.public_id != source.public_id:
            # The batch of an earlier request.
            source.discard()
        elif batch.status == Status.PROCESSING and parsed.spec.mode is Mode.SYNC:
            # Batches of other modes are claimed by workers, perhaps already.
            if len(batch.claims) == 1:
                runner.run_claimed(batch)
        elif batch.status == Status.REQUESTED and source.stored:
            checking.check_and_queue(batch)
        ended = get_object_or_404(self.get_queryset(), pk=batch.pk)
        shown = self.created(ended, is_new=response.status_code == status.HTTP_201_CREATED)
        if REPLAYED in response:
            shown[REPLAYED] = response[REPLAYED]
        return shown

    @idempotent
    def _create(self, request: Request, source: Source, parsed: BatchRequest) -> Response:
        body = {name: value for name, value in self.json_body(request).items() if name != "data"}
        body.pop("file", None)
        batch, is_new = creation.create(
            self.organization,
            key_of(request),
            body,
            parsed.spec,
            source,
            dedupe=parsed.dedupe,
        )
        return self.created(batch, is_new=is_new)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        batch = self.get_object()
        if batch.status == Status.REQUESTED:
            uploads.check(batch)
        return super().retrieve(request, *args, **kwargs)

    def filter_choices(self) -> Mapping[str, Sequence[str]]:
        return list_filters()

    # The preview is a POST, but it only reads.
    @action(detail=False, methods=["post"], required_scope=Scope.READ)
    @expensive(spare=1)
    def preview(self, request: Request) -> Response:
        if is_announced(request):
            if announced_bytes(request) > MAX_BYTES + settings.API_MAX_BODY_BYTES:
                raise previews.too_large()
            return Response(status=status.HTTP_204_NO_CONTENT)
        body = self.json_body(request)
        if not isinstance(body, MultipartBody):
            raise refusals.file_required()
        spec, file_size = parse_preview(body, self.organization)
        # Rows of the preview say which records are stored, and whether they differ.
        check_names([spec.resource], key_of(request))
        content = b"".join(_at_most(body.file.blocks, MAX_BYTES))
        found = previews.preview(spec, self.organization, content, body.file.name, file_size)
        return Response(asdict(found))

    @action(detail=True)
    def errors(self, request: Request, public_id: str) -> Response:
        found = errors_of(self._with_files())
        pages = ErrorPagination()
        page = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(BatchErrorSerializer(page, many=True).data)

    @action(detail=True)
    def files(self, request: Request, public_id: str) -> Response:
        return Response(single_page([self._link(file) for file in self._with_files().files.all()]))

    @action(detail=True)
    def zip(self, request: Request, public_id: str) -> Response:
        return Response(zip_link(BATCH_FILES, self._with_files(), request))

    @action(detail=True, methods=["post"])
    @expensive(spare=1)
    @idempotent
    def undo(self, request: Request, public_id: str) -> Response:
        reversal, is_new = undo.create(self.get_object(), key_of(request))
        return self.created(reversal, is_new=is_new)

    def _with_files(self) -> Batch:
        """Return the batch of the request. Raises ApiError if its files have been deleted.

        The errors of rows are deleted with them.
        """
        batch = self.get_object()
        if batch.expired or (batch.status in TERMINAL and not batch.has_files):
            raise refusals.files_expired(batch)
        return batch

    def _read(self, request: Request) -> tuple[Source, BatchRequest]:
        """Parse the request and store its input. Raises ApiError."""
        body = self.json_body(request)
        file = self.file_of(body)
        parsed = parse_batch(body, self.organization, has_file=file is not None)
        # The request may be one that has been processed: then no quota refuses it.
        may_exist = HEADER in request.headers or parsed.dedupe
        mode = parsed.spec.mode
        store = partial(creation.store, self.organization, mode=mode, may_exist=may_exist)
        if file is not None:
            source = store(file.name, Via.FILE, file.blocks, is_multipart=True)
        elif parsed.data is not None:
            content = json.dumps(parsed.data, ensure_ascii=False).encode()
            source = store(_DATA_NAME, Via.API, [content])
        else:
            source = creation.announced(_UPLOAD_NAME)
        if file is not None and source.stored:
            # A part of the fingerprint of the request.
            body["file"] = {"name": file.name, "sha256": source.stored.sha256}
        return source, parsed

    def file_of(self, body: dict[str, Any]) -> FilePart | None:
        """Return the file of a request. A subclass may take it from the body and remove it."""
        return body.file if isinstance(body, MultipartBody) else None

    def _is_included(self, name: str) -> bool:
        text = self.request.query_params.get(name, "false")
        if text not in ("true", "false", ""):
            raise refusals.not_a_boolean(name, text)
        return text != "false"

    def _link(self, file: BatchFile) -> dict[str, Any]:
        url, expires_at = BATCH_FILES.url(file, self.request)
        return {
            "kind": file.kind,
            "name": file.name,
            "format": file.format,
            "url": url,
            "expires_at": expires_at,
        }


class BatchFileView(SignedFileView):
    """The files of batches."""

    links = BATCH_FILES

    @documentation.get_file
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.serve(request)


class BatchZipView(SignedZipView):
    """All files of a batch."""

    links = BATCH_FILES

    @documentation.get_zip
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.serve(request)


class BatchUploadView(SignedView):
    """Receives the file of a requested batch, if the storage is a local folder."""

    @documentation.put_upload
    def put(self, request: Request, name: str) -> HttpResponse:
        try:
            batch = requested_batch(request.query_params.get("signature", ""))
        except InvalidLink as link:
            if not link.expired:
                raise ApiError(ErrorCode.NOT_FOUND) from None
            raise refusals.upload_expired() from None
        # Storing a file takes a thread and disk space: one upload of a batch at a time.
        with (
            admitted(batch.organization_id, spare=1),
            lease(f"batches.upload.{batch.public_id}", _UPLOAD_LEASE_SECONDS) as is_first,
        ):
            if not is_first:
                raise refusals.upload_running()
            uploads.receive(batch, _blocks(request))
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)


def _at_most(blocks: Iterator[bytes], maximum: int) -> Iterator[bytes]:
    """Yield blocks until they have more than `maximum` bytes."""
    size = 0
    for block in blocks:
        yield block
        size += len(block)
        if size > maximum:
            return


def _blocks(request: Request) -> Iterator[bytes]:
    """Yield the body as it arrives. Its media type does not matter."""
    while block := request._request.read(_READ_BYTES):
        yield block
