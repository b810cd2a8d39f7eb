"""Arrays and files to videos and pictures. A file is written whole or not at all."""
