"""Three https sites on one machine, by a real nginx: the app, an attacker on another port, and a site with frames."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.nginx import Nginx, free_port

CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format asked '$request_method $uri $status $http_origin';
  access_log off; client_max_body_size 64m; default_type text/html;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
  server {{
    listen 127.0.0.1:{port} ssl;
    access_log {folder}/access.log asked;
    location / {{
      proxy_pass {target};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
  server {{ listen 127.0.0.1:{attacker} ssl; root {folder}/attacker; }}
  server {{ listen 127.0.0.1:{frames} ssl; root {folder}/frames; }}
}}
"""


class HttpsSites(Nginx):
    """The app at `url`; `attacker` is of the same host, so it shares the app's cookies; `frames` is another site."""

    def __init__(self, folder: Path, target: str, *, attack: str, frames: str) -> None:
        """
        Args:
            folder: a new folder.
            target: where the app is.
            attack: the attacker's document, `attack.html`.
            frames: the other site's, `index.html`.
        """
        self.port, attacker_port, frames_port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.attacker = f"https://127.0.0.1:{attacker_port}"
        self.frames = f"https://localhost:{frames_port}"
        for name, file, text in (("attacker", "attack.html", attack), ("frames", "index.html", frames)):
            (folder / name).mkdir()
            (folder / name / file).write_text(text)
        _make_certificate(folder)
        ports = {"port": self.port, "attacker": attacker_port, "frames": frames_port}
        self._config = folder / "nginx.conf"
        self._config.write_text(CONFIG.format(folder=folder, target=target, **ports))
        self._log = folder / "error.log"
        self._access = folder / "access.log"
        self._process = None

    def asked(self, origin: str) -> list[tuple[str, str, int]]:
        """What pages of an origin have asked of the app: method, path and status."""
        rows = [line.split() for line in self._access.read_text().splitlines()]
        return [(method, path, int(status)) for method, path, status, sender in rows if sender == origin]


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    plain, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, plain, none))
