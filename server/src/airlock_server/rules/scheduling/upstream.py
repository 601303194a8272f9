"""
What the tasks before an instance say of it: setups, its trigger rule, a teardown's scope, the sources of a mapping.
"""

from airlock_server.rules.scheduling import trigger_rules
from airlock_server.rules.scheduling.board import Board, Indexes
from airlock_server.rules.scheduling.mapping import Lengths
from airlock_server.rules.scheduling.snapshot import UNMAPPED, Key
from airlock_server.rules.scheduling.trigger_rules import Verdict
from airlock_wire.dags.words import TriggerRule
from airlock_wire.states import FINISHED, TaskInstanceState

_S = TaskInstanceState

#: Rules that some of the tasks before may satisfy. An instance that is not expanded yet would be decided too early by
#: them if only some instances counted.
_EARLY = frozenset(
    {
        TriggerRule.ONE_SUCCESS,
        TriggerRule.ONE_FAILED,
        TriggerRule.ONE_DONE,
        TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    }
)
_PASSES = Verdict(passes=True)


def verdicts(board: Board, lengths: Lengths, key: Key) -> list[Verdict]:
    """
    Returns what speaks about an instance, in the order in which a state that one of them gives counts.

    The instance may run if all of them pass.
    """
    graph = board.graph
    task = graph.tasks[key.task_id]
    upstream = graph.upstream[key.task_id]
    mapped = _mapped_sources(board, key)
    if not upstream or task.trigger_rule is TriggerRule.ALWAYS:
        return [mapped]

    def indexes(other_id: str) -> Indexes:
        return _relevant(board, lengths, key, other_id)

    chosen = indexes if graph.groups_around(key.task_id) else None
    rule = TriggerRule.ALL_DONE_SETUP_SUCCESS if task.is_teardown else task.trigger_rule
    direct = trigger_rules.evaluate(rule, board.count(upstream, chosen), key.map_index)
    if task.is_teardown:
        scope = board.count(graph.teardown_scope(key.task_id), chosen)
        return [direct, Verdict(scope.all_done), mapped]
    setups = board.count(graph.relevant_setups(key.task_id) - upstream, chosen)
    return [trigger_rules.evaluate_setups(setups, key.map_index), direct, mapped]


def _relevant(board: Board, lengths: Lengths, key: Key, other_id: str) -> Indexes:
    early = key.map_index < 0 and board.graph.tasks[key.task_id].trigger_rule in _EARLY
    if early and other_id not in board.graph.expansion_sources(key.task_id):
        return None
    return lengths.relevant(key.task_id, key.map_index, other_id)


def _mapped_sources(board: Board, key: Key) -> Verdict:
    """Returns what the tasks say whose values an instance is mapped over, if they ended without being expanded."""
    rows = (board.get(Key(each, UNMAPPED)) for each in board.graph.nearest_sources(key.task_id))
    states = {row.state for row in rows if row is not None and row.state in FINISHED}
    if states <= {_S.SUCCESS}:
        return _PASSES
    if states & {_S.FAILED, _S.UPSTREAM_FAILED}:
        return Verdict(passes=False, state=_S.UPSTREAM_FAILED)
    return Verdict(passes=False, state=_S.SKIPPED if _S.SKIPPED in states else None)
