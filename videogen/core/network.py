"""The variables of the environment with which httpx finds proxies and certificates, where it cannot use them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def unusable_variables() -> dict[str, str]:
    """The network variables that httpx cannot use, each with the reason; both spellings of a proxy's name count."""
    checks = dict.fromkeys(PROXIES, _check_proxy) | {"NO_PROXY": _check_exceptions}
    checks |= {"SSL_CERT_FILE": _check_file, "SSL_CERT_DIR": _check_folder}
    faults: dict[str, str] = {}
    for name, value in os.environ.items():
        check = checks.get(name if name.startswith("SSL") else name.upper())
        try:
            if check is not None and value.strip():
                check(value.strip())
        except ImportError:
            faults[name] = "a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'"
        except Exception as problem:
            # Each check raises what httpx or ssl raises, which are many kinds.
            faults[name] = str(getattr(problem, "strerror", None) or problem)
    return faults


def _check_proxy(value: str) -> None:
    import httpx

    # As httpx does it with the environment.
    httpx.HTTPTransport(proxy=value if "://" in value else f"http://{value}", verify=_context()).close()


def _check_exceptions(value: str) -> None:
    import httpx

    hosts = [host.strip() for host in value.split(",")]
    if "*" not in hosts:
        with httpx.Client(trust_env=False, verify=_context(), mounts=dict.fromkeys(map(_pattern, filter(None, hosts)))):
            pass


def _pattern(host: str) -> str:
    """The pattern that httpx makes of a host in NO_PROXY."""
    from ipaddress import IPv6Address

    if "://" in host:
        return host
    try:
        IPv6Address(host.split("/")[0])
    except ValueError:
        return f"all://*{host}"
    return f"all://[{host}]"


def _context() -> ssl.SSLContext:
    """Without certificates, which take long to load."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _check_file(value: str) -> None:
    _context().load_verify_locations(cafile=value)


def _check_folder(value: str) -> None:
    if not Path(value).is_dir():
        raise NotADirectoryError(20, "there is no such folder")
