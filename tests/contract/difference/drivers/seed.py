"""
Runs in Airflow's environment: writes the world that standard input describes into Airflow's database.

The DAGs are there, because ``airflow dags reserialize`` came before.
"""

import json
import sqlite3
import sys
import uuid
from datetime import datetime

import sqlalchemy as sa
from airflow import settings
from airflow.models import Connection, Variable
from airflow.models.asset import AssetActive, AssetAliasModel, AssetEvent, AssetModel
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.models.connection_test import ConnectionTestRequest
from airflow.models.dag import DagModel
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType, DagRunType

given = json.load(sys.stdin)


def moment(text):
    return None if text is None else datetime.fromisoformat(text)


def seed_assets(session):
    """Some assets and aliases are there from the DAGs' file already."""
    session.execute(sa.delete(AssetActive))
    numbers = {}
    for each in given["assets"]:
        name, uri = each["name"], each["uri"]
        row = session.query(AssetModel).filter_by(name=name, uri=uri).one_or_none() or AssetModel(name=name, uri=uri)
        row.group, row.extra = each["group"], each["extra"]
        session.add(row)
        session.flush()
        numbers[uri] = row.id
        if each["active"]:
            session.add(AssetActive(name=name, uri=uri))
    aliases = {}
    for each in given["aliases"]:
        row = session.query(AssetAliasModel).filter_by(name=each["name"]).one_or_none()
        aliases[each["name"]] = row = row or AssetAliasModel(name=each["name"], group="asset")
        row.assets = [session.get(AssetModel, numbers[uri]) for uri in each["assets"]]
        session.add(row)
    for each in given["asset_events"]:
        fields = {name: value for name, value in each.items() if name not in ("asset", "aliases", "timestamp")}
        row = AssetEvent(asset_id=numbers[each["asset"]], timestamp=moment(each["timestamp"]), **fields)
        row.source_aliases = [aliases[name] for name in each["aliases"]]
        session.add(row)
        session.flush()
    for each in given["asset_states"]:
        value = json.dumps(each["value"])
        session.add(AssetStateStoreModel(asset_id=numbers[each["asset"]], key=each["key"], value=value))


bag = DBDagBag()
with create_session() as session:
    for each in given["runs"]:
        dag = bag.get_latest_version_of_dag(each["dag_id"], session=session)
        interval = (
            None
            if each["logical_date"] is None
            else (moment(each["data_interval_start"]), moment(each["data_interval_end"]))
        )
        dag.create_dagrun(
            run_id=each["run_id"],
            logical_date=moment(each["logical_date"]),
            data_interval=interval,
            run_after=moment(each["run_after"]),
            conf=each["conf"],
            run_type=DagRunType(each["run_type"]),
            triggered_by=DagRunTriggeredByType.TEST,
            triggering_user_name=each["triggering_user_name"],
            state=each["state"],
            start_date=moment(each["start_date"]),
            note=each["note"],
            session=session,
        )
        session.flush()
        row = session.query(DagRun).filter_by(dag_id=each["dag_id"], run_id=each["run_id"]).one()
        row.end_date = moment(each["end_date"])
    for dag_id, facts in given["dags"].items():
        for name, value in facts.items():
            setattr(session.get(DagModel, dag_id), name, value)
    for key, value in given["variables"].items():
        Variable.set(key, value, session=session)
    for each in given["connections"]:
        session.add(Connection(**each))
    for each in given["connection_tests"]:
        test = ConnectionTestRequest(
            connection_id=each["conn_id"], conn_type=each["conn_type"], password=each["password"], port=each["port"]
        )
        test.id, test.state, test.commit_on_success = uuid.UUID(each["id"]), each["state"], True
        session.add(test)
    seed_assets(session)

path = settings.engine.url.database
with sqlite3.connect(path, timeout=60) as db:
    names = [row[1] for row in db.execute("PRAGMA table_info(task_instance)")]
    db.row_factory = sqlite3.Row
    templates = {
        row["run_id"]: dict(row) for row in db.execute("SELECT * FROM task_instance WHERE dag_id='d' AND task_id='t'")
    }
    db.execute("DELETE FROM task_instance WHERE dag_id = 'd'")
    for each in given["instances"]:
        row = templates[each["run_id"]] | each
        row["id"] = uuid.UUID(each["id"]).hex
        row["state"] = None if each["state"] == "none" else each["state"]
        for name in ("start_date", "end_date"):
            row[name] = each[name] and moment(each[name]).strftime("%Y-%m-%d %H:%M:%S.%f")
        row["hostname"] = each["hostname"] or ""
        db.execute(
            f"INSERT INTO task_instance ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [json.dumps(row[name]) if isinstance(row[name], dict) else row[name] for name in names],
        )
db.close()
print("seeded")
