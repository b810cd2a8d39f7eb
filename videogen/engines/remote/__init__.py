"""Engines that let another machine render: one life of a job for all, and one module for each provider."""
