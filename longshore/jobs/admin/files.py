"""Base of the admin of jobs that have files: their table, and audited downloads."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from longshore.accounts.models import AuditAction
from longshore.jobs.admin.jobs import JobAdmin
from longshore.jobs.admin.presentation import Table, code, link, table
from longshore.jobs.files import FileLinks
from longshore.jobs.models import JobFile
from longshore.resources.readers import may_read_job

# An export has at most 1,000 files.
MAX_LISTED_FILES, _MAX_ROW_FILES = 100, 5
_FILE_COLUMNS = ("File", "Rows", "Size", "SHA-256")


class JobFilesAdmin(JobAdmin):
    """Pages of a kind of job whose files can be downloaded.

    Subclasses set `file_links` and implement `has_downloads`. A download needs the permissions
    `view_…` and `download_…` of the model.
    """

    file_links: ClassVar[FileLinks[Any]]
    # Further columns of the table of files: the header, and what returns the cell of a file.
    file_columns: ClassVar[Mapping[str, Callable[[Any], str]]] = MappingProxyType({})

    def has_downloads(self, job: Any) -> bool:
        """Return whether the files of a job are in storage and shown to clients."""
        raise NotImplementedError

    def may_download(self, request: HttpRequest) -> bool:
        """Return whether the user may view jobs and download their files."""
        return self._may(request, "view") and self._may(request, "download")

    def may_download_of(self, request: HttpRequest, job: Any) -> bool:
        """Return whether the user may download the files of a job, which it must have."""
        return (
            self.has_downloads(job)
            and self.may_download(request)
            and may_read_job(job, request.user)
        )

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                f"<int:object_id>/{page}/",
                self.admin_site.admin_view(view),
                name=f"{name}_{page}",
            )
            for page, view in (("download", self.download), ("zip", self.download_all))
        ]
        return [*own, *super().get_urls()]

    def download(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Record the download in the audit log and redirect to a fresh link.

        The file is that of the query's `file`; without one, the first. If the files are deleted by
        now, redirect to the job with an error message.
        """
        job, files = self._downloadable(request, object_id)
        wanted = request.GET.get("file")
        chosen = [file for file in files if wanted in (None, str(file.pk))]
        if files and not chosen:
            raise Http404
        return self._send(request, job, chosen[:1])

    def download_all(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """As `download`, but of all files: in one ZIP archive if there are several."""
        return self._send(request, *self._downloadable(request, object_id))

    def download_all_url(self, job: Any) -> str:
        """Return the URL of one download with all files of a job."""
        return self.page_url("zip", job.pk)

    def downloads(self, request: HttpRequest, job: Any) -> dict[str, Any]:
        if not self.may_download_of(request, job):
            return {}
        count = job.files.count()
        if not count:
            return {}
        text = f"Download all ({count})" if count > 1 else "Download"
        return {"download_url": self.download_all_url(job), "download_text": text}

    def tables(self, request: HttpRequest, job: Any) -> list[Table]:
        files = self.file_table(request, job, MAX_LISTED_FILES, _FILE_COLUMNS)
        return [files, *super().tables(request, job)]

    def row_tables(self, request: HttpRequest, job: Any) -> list[Table]:
        # Without checksums, for which a row has no room.
        files = self.file_table(request, job, _MAX_ROW_FILES, _FILE_COLUMNS[:-1])
        return [files, *super().row_tables(request, job)]

    def file_table(
        self, request: HttpRequest, job: Any, maximum: int, columns: Sequence[str]
    ) -> Table:
        """Return the first files of a job as a table, with links if they can be downloaded.

        columns: of _FILE_COLUMNS; those of `file_columns` come first.
        """
        can_download = self.may_download_of(request, job)
        page = self.page_url("download", job.pk)

        def name(file: JobFile) -> SafeString:
            if not can_download:
                return code(file.name)
            return link(f"{page}?file={file.pk}", code(file.name))

        cells: Mapping[str, Callable[[Any], str]] = {
            **self.file_columns,
            "File": name,
            "Rows": lambda file: f"{file.rows:,}",
            "Size": lambda file: _size(file.bytes),
            "SHA-256": lambda file: code(file.sha256),
        }
        shown = [*self.file_columns, *columns]
        files = list(job.files.all()[:maximum])
        rows = [[cells[column](file) for column in shown] for file in files]
        total = job.files.aggregate(count=Count("pk"), bytes=Sum("bytes"))
        title = "Files"
        if total["count"] > 1:
            title = f"Files: {total['count']:,}, {filesizeformat(total['bytes'])}"
        if total["count"] > len(rows):
            title += f". The first {len(rows)} are listed."
        return table(title, shown, rows)

    def _downloadable(self, request: HttpRequest, object_id: int) -> tuple[Any, list[Any]]:
        """Return a job and its stored files. Raises PermissionDenied and Http404."""
        if not self.may_download(request):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not may_read_job(job, request.user):
            raise PermissionDenied
        return job, list(job.files.all()) if self.has_downloads(job) else []

    def _send(self, request: HttpRequest, job: Any, files: list[Any]) -> HttpResponse:
        """Record the download of one file or all files, and redirect to a fresh link."""
        if not files:
            messages.error(request, f"This {self.opts.verbose_name} has no file to download.")
            return redirect(self.page_url("change", job.pk))
        if len(files) == 1:
            text, (url, _) = files[0].name, self.file_links.url(files[0], request)
        else:
            text, (url, _) = f"all {len(files)} files", self.file_links.zip_url(job, request)
        self.record(request, AuditAction.DOWNLOAD, [job], f"Downloaded {text}.")
        return redirect(url)


def _size(count: int) -> SafeString:
    """Return a size for people, with the number of bytes."""
    return format_html('<span title="{} bytes">{}</span>', f"{count:,}", filesizeformat(count))
