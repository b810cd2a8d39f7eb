"""The engine kind `comfyui`: workflows that a ComfyUI server runs."""
