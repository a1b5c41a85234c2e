"""Parameters of the rules, from the plan of a production."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import cached_property, partial
from typing import Any

from iota2_tools.core.contents import digest, revision
from iota2_tools.core.remembered import Notebook
from iota2_tools.features.block import Outline
from iota2_tools.features.external import ExternalFunction
from iota2_tools.features.plan import (
    SeriesFeatures,
    chosen_names,
    reduced_settings,
    series_features,
)
from iota2_tools.features.user_modules import digest_of_sources
from iota2_tools.geo.raster import open_raster
from iota2_tools.geo.vectors import files_of_layer
from iota2_tools.learning.places import contents_of_models
from iota2_tools.planning.description import about_of, provenance_of
from iota2_tools.planning.external import ExternalTrial, read_names
from iota2_tools.planning.needs import Size, megabytes_on_disk
from iota2_tools.planning.production import Production
from iota2_tools.planning.report import ReportPlan
from iota2_tools.planning.sizes import size_of
from iota2_tools.reference.sources import Source
from iota2_tools.timeseries.batches import Batch, marker_of, record_of
from iota2_tools.timeseries.inputs import Products, TileInputs, UserFile, band_names


class Parameters:
    """What the rules of a production hand to their scripts.

    Parameters
    ----------
    production : Production
        The plan.
    """

    def __init__(self, production: Production) -> None:
        self.production = production
        self.config = production.config
        self._sizes: dict[str | None, Size] = {}
        self._batches: dict[str, dict[str, Batch]] = {}

    @cached_property
    def features(self) -> dict[str, dict[str, Any]]:
        """What the features of a tile depend on, beside its images, by series."""
        settings = {}
        for name, series in self.production.series.items():
            section = self.production.section(series.sensor)
            settings[name] = {
                "sensor": series.sensor,
                "part": series.part,
                "options": section.options,
                "keep_bands": list(section.kept),
                "indices": list(section.indices),
                "additional_features": dict(section.additional_features),
                "dates": self.production.target_dates[name],
                **section.ratios,
                "also_read": self._also_read(series.sensor),
                **({"travelling": True} if section.travelling else {}),
            }
        return settings

    def features_of(self, series: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The same of some series."""
        return {name: self.features[name] for name in series}

    def learnt_features(self, region: str) -> list[str] | None:
        """Names of the features of a region, where tiles have more than it learns; None: all."""
        plan = self.production
        of_region = plan.series_of_region(region)
        if all(plan.series_of_tile(tile) == of_region for tile in plan.tiles_of(region)):
            return None
        return self._names_of(of_region)

    def source_features(self, region: str, source: str) -> list[str] | None:
        """Names of the features of one of the models of a region.

        With late fusion those of its sensors; the user's rasters and functions belong to both.
        """
        if not self.production.fused_sensors:
            return self.learnt_features(region)
        return self._names_of(self.production.sources_of_region(region)[source])

    def _names_of(self, series: list[str]) -> list[str]:
        names = [name for item in series for name in self.series_features[item].names]
        return [*names, *self.user_names, *self.external_names]

    def _also_read(self, sensor: str) -> list[str]:
        """Bands of a sensor that functions of the user ask for, by name or role, or its reference."""
        roles = self.production.format(sensor).roles
        asked = {
            roles.get(band, band)
            for section in self.config.external_features
            for band in section.reads.get(sensor, ())
        }
        moving = self.production.section(sensor).coregistration
        return sorted(asked | {moving.sensor_band} if moving else asked)

    @cached_property
    def least_dates(self) -> dict[str, int]:
        """Fewest clear dates of each series that wants any."""
        wanted = {
            name: self.production.section(series.sensor).minimum_clear_dates
            for name, series in self.production.series.items()
        }
        return {name: number for name, number in wanted.items() if number}

    @cached_property
    def series_features(self) -> dict[str, SeriesFeatures]:
        """Features of each series."""
        return {name: series_features(name, settings) for name, settings in self.features.items()}

    @cached_property
    def external(self) -> list[dict[str, Any]]:
        """Functions of the user, with digests of their sources (`external.ExternalFunction`)."""
        return [
            section.as_dict() | {"contents": digest_of_sources(section.module)}
            for section in self.config.external_features
        ]

    @cached_property
    def external_names(self) -> list[str]:
        """Names of their features: those that the check has found, else from trying them here."""
        if not self.external:
            return []
        trial = self.external_trial
        return read_names(self.config.output, trial) or trial.names()

    @property
    def external_trial(self) -> ExternalTrial:
        """What trying them depends on; user features are those of the first tile."""
        plan = self.production
        tile = plan.tiles[0]
        outline = Outline(self.series_features, self.user_names, plan.grid(tile).resolution)
        names = [name for item in self.series_features.values() for name in item.names]
        functions = [ExternalFunction(**item) for item in self.external]
        return ExternalTrial(functions, outline, [*names, *self.user_names])

    def tile_inputs(self, tile: str) -> TileInputs:
        """What is read of a tile."""
        plan = self.production
        products = {}
        for name in plan.series_of_tile(tile):
            series = plan.series[name]
            sensor = series.sensor
            found = plan.products(name, tile)
            period = plan.period(sensor)
            moving = plan.section(sensor).coregistration
            products[name] = Products(
                sensor=sensor,
                folder=plan.sensor_folder(sensor, tile),
                names=[item.name for item in found],
                counted=[item.name for item in found if period.counts(item.day)],
                options=plan.section(sensor).options,
                bands=list(self.series_features[name].bands),
                grid=plan.native_grid(sensor, tile).as_dict(),
                strangers=plan.listing(sensor, tile).strangers,
                ready=plan.ready(name, tile),
                prepared=plan.prepared_folder(sensor, tile),
                coregistration=moving.as_dict() if moving else None,
                contents=[item.contents for item in found if item.contents],
            )
        rasters = {
            word: UserFile(
                path, plan.user_rasters[word].interpolation, plan.user_rasters[word].missing
            )
            for word, path in plan.user_feature_files(tile).items()
        }
        return TileInputs(tile, plan.grid(tile), products, rasters)

    def batches(self, tile: str) -> dict[str, Batch]:
        """What is prepared of a tile: batches of a month of a sensor, by their marker.

        The marker is named after what the batch is made of, so that another production that
        shares the folder takes what is there, and makes what is not.
        """
        if tile not in self._batches:
            self._batches[tile] = dict(self._batches_of(tile))
        return self._batches[tile]

    def _batches_of(self, tile: str) -> Iterator[tuple[str, Batch]]:
        plan = self.production
        for sensor in plan.sensors:
            months: dict[str, dict[str, list[str]]] = {}
            for name in plan.series_of_tile(tile):
                if plan.series[name].sensor == sensor:
                    ready = set(plan.ready(name, tile))
                    for item in plan.products(name, tile):
                        if item.name in ready:
                            months.setdefault(f"{item.day:%Y%m}", {})[item.name] = list(
                                item.sources
                            )
            for month, names in months.items():
                options = plan.section(sensor).options
                grid = plan.grid(tile).as_dict() if plan.format(sensor).passes else None
                batch = Batch(sensor, plan.sensor_folder(sensor, tile), names, options, grid)
                yield marker_of(batch, month, plan.prepared_folder(sensor, tile)), batch

    def batch(self, sensor: str, tile: str, batch: str) -> Batch:
        """The batch of a marker."""
        return self.batches(tile)[f"{self.production.prepared}/{sensor}/{tile}/{batch}.json"]

    def record_of_batch(self, sensor: str, tile: str, batch: str) -> str:
        """Where the job of a batch keeps what its files held."""
        folder = f"{self.production.prepared}/{sensor}/{tile}"
        return record_of(self.batch(sensor, tile, batch), batch[:6], folder)

    @staticmethod
    def revision(record: str) -> int:
        """Revision of the files of a tile, from the record of its last inventory."""
        return revision(record)

    # Inputs of these are `ancient`: what they hold counts, whatever their dates.

    @cached_property
    def reference_contents(self) -> list[str]:
        """Digests of the reference polygons, of fixed splits and of the regions."""
        reference = self.config.reference
        own = _contents(reference.path, reference.splits) if reference else []
        return own + self.region_contents

    @cached_property
    def region_contents(self) -> list[str]:
        """Digests of the regions."""
        return _contents(self.config.regions.path) if self.config.regions else []

    @cached_property
    def legend(self) -> dict[str, Any]:
        """Path of the nomenclature, and digest of its content, colours included."""
        path = self.config.nomenclature
        return {"path": path, "contents": _contents(path)}

    @cached_property
    def fusion_splits(self) -> dict[str, Any]:
        """Parameters of the splits that fusion asks for: what it holds back, regions in parts, folds."""
        plan = self.production
        share = {} if plan.held_back is None else {"held_back": plan.held_back}
        parts = {"parts": plan.parts} if plan.parts else {}
        return share | parts | ({"folds": True} if plan.judged_by_folds else {})

    @cached_property
    def seed_rules(self) -> dict[str, Any]:
        """How the maps of all draws are fused (`fusing.methods.FusionRules`), and the masses."""
        seeds = self.production.fused_seeds
        return seeds.as_dict() if seeds else {}

    def together(self, region: str) -> dict[str, Any] | None:
        """How the models of a region answer as one (`fusing.models`); None: it has one."""
        plan = self.production
        names = plan.model_names(region)
        if names == [""]:
            return None
        section = plan.fused_sensors or plan.fused_parts
        assert section  # or there would be one model
        rules = {"names": names, "masses": "precision"} | section.as_dict()
        if rules.get("weights"):
            rules["weights"] = [rules["weights"][name] for name in names]
        return rules

    def border(self, tile: str, region: str) -> dict[str, Any] | None:
        """What the boundaries of a region of a tile follow from (`fusing.boundaries`); None: nothing."""
        plan = self.production
        neighbours = plan.neighbours(tile, region)
        if not (plan.boundaries and plan.config.regions):
            return None
        return {
            "regions": plan.config.regions.as_dict(),
            "contents": self.region_contents,
            "names": plan.regions,
            "neighbours": neighbours,
            **plan.boundaries.as_dict(),
        }

    def part(self, region: str, source: str) -> dict[str, int] | None:
        """Which part of a region a model learns; None: all of it."""
        if source not in self.production.model_names(region) or not source.startswith("part"):
            return None
        return {"number": int(source[4:]) - 1, "parts": self.production.parts[region]}

    @cached_property
    def fused_products(self) -> list[str]:
        """Files of the fused map in `final`; without a reference it is not judged."""
        judged = self.config.reference is not None
        maps = ["Classifications_fusion", "Confidence_fusion", *["diff_fusion"] * judged]
        names = [f"{name}.{kind}" for name in maps for kind in ("tif", "qml")]
        if self.config.classification.probability_map:
            names.append("ProbabilityMap_fusion.tif")
        names += ["Classifications_fusion.png", "Areas_fusion.csv"]
        if judged:
            matrix = "Confusion_Matrix_Classifications_fusion"
            names += [f"{matrix}.csv", f"{matrix}.png", "RESULTS_seeds.txt"]
        return names

    @cached_property
    def fused_type(self) -> str:
        """Pixel type of the fused map: that of the maps, if it holds the label of what is undecided."""
        label = self._undecided.get("undecided", 0)
        return "uint16" if label > 255 else self.production.nomenclature.dtype

    @property
    def _undecided(self) -> dict[str, int]:
        seeds = self.production.fused_seeds
        return {"undecided": seeds.undecided_label} if seeds and seeds.keeps_undecided else {}

    @cached_property
    def fused_legend(self) -> dict[str, Any]:
        """Legend of the fused map (`nomenclature.read_legend`)."""
        return self.legend | self._undecided

    @cached_property
    def feature_count(self) -> int:
        """Features of a pixel."""
        series = sum(len(item.names) for item in self.series_features.values())
        return series + len(self.user_names) + len(self.external_names)

    @cached_property
    def user_names(self) -> dict[str, bool]:
        """User features, as the rasters of the first tile tell, and whether they may be NaN."""
        if not self.production.user_rasters:
            return {}
        files = self.production.user_feature_files(self.production.tiles[0])
        return {
            name: self.production.user_rasters[word].missing == "keep"
            for word, path in files.items()
            for name in band_names(word, open_raster(path).RasterCount)
        }

    @cached_property
    def feature_names(self) -> list[str]:
        """Names of all features, in column order."""
        series = [name for item in self.series_features.values() for name in item.names]
        return [*series, *self.user_names, *self.external_names]

    @cached_property
    def chosen_features(self) -> list[str]:
        """Names of the features of which maps are made."""
        if not self.config.feature_maps:
            return []
        return chosen_names(self.config.feature_maps.features, self.feature_names)

    @cached_property
    def choice(self) -> dict[str, Any]:
        """What is read and written for the feature maps (`features.chosen.Choice`)."""
        chosen = set(self.chosen_features)
        external = self.external if chosen and chosen & set(self.external_names) else []
        words = list(self.production.user_rasters)
        settings = self.features
        if not external:
            words = [word for word in words if any(_is_band_of(name, word) for name in chosen)]
            reduced = {
                name: reduced_settings(name, item, chosen) for name, item in self.features.items()
            }
            settings = {name: item for name, item in reduced.items() if item}
        whole = not external and not words
        whole = whole and not any(item["additional_features"] for item in settings.values())
        return {
            "names": self.chosen_features,
            "dtype": "int16" if whole else "float32",
            "settings": settings,
            "words": words,
            "external": external,
        }

    def chosen_series(self, tile: str) -> list[str]:
        """Series of a tile that the feature maps come from."""
        series = self.choice["settings"]
        return [name for name in self.production.series_of_tile(tile) if name in series]

    def job_size(self, tile: str | None, files: list[str]) -> Size:
        """What a job works on: its tile, or the whole map, and the files it reads whole."""
        if tile not in self._sizes:
            self._sizes[tile] = size_of(self, tile)
        return replace(self._sizes[tile], input_mb=megabytes_on_disk(files))

    @cached_property
    def vector_rasters(self) -> list[dict[str, Any]]:
        """Rasters of the user that describe polygons, with digests of their content."""
        plan = self.production.vectorisation
        found = plan.rasters if plan else []
        return [item | {"contents": _contents(item["path"])} for item in found]

    @cached_property
    def delivery_layer(self) -> dict[str, Any]:
        """Layer that the polygons are cut by (`geo.units.Units`), and digests of its content."""
        section = self.config.delivery
        if not section:
            return {}
        units = {"path": section.path, "layer": section.layer, "field": section.field}
        return {"units": units, "contents": _contents(section.path)}

    @property
    def division(self) -> dict[str, Any]:
        """Squares that polygons are made in (`geo.squares.divided`)."""
        plan = self.production.vectorisation
        return plan.division if plan else {}

    @property
    def polygon_shape(self) -> dict[str, Any]:
        """How polygons are simplified (`vectors.simplification.Shape`)."""
        plan = self.production.vectorisation
        return plan.shape if plan else {}

    @property
    def vector_legend(self) -> dict[str, Any]:
        """Legend of the map that becomes polygons."""
        plan = self.production.vectorisation
        return self.fused_legend if plan and plan.map == "fusion" else self.legend

    @cached_property
    def coverage(self) -> dict[str, Any]:
        """What the polygons of a map are told by (`vectors.delivery.Coverage.of`)."""
        plan, regions = self.production.vectorisation, self.config.regions
        if not plan:
            return {}
        layer = regions.as_dict() if regions else None
        return {
            "division": plan.division,
            "legend": self.vector_legend,
            "style": plan.section.names,
            "quantities": [item.name for item in plan.section.rasters],
            "regions": {"units": layer, "contents": self.region_contents} if layer else None,
        }

    @cached_property
    def vector_tags(self) -> dict[str, str]:
        """What the layers of polygons tell of themselves."""
        plan = self.production.vectorisation
        if not plan:
            return {}
        shape = plan.shape
        how = (
            f"{shape['method']}, tolerance {shape['tolerance']:g} px, change of area at most "
            f"{100 * shape['area_limit']:g} %, smoothing {shape['smoothing']}"
        )
        return {
            **(self.on_regularised_map["tags"] or self.provenance),
            "TITLE": "Land cover, polygons",
            "SEED": plan.draw,
            "SIMPLIFICATION": how,
            "ATTRIBUTES": (
                "Shares in percent of the pixels with a class in the raw map; means and deviations over the "
                "pixels whose centre lies in the polygon before simplification."
            ),
        }

    @cached_property
    def regularisation(self) -> dict[str, Any]:
        """What is done to regularise the maps (`vectors.regularisation.Regularisation`)."""
        plan = self.production.regularisation
        return plan.settings if plan else {}

    @cached_property
    def water_contents(self) -> list[str]:
        """Digest of the mask of water that is burnt into the regularised maps."""
        section = self.config.regularisation
        return _contents(section.water_mask.path) if section and section.water_mask else []

    @cached_property
    def on_regularised_map(self) -> dict[str, Any]:
        """Grid and tags of the regularised maps."""
        plan = self.production.regularisation
        if not plan:
            return {"grid": None, "tags": {}}
        return {"grid": plan.target.as_dict(), "tags": {**self.provenance, **plan.tags}}

    @cached_property
    def report(self) -> ReportPlan:
        """The maps of the report."""
        return ReportPlan(self.production)

    def about_report(self, *, by_iota2_run: bool) -> dict[str, Any]:
        """What the report tells of the production beside its products (`page.contents.About`).

        Parameters
        ----------
        by_iota2_run : bool
            Whether the production is made by `iota2 run`, so that it goes on by that.
        """
        config = self.config
        contents = {
            "reference": self.reference_contents[: -len(self.region_contents) or None],
            "regions": self.region_contents,
            "nomenclature": self.legend["contents"],
        }
        command = "iota2 run" if by_iota2_run else "snakemake --profile local --configfile"
        return {
            "results": config.output,
            "configuration": config.as_dict(),
            "config_sha256": config.digest,
            "contents": contents,
            "days": {
                stamp: day.isoformat()
                for series in self.series_features.values()
                for stamp, day in zip(series.stamps, series.dates, strict=True)
            },
            "command": f"{command} {shlex.quote(f'{config.output}/final/report/configuration.yaml')}",
        }

    @cached_property
    def validity_type(self) -> str:
        """Pixel type of the validity of the map; its largest value means no data."""
        return "uint8" if self.largest_validity < 255 else "uint16"

    @cached_property
    def largest_validity(self) -> int:
        """Largest number of clear dates that a pixel of any tile may have."""
        return max(self.production.clear_dates(tile) for tile in self.production.tiles)

    def strategy(self, region: str, *others: str) -> dict[str, Any]:
        """What the choice of samples depends on: strategy, its own parameter, and `others`."""
        sampling = self.config.sampling.of_region(region)
        keys = ["strategy", sampling["strategy"], *others]
        if sampling["max_per_polygon"]:
            keys.append("max_per_polygon")
        return {key: sampling[key] for key in keys if key in sampling}

    def copies_to(self, region: str) -> list[dict[str, Any]]:
        """Samples of other regions that the model of a region learns as well."""
        return [copy._asdict() for copy in self.production.copies if copy.destination == region]

    @cached_property
    def own_samples(self) -> dict[str, Any] | None:
        """The user's table of samples, with the digest of its content; None where there is none."""
        path = self.config.learning.own_table
        if not path:
            return None
        contents = _contents(path)
        found = {"path": path, "nomenclature": self.config.nomenclature, "contents": contents}
        buffer = self.config.sampling.buffer  # none: productions of before have no such parameter
        return found | ({"buffer": buffer} if buffer else {})

    @cached_property
    def sources(self) -> list[Source]:
        """Other productions, and tables of the user, whose samples are learnt as those of several years."""
        return [Source(item.path, item.weight) for item in self.config.learning.other_years]

    @cached_property
    def year_samples(self) -> dict[str, Any] | None:
        """Samples of other years (`learning.managed.Managed`), with digests; None where there are none."""
        if not self.sources:
            return None
        return {
            "sources": [asdict(source) for source in self.sources],
            "contents": [_remembered(source) for source in self.sources],
            "own_weight": self.config.learning.own_weight,
            "nomenclature": self.config.nomenclature,
            "buffer": self.config.sampling.buffer,
        }

    @cached_property
    def sample_files(self) -> list[str]:
        """Tables of samples that are not those of the tiles of this production."""
        own = self.config.learning.own_table
        found = [file for source in self.sources for file in source.files]
        return [own] if own else [file for file in found if not file.endswith(".gpkg")]

    @cached_property
    def folds(self) -> dict[str, Any]:
        """What is done with the folds of each model as it is learnt; empty where there are none."""
        plan = self.production
        if not plan.folded:
            return {}
        drop = plan.suspects and self.config.sampling.suspicious_polygons == "drop"
        return {"tempered": plan.tempered, "drop": drop, "nomenclature": self.config.nomenclature}

    @cached_property
    def borrowed(self) -> dict[str, Any]:
        """Models of another production that map this one, with digests of their content; empty without."""
        output = self.config.learning.models
        if not output:
            return {}
        plan = self.production
        return {"borrowed": contents_of_models(output, plan.used_regions, plan.seeds)}

    def features_of_model(self, region: str) -> list[str] | None:
        """Names of the features of a region, where tables may have others; None: all of them."""
        learnt = self.learnt_features(region)
        others = self.config.learning.samples
        return self.feature_names if learnt is None and others else learnt

    def augmentation(self, region: str) -> dict[str, Any] | None:
        """How samples of a model are made of others; None where none are."""
        section = self.config.sampling.augmentation
        if not section.used or (section.regions and region not in section.regions):
            return None
        return section.model_dump(exclude={"regions"})

    def choice_of_samples(self, tile: str) -> dict[str, Any]:
        """The same for a tile, with sampler and seed; `per_region` holds regions that differ."""
        others = ("sampler", "random_seed")
        differing = {
            region: self.strategy(region, *others)
            for region in self.production.regions_of_tiles[tile]
            if region in self.config.sampling.per_region
        }
        return self.strategy("", *others) | ({"per_region": differing} if differing else {})

    @cached_property
    def provenance(self) -> Mapping[str, str]:
        """Tags of the final maps: what made them, and of what."""
        return provenance_of(self)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the documents of a production tell of it (`publishing.about.About`)."""
        return about_of(self)


def _remembered(source: Source) -> list[str]:
    """Digests of the files of a source; each is read once for as long as size and time stay."""
    notebook = Notebook(f"samples of {os.path.abspath(source.path)}")
    found = [notebook.read([path], path, partial(digest, path)) for path in source.files]
    notebook.save()
    return found


def _is_band_of(name: str, word: str) -> bool:
    """Whether a feature is a band of a raster of the user."""
    return name.startswith(band_names(word, 1)[0].removesuffix("1"))


def _contents(*paths: str | None) -> list[str]:
    """Digests of the content of files and of those beside them that belong to them.

    An absent file has none; the check names it.
    """
    files = [file for path in paths if path for file in files_of_layer(path)]
    return [digest(file) if os.path.exists(file) else "" for file in files]
