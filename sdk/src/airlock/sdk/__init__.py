"""
The API for DAG authors.

    from airlock.sdk import DAG, task

    with DAG("hello"):

        @task
        def greet():
            return "Hello!"

        greet()

A name is imported at its first use: a task pays for what it uses.
"""

import typing as _typing

from airlock.sdk.definitions.dag import DAG, dag
from airlock.sdk.definitions.decorators.task import task
from airlock.sdk.exceptions import (
    AirlockException,
    AirlockFailException,
    AirlockRuntimeError,
    AirlockSkipException,
    ConnectionNotFound,
    PermissionDenied,
    TaskTerminated,
    VariableNotFound,
)

if _typing.TYPE_CHECKING:
    from airlock.sdk._masking import mask_secret as mask_secret
    from airlock.sdk._retention import NEVER_EXPIRE as NEVER_EXPIRE
    from airlock.sdk.bases.branch import BaseBranchOperator as BaseBranchOperator
    from airlock.sdk.bases.branch import BranchMixIn as BranchMixIn
    from airlock.sdk.bases.hook import BaseHook as BaseHook
    from airlock.sdk.bases.notifier import BaseNotifier as BaseNotifier
    from airlock.sdk.bases.operator import BaseAsyncOperator as BaseAsyncOperator
    from airlock.sdk.bases.operator import BaseOperator as BaseOperator
    from airlock.sdk.bases.operatorlink import BaseOperatorLink as BaseOperatorLink
    from airlock.sdk.bases.resumablejobmixin import ResumableJobMixin as ResumableJobMixin
    from airlock.sdk.bases.sensor import BaseSensorOperator as BaseSensorOperator
    from airlock.sdk.bases.sensor import PokeReturnValue as PokeReturnValue
    from airlock.sdk.bases.skipmixin import SkipMixin as SkipMixin
    from airlock.sdk.bases.xcom import BaseXCom as BaseXCom
    from airlock.sdk.basis.rules import TriggerRule as TriggerRule
    from airlock.sdk.basis.rules import WeightRule as WeightRule
    from airlock.sdk.basis.states import DagRunState as DagRunState
    from airlock.sdk.basis.states import TaskInstanceState as TaskInstanceState
    from airlock.sdk.configuration import conf as conf
    from airlock.sdk.definitions.asset import Asset as Asset
    from airlock.sdk.definitions.asset import AssetAccessControl as AssetAccessControl
    from airlock.sdk.definitions.asset import AssetAlias as AssetAlias
    from airlock.sdk.definitions.asset import AssetAll as AssetAll
    from airlock.sdk.definitions.asset import AssetAny as AssetAny
    from airlock.sdk.definitions.asset import AssetNameRef as AssetNameRef
    from airlock.sdk.definitions.asset import AssetRef as AssetRef
    from airlock.sdk.definitions.asset import AssetUriRef as AssetUriRef
    from airlock.sdk.definitions.asset import AssetWatcher as AssetWatcher
    from airlock.sdk.definitions.asset import Metadata as Metadata
    from airlock.sdk.definitions.asset.decorators import asset as asset
    from airlock.sdk.definitions.callback import AsyncCallback as AsyncCallback
    from airlock.sdk.definitions.callback import SyncCallback as SyncCallback
    from airlock.sdk.definitions.connection import Connection as Connection
    from airlock.sdk.definitions.context import Context as Context
    from airlock.sdk.definitions.context import get_current_context as get_current_context
    from airlock.sdk.definitions.deadline import BaseDeadlineReference as BaseDeadlineReference
    from airlock.sdk.definitions.deadline import DeadlineAlert as DeadlineAlert
    from airlock.sdk.definitions.deadline import DeadlineReference as DeadlineReference
    from airlock.sdk.definitions.deadline import deadline_reference as deadline_reference
    from airlock.sdk.definitions.decorators.setup_teardown import result as result
    from airlock.sdk.definitions.decorators.setup_teardown import setup as setup
    from airlock.sdk.definitions.decorators.setup_teardown import teardown as teardown
    from airlock.sdk.definitions.decorators.task_group import task_group as task_group
    from airlock.sdk.definitions.graph.edges import EdgeModifier as EdgeModifier
    from airlock.sdk.definitions.graph.edges import Label as Label
    from airlock.sdk.definitions.graph.edges import chain as chain
    from airlock.sdk.definitions.graph.edges import chain_linear as chain_linear
    from airlock.sdk.definitions.graph.edges import cross_downstream as cross_downstream
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup as TaskGroup
    from airlock.sdk.definitions.param import Param as Param
    from airlock.sdk.definitions.param import ParamsDict as ParamsDict
    from airlock.sdk.definitions.parsing_context import get_parsing_context as get_parsing_context
    from airlock.sdk.definitions.partitions.keys import AllowedKeyMapper as AllowedKeyMapper
    from airlock.sdk.definitions.partitions.keys import ChainMapper as ChainMapper
    from airlock.sdk.definitions.partitions.keys import FixedKeyMapper as FixedKeyMapper
    from airlock.sdk.definitions.partitions.keys import IdentityMapper as IdentityMapper
    from airlock.sdk.definitions.partitions.keys import ProductMapper as ProductMapper
    from airlock.sdk.definitions.partitions.mapper import PartitionMapper as PartitionMapper
    from airlock.sdk.definitions.partitions.mapper import RollupMapper as RollupMapper
    from airlock.sdk.definitions.partitions.temporal import FanOutMapper as FanOutMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfDayMapper as StartOfDayMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfHourMapper as StartOfHourMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfMonthMapper as StartOfMonthMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfQuarterMapper as StartOfQuarterMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfWeekMapper as StartOfWeekMapper
    from airlock.sdk.definitions.partitions.temporal import StartOfYearMapper as StartOfYearMapper
    from airlock.sdk.definitions.partitions.wait_policy import MinimumCount as MinimumCount
    from airlock.sdk.definitions.partitions.wait_policy import WaitForAll as WaitForAll
    from airlock.sdk.definitions.partitions.window import DayWindow as DayWindow
    from airlock.sdk.definitions.partitions.window import HourWindow as HourWindow
    from airlock.sdk.definitions.partitions.window import MonthWindow as MonthWindow
    from airlock.sdk.definitions.partitions.window import QuarterWindow as QuarterWindow
    from airlock.sdk.definitions.partitions.window import SegmentWindow as SegmentWindow
    from airlock.sdk.definitions.partitions.window import WeekWindow as WeekWindow
    from airlock.sdk.definitions.partitions.window import Window as Window
    from airlock.sdk.definitions.partitions.window import YearWindow as YearWindow
    from airlock.sdk.definitions.retry_policy import ExceptionRetryPolicy as ExceptionRetryPolicy
    from airlock.sdk.definitions.retry_policy import RetryAction as RetryAction
    from airlock.sdk.definitions.retry_policy import RetryDecision as RetryDecision
    from airlock.sdk.definitions.retry_policy import RetryPolicy as RetryPolicy
    from airlock.sdk.definitions.retry_policy import RetryRule as RetryRule
    from airlock.sdk.definitions.template import literal as literal
    from airlock.sdk.definitions.variable import Variable as Variable
    from airlock.sdk.definitions.xcom_arg import XComArg as XComArg
    from airlock.sdk.execution_time.task_instance import TaskInstance as TaskInstance
    from airlock.sdk.io import ObjectStoragePath as ObjectStoragePath
    from airlock.sdk.timetables.assets import AssetOrTimeSchedule as AssetOrTimeSchedule
    from airlock.sdk.timetables.assets import PartitionedAssetTimetable as PartitionedAssetTimetable
    from airlock.sdk.timetables.assets import PartitionedAtRuntime as PartitionedAtRuntime
    from airlock.sdk.timetables.events import EventsTimetable as EventsTimetable
    from airlock.sdk.timetables.interval import CronDataIntervalTimetable as CronDataIntervalTimetable
    from airlock.sdk.timetables.interval import DeltaDataIntervalTimetable as DeltaDataIntervalTimetable
    from airlock.sdk.timetables.trigger import CronPartitionTimetable as CronPartitionTimetable
    from airlock.sdk.timetables.trigger import CronTriggerTimetable as CronTriggerTimetable
    from airlock.sdk.timetables.trigger import DeltaTriggerTimetable as DeltaTriggerTimetable
    from airlock.sdk.timetables.trigger import MultipleCronTriggerTimetable as MultipleCronTriggerTimetable

