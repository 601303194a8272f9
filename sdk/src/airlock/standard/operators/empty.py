"""A task that does nothing."""

from typing import Any

from airlock.sdk.bases.operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing: it joins or parts other tasks. A scheduler may complete it without a process."""

    ui_color = "#e8f7e4"

    def execute(self, context: Any) -> None:
        """Does nothing."""
        del context
