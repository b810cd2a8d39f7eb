"""The page in a real Chromium. A package, so that a fixture can last as long as this folder does."""
