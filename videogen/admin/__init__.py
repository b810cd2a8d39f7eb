"""The operator's page: templates and plain forms, without Gradio and without a script."""
