"""
A group of tasks as plain data.
"""

import msgspec

from airlock_wire.dags.mapping import Expansion


class SerializedGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One group. ``children`` are the ids of tasks and groups directly in it, in the order in which the author made them.

    The groups and tasks before and after it are those of the author's arrows, and are sorted. The arrows between tasks
    that follow from them are in the tasks.
    """

    group_id: str
    #: None for a group directly in the DAG.
    parent_group_id: str | None = None
    #: The name for people; None: the id without its prefix.
    display_name: str | None = None
    tooltip: str = ""
    doc_md: str | None = None
    ui_color: str = "CornflowerBlue"
    ui_fgcolor: str = "#000"
    prefix_group_id: bool = True
    children: list[str] = []
    expansion: Expansion | None = None
    upstream_group_ids: list[str] = []
    downstream_group_ids: list[str] = []
    upstream_task_ids: list[str] = []
    downstream_task_ids: list[str] = []
