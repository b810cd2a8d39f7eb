"""A real S3 protocol: moto, on a port of this machine. A conftest imports these fixtures."""

import re

import pytest


@pytest.fixture(scope="session")
def endpoint():
    """The address of the server."""
    # Imported here: it takes a while.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch, request):
    """The URL of an empty place in a bucket."""
    import boto3

    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="videogen")
    return f"s3://videogen/{re.sub(r'[^a-z0-9_]+', '-', request.node.name)}?endpoint={endpoint}"
