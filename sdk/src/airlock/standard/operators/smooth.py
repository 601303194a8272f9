"""A task that recommends a song."""

from typing import Any

from airlock.sdk.bases.operator import BaseOperator


class SmoothOperator(BaseOperator):
    """Logs where to hear Sade's "Smooth Operator"."""

    ui_color = "#e8f7e4"
    yt_link: str = "https://www.youtube.com/watch?v=4TYv2PhG89A"

    def execute(self, context: Any) -> None:
        """Logs the address."""
        del context
        self.log.info("Enjoy Sade - Smooth Operator: %s", self.yt_link)
