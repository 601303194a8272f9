"""Airflow's data interval for a run by hand, of cron expressions, zones and moments."""

import json
import sys

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

intervals = []
for case in json.load(sys.stdin):
    timetable = CronDataIntervalTimetable(case["expression"], case["timezone"])
    interval = timetable.infer_manual_data_interval(run_after=pendulum.parse(case["moment"]))
    intervals.append([interval.start.timestamp(), interval.end.timestamp()])
json.dump(intervals, sys.stdout)
