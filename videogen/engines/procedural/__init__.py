"""The built-in renderer: procedural scenes, drawn with numpy and Pillow."""
