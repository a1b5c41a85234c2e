"""What of the executor can be told without a scheduler."""

import asyncio

from snakemake_executor_plugin_drmaa_verified import Executor


def test_a_sweep_without_jobs_touches_nothing_that_may_not_be_there_yet():
    """The base class starts its thread before `__post_init__`; an error there hangs Snakemake."""

    async def sweep(executor):
        return [info async for info in executor.check_active_jobs([])]

    assert asyncio.run(sweep(Executor.__new__(Executor))) == []
