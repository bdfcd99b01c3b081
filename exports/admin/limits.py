"""Admin of the limits of single organizations, which override the settings."""

from django.contrib import admin

from exports.models import ExportLimits
from longshore.jobs.admin.limits import JobLimitsAdmin


@admin.register(ExportLimits)
class ExportLimitsAdmin(JobLimitsAdmin):
    pass
