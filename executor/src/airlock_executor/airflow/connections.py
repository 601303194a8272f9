"""Reads connections that are texts of an environment, by Airflow's own code: a URI or JSON."""

import logging
from collections.abc import Mapping
from typing import Any

from airflow.configuration import conf
from airflow.models.connection import Connection

from airlock_executor import lookups

log = logging.getLogger(__name__)


def answers(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """
    Returns what the Execution API would answer for each connection of an environment, by the variable's name. One that
    cannot be read is left out with a warning: the server is asked for it. So is one of Airflow's own services.
    """
    by_name = {}
    for name, text in lookups.among(environ).items():
        if not name.upper().startswith(lookups.CONNECTION):
            continue
        conn_id = name.upper().removeprefix(lookups.CONNECTION)
        try:
            connection = (
                Connection.from_json(text, conn_id=conn_id)
                if text.lstrip().startswith("{")
                else Connection(conn_id=conn_id, uri=text)
            )
            by_name[name] = {
                "conn_id": conn_id,
                "conn_type": connection.conn_type,
                "host": connection.host,
                "schema": connection.schema,
                "login": connection.login,
                "password": connection.password,
                "port": connection.port,
                "extra": connection.extra,
            }
        except Exception as e:  # noqa: BLE001 - whatever is wrong with its text, which an error would show
            reason = type(e).__name__
            log.warning("%s is not a connection (%s): correct it; tasks ask the API server for it", name, reason)
    options = ("sql_alchemy_conn", "sql_alchemy_conn_async")
    for name in lookups.of_services(by_name, [conf.get("database", each, fallback="") or "" for each in options]):
        log.warning("%s is how Airflow's own services reach their database: tasks do not get it", name)
        del by_name[name]
    return by_name
