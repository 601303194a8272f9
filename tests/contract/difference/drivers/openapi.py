"""
Runs in Airflow's environment: prints the OpenAPI document of the Execution API's newest version.

It is asked for inside this process, because over HTTP Airflow 3.3.2 sends it with the length of another text.
"""

import asyncio

import httpx
from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI
from airflow.api_fastapi.execution_api.versions import bundle


async def document():
    transport = InProcessExecutionAPI().atransport
    async with httpx.AsyncClient(transport=transport, base_url="http://in-process") as client:
        answer = await client.get("/openapi.json", params={"version": bundle.versions[0].value})
    return answer.raise_for_status().text


print(asyncio.run(document()))
