"""The images of the tiles as their jobs will look at them: headers, and blocks of pixels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.findings import Finding, Severity, findings_in, findings_of
from iota2_tools.core.remembered import Notebook
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.configuration import SECTIONS
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.timeseries.inputs import TileInputs

if TYPE_CHECKING:
    from iota2_tools.timeseries.inventory import Inventory


def header_findings(production: Production, about: str = "") -> list[Finding]:
    """Everything wrong with the images of the tiles that their headers tell.

    Parameters
    ----------
    about : str
        Name of the configuration, for findings that are about no other file.
    """
    found: list[Finding] = []
    for _, findings in _inventories(production, about):
        found += findings
    return found


def pixel_findings(production: Production, about: str = "") -> list[Finding]:
    """The same, and what some blocks of each image tell; remembered by size and time of the files."""
    from iota2_tools.timeseries.examination import VERSION, examine

    config = production.config
    least = max(config.sampling.cloud_threshold, config.classification.minimum_clear_dates)
    found: list[Finding] = []
    for inventory, findings in _inventories(production, about):
        found += findings
        if inventory is None:
            continue
        folders = {
            name: production.sensor_folder(production.series[name].sensor, inventory.tile)
            for name in inventory.series
        }
        notebook = Notebook(f"examination {VERSION} {inventory.tile} {sorted(folders.items())}")
        found += examine(inventory, folders, least, notebook)
        notebook.save()
    return found


def _inventories(
    production: Production, about: str
) -> Iterator[tuple["Inventory | None", list[Finding]]]:
    """Inventory of each tile, as its job takes it, and what is wrong with its files; None if it cannot."""
    from iota2_tools.timeseries.inventory import take_inventory

    parameters = Parameters(production)
    damaged = production.config.inputs.damaged_acquisition
    for tile in production.tiles:
        inputs = parameters.tile_inputs(tile)
        problems = _unprepared_problems(parameters, tile, inputs)
        found = [item for told in problems for item in findings_in(told, about, "error", SECTIONS)]
        unfit: Severity = "error" if damaged == "stop" else "warning"
        found += [
            item
            for told in _unprepared_faults(parameters, tile, inputs)
            for item in findings_in(told, about, unfit, SECTIONS)
        ]
        # Comparing images with a reference takes a job; the reference itself has been looked at.
        there = inputs.without_prepared().as_they_lie()
        try:
            inventory = take_inventory(there, damaged)
            yield inventory, [*found, *_left_out(inventory, inputs)]
        except Iota2Error as error:
            yield None, [*found, *findings_of(error, about, SECTIONS)]


def _left_out(inventory: "Inventory", inputs: TileInputs) -> Iterator[Finding]:
    """Products that the job leaves out: older versions, and damaged ones where that may be."""
    for products in inputs.products.values():
        for name in products.names:
            reason = inventory.left_out.get(name)
            if reason:
                remedy = "move it away to be rid of this line"
                if not reason.startswith("replaced by"):
                    remedy = "fetch it again, or do without it"
                day = products.format.recognise(name)
                where = str(day.day) if day else ""
                yield Finding(
                    products.folder, where, f"{name} is left out: {reason}", remedy, "warning"
                )


def _unprepared_problems(parameters: Parameters, tile: str, inputs: TileInputs) -> Iterator[str]:
    """Why no product of a sensor can be prepared as the configuration says."""
    from iota2_tools.radar.elevation import dem_problems
    from iota2_tools.timeseries.preparation import grd_settings, power_problems

    for sensor in parameters.production.sensors:
        known = parameters.production.format(sensor)
        if known.passes and known.must_be_prepared:
            settings = grd_settings(parameters.production.section(sensor).options)
            yield from dem_problems(settings.elevation, inputs.grid)
        section = parameters.production.section(sensor)
        if section.options.get("prepare"):
            own = parameters.production.native_grid(sensor, tile)
            yield from power_problems(sensor, own, inputs.grid, bool(section.coregistration))


def _unprepared_faults(parameters: Parameters, tile: str, inputs: TileInputs) -> Iterator[str]:
    """What is wrong with products that will be prepared, as the job will look at them."""
    from iota2_tools.timeseries.headers import FETCH_AGAIN
    from iota2_tools.timeseries.preparation import pass_faults, source_faults

    wanted = {products.sensor: products for products in inputs.products.values()}
    for batch in parameters.batches(tile).values():
        products = wanted[batch.sensor]
        grid = Grid(**products.grid) if batch.format.on_tile else inputs.grid
        for request in batch.requests(products.bands):
            faults = (
                source_faults(request, batch.format, grid)
                if batch.grid is None
                else pass_faults(request)
            )
            for fault in faults:
                remedy = "" if "; " in fault else f"; {FETCH_AGAIN}"
                yield f"{request.name}: {fault}{remedy}"
