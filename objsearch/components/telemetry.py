"""Nothing is sent anywhere: the parts that report home by default are told not to, or not to chat.

ONNX Runtime sends telemetry from the moment it is imported; Ultralytics looks at the network,
installs packages and sends statistics. Both read these variables when they are imported.
"""

from __future__ import annotations

import os

_QUIET = {
    "ORT_DISABLE_TELEMETRY": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SAFE_LOAD": "true",  # weights from elsewhere hold tensors, never code
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANCE_LOG": "error",  # it warns of its own queues, thousands of times amid millions of vectors
}


def keep_quiet() -> None:
    """Call before a framework is imported; a value that the user has set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
