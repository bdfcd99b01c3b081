"""Exports: bulk exports of the resources of an organization into files."""
