"""The command line of the client: `videogen generate` and the others. See docs/cli.md."""
