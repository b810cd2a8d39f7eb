"""What `api`, `share` and `server` have in common: sessions, errors, event streams, bodies, proxies."""
