"""Snakemake adapter of iota2_tools.reporting.results.write_areas_text."""

from iota2_tools.assessing.areas import read_areas
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.reporting.remarks import gather_without_reference
from iota2_tools.reporting.results import write_areas_text
from iota2_tools.timeseries.inventory import read_inventory

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    nomenclature = read_nomenclature(snakemake.params.legend["path"])
    areas = {
        seed: read_areas(path)
        for seed, path in zip(snakemake.params.seeds, snakemake.input.areas, strict=True)
    }
    inventories = [read_inventory(path) for path in snakemake.input.inventories]
    remarks = gather_without_reference(inventories, areas, nomenclature)
    write_areas_text(areas, nomenclature, snakemake.output.results, remarks)
