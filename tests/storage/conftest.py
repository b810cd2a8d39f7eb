from tests.support.bucket import bucket, endpoint

__all__ = ["bucket", "endpoint"]
