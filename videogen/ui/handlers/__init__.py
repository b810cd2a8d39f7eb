"""What a person can do on the page, by the name in `data-do` or `data-fill` of what was clicked."""

from importlib import import_module
from pkgutil import iter_modules

from videogen.ui.handlers.registry import FILLS, HANDLERS, Click, FormValues, fills, handles

for _module in iter_modules(__path__, f"{__name__}."):  # each registers its handlers when it is imported
    import_module(_module.name)

__all__ = ["FILLS", "HANDLERS", "Click", "FormValues", "fills", "handles"]
