"""
Asks Airflow's example of an own timetable, in Airflow's interpreter. Standard input: a JSON list of questions, each with
``manual``, or with ``last``, ``earliest``, ``latest`` and ``catchup``; moments are texts. An answer is the moment after
which the run comes, the two ends of its interval and its id; null for no run.
"""

import json
import sys
from datetime import datetime

import pendulum
from airflow.example_dags.plugins.workday import AfterWorkdayTimetable
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.utils.types import DagRunType


def moment(text):
    return None if text is None else pendulum.instance(datetime.fromisoformat(text))


def answer(table, question):
    if "manual" in question:
        run_after = moment(question["manual"])
        interval, run_type = table.infer_manual_data_interval(run_after=run_after), DagRunType.MANUAL
    else:
        last = question["last"]
        info = table.next_dagrun_info_v2(
            last_dagrun_info=last and DagRunInfo(moment(last[1]), DataInterval(*map(moment, last)), None, None),
            restriction=TimeRestriction(moment(question["earliest"]), moment(question["latest"]), question["catchup"]),
        )
        if info is None:
            return None
        run_after, interval, run_type = info.run_after, info.data_interval, DagRunType.SCHEDULED
    run_id = table.generate_run_id(run_type=run_type, run_after=run_after, data_interval=interval)
    return [*(each.isoformat() for each in (run_after, interval.start, interval.end)), run_id]


answers = [answer(AfterWorkdayTimetable(), each) for each in json.load(sys.stdin)]
print("\n" + json.dumps(answers))
