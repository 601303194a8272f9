"""How long a task's kept values last."""

from datetime import timedelta
from typing import Final

#: As the ``retention`` of a value: it never expires.
NEVER_EXPIRE: Final = timedelta.max
