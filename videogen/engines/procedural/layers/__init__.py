"""The layers: each a small module, a pure function of the moment and a band of rows."""
