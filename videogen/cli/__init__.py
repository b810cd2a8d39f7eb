"""The command line of the client: `videogen generate` and its kin. See docs/cli.md."""
