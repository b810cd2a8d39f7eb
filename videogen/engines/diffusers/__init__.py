"""The engine kind `diffusers`: any pipeline that `DiffusionPipeline` loads. Only renderers import torch."""
