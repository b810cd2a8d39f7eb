"""Files by key behind the `Storage` protocol, and what is always local: the data folder."""

from videogen.storage.base import FileVersion, Storage, StoredFile
from videogen.storage.data_folder import DataFolder
from videogen.storage.disk import DiskStorage

__all__ = ["DataFolder", "DiskStorage", "FileVersion", "Storage", "StoredFile"]
