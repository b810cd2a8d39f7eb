"""A storm over a real app: processes are killed, the network fails, people go on; and nothing must be lost.

`make chaos ARGS="--kills 200 --seed 1"` runs a long one and prints its figures; the test suite runs a short one.
"""
