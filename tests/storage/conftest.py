"""A real S3 protocol: moto, on a port of this machine."""

import boto3
import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch, request):
    """The URL of an empty place in a bucket."""
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="videogen")
    return f"s3://videogen/{request.node.name.replace('[', '-').strip(']')}?endpoint={endpoint}"
