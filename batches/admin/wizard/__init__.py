"""The batch wizard: pages of the admin that upload, map, check, correct and run a file.

Each step is an address. Its state is a batch: an upload is a draft (`Batch.is_draft`), the checks
are a dry run, and corrected rows are `corrections` of the request of the next dry run. The API's
parser reads each request, and a worker executes it: the wizard itself accepts and refuses nothing.
"""