#: The modules of the names, which are imported at their first use.
_HOMES: _typing.Final = {
    "airlock.sdk.definitions.connection": ("Connection",),
    "airlock.sdk.definitions.context": ("Context", "get_current_context"),
    "airlock.sdk._masking": ("mask_secret",),
    "airlock.sdk._retention": ("NEVER_EXPIRE",),
    "airlock.sdk.definitions.variable": ("Variable",),
    "airlock.sdk.bases.branch": ("BaseBranchOperator", "BranchMixIn"),
    "airlock.sdk.bases.hook": ("BaseHook",),
    "airlock.sdk.bases.notifier": ("BaseNotifier",),
    "airlock.sdk.bases.operator": ("BaseAsyncOperator", "BaseOperator"),
    "airlock.sdk.bases.operatorlink": ("BaseOperatorLink",),
    "airlock.sdk.bases.sensor": ("BaseSensorOperator", "PokeReturnValue"),
    "airlock.sdk.bases.resumablejobmixin": ("ResumableJobMixin",),
    "airlock.sdk.bases.skipmixin": ("SkipMixin",),
    "airlock.sdk.bases.xcom": ("BaseXCom",),
    "airlock.sdk.configuration": ("conf",),
    "airlock.sdk.definitions.asset": (
        "Asset",
        "AssetAccessControl",
        "AssetAlias",
        "AssetAll",
        "AssetAny",
        "AssetNameRef",
        "AssetRef",
        "AssetUriRef",
        "AssetWatcher",
        "Metadata",
    ),
    "airlock.sdk.definitions.asset.decorators": ("asset",),
    "airlock.sdk.definitions.decorators.setup_teardown": ("result", "setup", "teardown"),
    "airlock.sdk.definitions.decorators.task_group": ("task_group",),
    "airlock.sdk.definitions.graph.edges": ("EdgeModifier", "Label", "chain", "chain_linear", "cross_downstream"),
    "airlock.sdk.definitions.graph.taskgroup": ("TaskGroup",),
    "airlock.sdk.definitions.template": ("literal",),
    "airlock.sdk.definitions.xcom_arg": ("XComArg",),
    "airlock.sdk.execution_time.task_instance": ("TaskInstance",),
    "airlock.sdk.io": ("ObjectStoragePath",),
    "airlock.sdk.basis.rules": ("TriggerRule", "WeightRule"),
    "airlock.sdk.basis.states": ("DagRunState", "TaskInstanceState"),
    "airlock.sdk.definitions.callback": ("AsyncCallback", "SyncCallback"),
    "airlock.sdk.definitions.deadline": (
        "BaseDeadlineReference",
        "DeadlineAlert",
        "DeadlineReference",
        "deadline_reference",
    ),
    "airlock.sdk.definitions.param": ("Param", "ParamsDict"),
    "airlock.sdk.definitions.parsing_context": ("get_parsing_context",),
    "airlock.sdk.definitions.partitions.keys": (
        "AllowedKeyMapper",
        "ChainMapper",
        "FixedKeyMapper",
        "IdentityMapper",
        "ProductMapper",
    ),
    "airlock.sdk.definitions.partitions.mapper": ("PartitionMapper", "RollupMapper"),
    "airlock.sdk.definitions.partitions.temporal": (
        "FanOutMapper",
        "StartOfDayMapper",
        "StartOfHourMapper",
        "StartOfMonthMapper",
        "StartOfQuarterMapper",
        "StartOfWeekMapper",
        "StartOfYearMapper",
    ),
    "airlock.sdk.definitions.partitions.wait_policy": ("MinimumCount", "WaitForAll"),
    "airlock.sdk.definitions.partitions.window": (
        "DayWindow",
        "HourWindow",
        "MonthWindow",
        "QuarterWindow",
        "SegmentWindow",
        "WeekWindow",
        "Window",
        "YearWindow",
    ),
    "airlock.sdk.definitions.retry_policy": (
        "ExceptionRetryPolicy",
        "RetryAction",
        "RetryDecision",
        "RetryPolicy",
        "RetryRule",
    ),
    "airlock.sdk.timetables.assets": ("AssetOrTimeSchedule", "PartitionedAssetTimetable", "PartitionedAtRuntime"),
    "airlock.sdk.timetables.events": ("EventsTimetable",),
    "airlock.sdk.timetables.interval": ("CronDataIntervalTimetable", "DeltaDataIntervalTimetable"),
    "airlock.sdk.timetables.trigger": (
        "CronPartitionTimetable",
        "CronTriggerTimetable",
        "DeltaTriggerTimetable",
        "MultipleCronTriggerTimetable",
    ),
}
_HOME: _typing.Final = {name: module for module, names in _HOMES.items() for name in names}

# ObjectStoragePath is not in it: ``import *`` would need the packages of the extra ``io``.
__all__ = [  # noqa: PLE0604 - the names of the table are texts
    "DAG",
    "AirlockException",
    "AirlockFailException",
    "AirlockRuntimeError",
    "AirlockSkipException",
    "ConnectionNotFound",
    "PermissionDenied",
    "TaskTerminated",
    "VariableNotFound",
    "dag",
    "task",
    *sorted(_HOME.keys() - {"ObjectStoragePath"}),
]


def __getattr__(name: str) -> _typing.Any:
    """Returns a name that is imported at its first use."""
    home = _HOME.get(name)
    if name == "macros":
        from airlock.sdk.execution_time import macros

        return macros
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the names, for an editor."""
    return [*__all__, "ObjectStoragePath", "macros"]
