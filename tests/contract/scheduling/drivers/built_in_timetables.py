"""
Asks Airflow's own timetables, in Airflow's interpreter. Standard input: a JSON list of cases, each with ``make`` (a class and its
arguments), ``now``, and ``manual`` or ``last``, ``earliest``, ``latest`` and ``catchup``; moments are texts. An answer is the moment
after which the run comes, its interval's two ends, its partition's date and key; null for no run.
"""

import json
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pendulum
from airflow.timetables import events, interval, simple, trigger
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from dateutil.relativedelta import relativedelta


def moment(text):
    return None if text is None else pendulum.instance(datetime.fromisoformat(text))


def value(given):
    if isinstance(given, dict):
        return timedelta(seconds=given["seconds"]) if "seconds" in given else relativedelta(**given)
    if isinstance(given, list):
        return [moment(each) for each in given]
    return given


def made(kind, positional, keyword):
    kinds = {**vars(simple), **vars(events), **vars(interval), **vars(trigger)}
    return kinds[kind](*map(value, positional), **{name: value(each) for name, each in keyword.items()})


def shown(info):
    ends = info.data_interval or (None, None)
    moments = (info.run_after, *ends, info.partition_date)
    return [*(each and each.timestamp() for each in moments), info.partition_key]


def answer(case):
    now = moment(case["now"])
    interval.utcnow = trigger.utcnow = lambda: now
    simple.timezone = events.timezone = SimpleNamespace(utcnow=lambda: now, coerce_datetime=pendulum.instance)
    trigger.time = SimpleNamespace(time=now.timestamp)
    table = made(*case["make"])
    if "manual" in case:
        run_after = moment(case["manual"])
        ends = table.infer_manual_data_interval(run_after=run_after)
        return [run_after.timestamp(), *(each.timestamp() for each in ends), None, None]
    last = case["last"]
    info = table.next_dagrun_info_v2(
        last_dagrun_info=last and DagRunInfo(moment(last[1]), DataInterval(*map(moment, last)), None, None),
        restriction=TimeRestriction(moment(case["earliest"]), moment(case["latest"]), case["catchup"]),
    )
    return info and shown(info)


print("\n" + json.dumps([answer(each) for each in json.load(sys.stdin)]))
