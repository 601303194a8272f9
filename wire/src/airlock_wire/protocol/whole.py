"""
The whole protocol: every message that a runner, ours or Airflow's, may send, and every answer.

Our own runner sends few of them, so they are not in ``messages``: defining a hundred types takes ten milliseconds,
which would delay every start. The sidecar imports this module while the server answers /run.
"""

from typing import TypeAlias

import msgspec

from airlock_wire.protocol import callbacks, changes, endings, lookups, messages, stores, timetables, triggers

#: The requests of a runner that executes a task instance: all 55 of Airflow 3.3's task-sdk, and
#: ClearAllTaskStateStore.
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
    | stores.ClearAllTaskStateStore
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

#: The answers to them, all 30.
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
    | messages.TaskStateStoreResult
    | stores.AssetStateStoreResult
    | changes.CreateHITLDetailPayload
    | changes.HITLDetailRequestResult
    | changes.SentFDs
    | messages.OKResponse
    | messages.ErrorResponse
)

#: The messages by which a launch reports the task's state, of which it may send one.
TERMINAL = (
    messages.SucceedTask,
    messages.RetryTask,
    messages.TaskState,
    endings.DeferTask,
    endings.RescheduleTask,
    endings.AwaitInputTask,
)


class LargeSetXCom(messages.SetXCom, frozen=True, kw_only=True, tag="SetXCom"):
    """SetXCom with its value left undecoded, as msgpack, for a side that only passes it on."""

    value: msgspec.Raw


_large_decoder = msgspec.msgpack.Decoder(LargeSetXCom)
_Decoded: TypeAlias = (
    FromTask
    | messages.DagFileParsingResult
    | triggers.TriggerResult
    | timetables.TimetableResult
    | callbacks.CallbackResult
)
_decoder = msgspec.msgpack.Decoder(_Decoded)


class UnknownMessage(Exception):
    """The body decodes, but no message has its type, or its fields are wrong. The text names the field."""


def large_xcom(body: bytes | msgspec.Raw) -> LargeSetXCom | None:
    """Returns a SetXCom whose value is left undecoded; None for any other body."""
    try:
        return _large_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def decode(body: bytes | msgspec.Raw, *, large: bool = False) -> _Decoded:
    """
    Decodes a runner's message from the msgpack of its body; raises UnknownMessage. With ``large`` a SetXCom is decoded
    as LargeSetXCom.
    """
    if large and (large_message := large_xcom(body)) is not None:
        return large_message
    try:
        message: _Decoded = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise UnknownMessage(str(e)) from e
    return message
