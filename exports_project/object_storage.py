"""Settings of a storage in an S3 bucket."""

from typing import Any

_PART_BYTES = 16 * 2**20


def s3(bucket_name: str, endpoint_url: str | None, region_name: str | None) -> dict[str, Any]:
    """Return the `STORAGES` entry of a bucket.

    Memory use does not depend on the size of a file. A file may have 10,000 parts of 16 MiB
    (160 GB). boto3 finds the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role.
    """
    # Slow imports that installations without a bucket do not need.
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    transfer = TransferConfig(multipart_chunksize=_PART_BYTES, max_concurrency=2)
    # Maximum of parts that wait in memory for their upload; boto3 has no argument for it.
    transfer.max_in_memory_upload_chunks = 2
    return {
        "BACKEND": "longshore.files.storage.s3.BucketStorage",
        "OPTIONS": {
            "bucket_name": bucket_name,
            "endpoint_url": endpoint_url,
            "region_name": region_name,
            # A bucket that does not respond must not block a worker for long.
            "client_config": Config(
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "transfer_config": transfer,
        },
    }
