"""The environment of a renderer child: an allow-list, so that no secret of the server gets into an engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

_ALLOWED: Final = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR TEMP TMP XDG_* SYSTEMROOT
    PYTHON* VIRTUAL_ENV CONDA_PREFIX LD_LIBRARY_PATH LD_PRELOAD DYLD_* MALLOC_* FONTCONFIG_* NO_COLOR
    OMP_* KMP_* MKL_* OPENBLAS_* NUMEXPR_* VECLIB_*
    CUDA_* NVIDIA_* NCCL_* ROCM_* ROCR_* HIP_* HSA_* TORCH* PYTORCH_* TRITON_*
    HF_* HUGGINGFACE_* TRANSFORMERS_* DIFFUSERS_* TOKENIZERS_* SAFETENSORS_*
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    SSL_CERT_* REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
"""
"""Patterns of names: system and locale; Python and native libraries; threads; GPUs; models and caches; network."""
_RESTRICTED: Final = "*TOKEN *KEY *SECRET *PASSWORD *CREDENTIALS"
"""Not for every engine, although the name matches a pattern above: HF_TOKEN, for example."""


def child_environment(names: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables of this process that a child gets, with this process's import path as PYTHONPATH.

    Args:
        names: further variables, which the child's engine asks for (`ProcessPolicy.environment`).
    """
    own = frozenset(names)
    environment = {name: value for name, value in os.environ.items() if name in own or _is_allowed(name)}
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return environment


def _is_allowed(name: str) -> bool:
    return _matches(name, _ALLOWED) and not _matches(name, _RESTRICTED)


def _matches(name: str, patterns: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns.split())
