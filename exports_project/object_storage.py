"""Files in an S3 bucket: how django-storages is set up."""

from typing import Any

_PART_BYTES = 16 * 2**20


def s3(bucket_name: str, endpoint_url: str | None, region_name: str | None) -> dict[str, Any]:
    """The `STORAGES` entry of a bucket; memory stays flat however large the file.

    A file may have 10,000 parts of 16 MiB, or 160 GB. AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY are boto3's to find, or a role's.
    """
    # Slow to import where there is no bucket.
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    transfer = TransferConfig(multipart_chunksize=_PART_BYTES, max_concurrency=2)
    # How many parts wait in memory for their upload; boto3 has no argument for it.
    transfer.max_in_memory_upload_chunks = 2
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket_name,
            "endpoint_url": endpoint_url,
            "region_name": region_name,
            # A storage that does not answer must not hold up what does not need it.
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
