"""Coroutines: a task that is `async def` runs in an event loop of its own, and waits for many things at once."""

import asyncio

from airlock.sdk import DAG, task

with DAG("asyncio_tasks", tags=["example"]):

    @task
    async def fetch_all():
        """Ten waits of a tenth of a second take a tenth of a second."""

        async def fetch(number):
            await asyncio.sleep(0.1)
            return number * number

        return await asyncio.gather(*(fetch(number) for number in range(10)))

    @task
    def total(squares):
        return sum(squares)

    total(fetch_all())
