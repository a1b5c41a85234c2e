"""What of Slurm can be told without one."""

import asyncio
import logging

from iota2_tools.cluster import slurm


def new_plugin() -> type:
    """As Snakemake's plugin: it loses its jobs without an answer. Here it finds each well ended."""

    class Plugin:
        logger = logging.getLogger("plugin")

        async def check_active_jobs(self, active_jobs):
            for _ in ():
                yield

    return Plugin


async def look(plugin: object) -> list[str]:
    return [job async for job in plugin.check_active_jobs(["1", "2"])]


def test_no_job_is_judged_while_slurm_is_silent_and_that_is_told_once(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    plugin = new_plugin()
    slurm.wait_while_silent(plugin)
    monkeypatch.setattr(slurm, "answers", lambda: False)
    assert asyncio.run(look(plugin())) == ["1", "2"]
    assert asyncio.run(look(plugin())) == ["1", "2"]
    monkeypatch.setattr(slurm, "answers", lambda: True)
    assert asyncio.run(look(plugin())) == []
    assert [text.split(".")[0] for text in caplog.messages] == [
        "Slurm does not answer",
        "Slurm answers again",
    ]
