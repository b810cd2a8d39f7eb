"""Figures: each with its bound and, where there is one, a peer measured in the same run. `make bench`."""
