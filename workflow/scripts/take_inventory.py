"""Snakemake adapter of iota2_tools.timeseries.inventory.write_inventory."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.timeseries.inventory import write_inventory

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_inventory(
        tile=snakemake.wildcards.tile,
        grid=Grid(**snakemake.params.grid),
        products=snakemake.params.products,
        user_features=snakemake.params.user_features,
        damaged=snakemake.params.damaged,
        output=snakemake.output.inventory,
    )
