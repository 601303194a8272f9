"""
Runs in Airflow's environment: which endpoint of the Execution API each request comes to.

Standard input: a JSON list of [method, path], quoted as a client sends it. Standard output: for each, the endpoint's name
and the path's values as that endpoint gets them, and whether it takes only the token of the task instance in the path;
null without an endpoint.
"""

import json
import sys
from urllib.parse import unquote

from airflow.api_fastapi.execution_api.routes import execution_api_router
from fastapi import FastAPI
from starlette.routing import Match

app = FastAPI()
app.include_router(execution_api_router)


def found(method, path):
    scope = {"type": "http", "method": method, "path": unquote(path), "root_path": "", "headers": []}
    for route in app.router.routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            own = any("ti:self" in (getattr(needed, "scopes", None) or ()) for needed in route.dependencies)
            return [child["endpoint"].__name__, {name: str(value) for name, value in child["path_params"].items()}, own]
    return None


print("\n" + json.dumps([found(*each) for each in json.load(sys.stdin)]))
