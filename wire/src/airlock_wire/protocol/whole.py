"""
The whole protocol: every message that a runner may send, ours or Airflow's, and everything it may be answered.

Our own runner sends few of them, so this is apart from ``messages``: to define a hundred types costs ten milliseconds
that no start of ours has. The sidecar loads it while the server answers /run.
"""

from typing import TypeAlias

import msgspec

from airlock_wire.protocol import changes, endings, lookups, messages, stores

#: What a runner that executes a task instance may ask. All 55 of Airflow 3.3's task-sdk.
FromTask: TypeAlias = (
    messages.SucceedTask
    | messages.RetryTask
    | messages.TaskState
    | endings.DeferTask
    | endings.RescheduleTask
    | endings.AwaitInputTask
    | messages.GetVariable
    | lookups.GetVariableKeys
    | changes.PutVariable
    | changes.DeleteVariable
    | messages.GetConnection
    | messages.GetXCom
    | lookups.GetXComCount
    | lookups.GetXComSequenceItem
    | lookups.GetXComSequenceSlice
    | messages.SetXCom
    | changes.DeleteXCom
    | messages.SetRenderedFields
    | changes.SetRenderedMapIndex
    | changes.SkipDownstreamTasks
    | lookups.GetAssetByName
    | lookups.GetAssetByUri
    | lookups.GetAssetsByAlias
    | lookups.GetAssetEventByAsset
    | lookups.GetAssetEventByAssetAlias
    | lookups.ValidateInletsAndOutlets
    | lookups.GetDag
    | changes.TriggerDagRun
    | lookups.GetDagRun
    | lookups.GetDagRunState
    | lookups.GetDRCount
    | lookups.GetPreviousDagRun
    | lookups.GetPrevSuccessfulDagRun
    | lookups.GetTICount
    | lookups.GetTaskStates
    | lookups.GetTaskBreadcrumbs
    | lookups.GetPreviousTI
    | lookups.GetTaskRescheduleStartDate
    | stores.GetTaskStateStore
    | stores.SetTaskStateStore
    | stores.DeleteTaskStateStore
    | stores.ClearTaskStateStore
    | stores.GetAssetStateStoreByName
    | stores.GetAssetStateStoreByUri
    | stores.SetAssetStateStoreByName
    | stores.SetAssetStateStoreByUri
    | stores.DeleteAssetStateStoreByName
    | stores.DeleteAssetStateStoreByUri
    | stores.ClearAssetStateStoreByName
    | stores.ClearAssetStateStoreByUri
    | changes.CreateHITLDetailPayload
    | changes.GetHITLDetailResponse
    | changes.UpdateHITLDetail
    | messages.MaskSecret
    | changes.ResendLoggingFD
)

#: What it may be answered. All 30 of them.
ToTask: TypeAlias = (
    messages.StartupDetails
    | messages.VariableResult
    | lookups.VariableKeysResult
    | messages.ConnectionResult
    | messages.XComResult
    | lookups.XComCountResponse
    | lookups.XComSequenceIndexResult
    | lookups.XComSequenceSliceResult
    | lookups.AssetResult
    | lookups.AssetsByAliasResult
    | lookups.AssetEventsResult
    | lookups.InactiveAssetsResult
    | lookups.DagResult
    | lookups.DagRunResult
    | lookups.DagRunStateResult
    | lookups.DRCount
    | lookups.PreviousDagRunResult
    | lookups.PrevSuccessfulDagRunResult
    | lookups.TICount
    | lookups.TaskStatesResult
    | lookups.TaskBreadcrumbsResult
    | lookups.PreviousTIResult
    | lookups.TaskRescheduleStartDate
    | stores.TaskStateStoreResult
    | stores.AssetStateStoreResult
    | changes.CreateHITLDetailPayload
    | changes.HITLDetailRequestResult
    | changes.SentFDs
    | messages.OKResponse
    | messages.ErrorResponse
)

#: The messages after which a launch has said its last word about the task's state.
TERMINAL = (
    messages.SucceedTask,
    messages.RetryTask,
    messages.TaskState,
    endings.DeferTask,
    endings.RescheduleTask,
    endings.AwaitInputTask,
)


class LargeSetXCom(messages.SetXCom, frozen=True, kw_only=True, tag="SetXCom"):
    """The same message with its value left as it came: msgpack, for a side that only passes it on."""

    value: msgspec.Raw


_large_decoder = msgspec.msgpack.Decoder(LargeSetXCom)
_decoder = msgspec.msgpack.Decoder(FromTask | messages.DagFileParsingResult)


class UnknownMessage(Exception):
    """The body decodes, but its type is none that we serve, or its fields are wrong. The text names the field."""


def large_xcom(body: bytes | msgspec.Raw) -> LargeSetXCom | None:
    """An XCom to store whose value is left as it came; None for another message, or for none."""
    try:
        return _large_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def decode(body: bytes | msgspec.Raw, *, large: bool = False) -> FromTask | messages.DagFileParsingResult:
    """
    A runner's message from the msgpack of its body; raises UnknownMessage. With ``large`` an XCom to store comes as
    LargeSetXCom.
    """
    if large and (found := large_xcom(body)) is not None:
        return found
    try:
        message: FromTask | messages.DagFileParsingResult = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise UnknownMessage(str(e)) from e
    return message
