"""What a model learns of its region, and beside it: copies of other samples, and new ones made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.draws import generator
from iota2_tools.learning.settings import ModelKey

if TYPE_CHECKING:
    from iota2_tools.reference.dealing import PartOfRegion
    from iota2_tools.reference.table import TrainingTable


@dataclass(frozen=True)
class Managed:
    """Which samples a model learns, beside those of its region or in place of them.

    Parameters
    ----------
    copies : sequence of mapping
        `management.Copy` by its fields, of those whose destination is the region of the model.
    tables : sequence of str
        Samples of the tiles of the regions that are copied from.
    augmentation : mapping, optional
        The section `sampling.augmentation`; by default no samples are made.
    own : mapping, optional
        Table of the user that stands for the samples of the region: `path`, `splits` (None without a
        reference) and `nomenclature`, paths all three; `buffer` (metres), if one is kept.
    years : mapping, optional
        Samples of other years that stand for those of the region, or are learnt beside them:
        `sources` (`other_years.Source` by its fields), `own_weight` (None: not beside them), `splits`,
        `nomenclature`, `buffer` (metres).
    part : PartOfRegion, optional
        Of a large region whose polygons are dealt among several models; by default all are learnt.
    """

    copies: Sequence[Mapping[str, Any]] = ()
    tables: Sequence[str] = ()
    augmentation: Mapping[str, Any] | None = None
    own: Mapping[str, Any] | None = None
    years: Mapping[str, Any] | None = None
    part: "PartOfRegion | None" = None

    def own_samples(
        self, samples: list[str], key: ModelKey, features: list[str] | None
    ) -> tuple["TrainingTable", dict[str, Any]]:
        """Samples of the region of a model, before they are completed; and what `model.json` tells of them.

        Parameters
        ----------
        samples, features
            As in `engines.train`.
        """
        from iota2_tools.reference.table import read_training_table

        told: dict[str, Any] = {}
        if self.years:
            assert features  # tables of other years may have more
            table, told["learnt_from"] = self._of_years(self.years, samples, key, features)
        elif self.own:
            from iota2_tools.reference.own_samples import read_own_table

            assert features  # a table of the user may have any columns
            nomenclature = read_nomenclature(self.own["nomenclature"])
            table, left_out = read_own_table(
                self.own["path"], key.region, key.seed, features, nomenclature, self.own["splits"],
                self.own.get("buffer", 0),
            )  # fmt: skip
            told["own_samples"] = {"path": self.own["path"], "left_out": left_out}
        else:
            table = read_training_table(samples, key.region, key.seed, features)
        return table, told

    @staticmethod
    def _of_years(
        years: Mapping[str, Any], samples: list[str], key: ModelKey, features: list[str]
    ) -> tuple["TrainingTable", list[dict[str, Any]]]:
        from iota2_tools.reference.other_years import Wanted, read_sources
        from iota2_tools.reference.sources import Source
        from iota2_tools.reference.table import read_training_table

        nomenclature = read_nomenclature(years["nomenclature"])
        wanted = Wanted(
            key.region, key.seed, features, nomenclature, years["splits"], years["buffer"]
        )
        weight = years["own_weight"]
        own = read_training_table(samples, key.region, key.seed, features) if weight else None
        sources = [Source(**item) for item in years["sources"]]
        return read_sources(sources, wanted, own, weight or 1.0)

    def complete(
        self, table: "TrainingTable", key: ModelKey
    ) -> tuple["TrainingTable", dict[str, Any]]:
        """Samples of a model completed; and what `model.json` tells of it, nothing if nothing was done."""
        told: dict[str, Any] = {}
        if self.copies:
            table, told["copied"] = self._with_copies(table, key)
        if self.augmentation:
            from iota2_tools.reference.augmentation import Augmentation, augment

            draw = partial(generator, key.random_seed, "augmentation", key.seed, key.region)
            table, made = augment(table, Augmentation.of(self.augmentation), draw)
            told["made"] = {str(code): number for code, number in made.items()}
        return table, told

    def _with_copies(
        self, table: "TrainingTable", key: ModelKey
    ) -> tuple["TrainingTable", list[dict[str, Any]]]:
        from iota2_tools.reference.copying import with_copies
        from iota2_tools.reference.management import Copy
        from iota2_tools.reference.table import read_training_table

        copies = [Copy(**copy) for copy in self.copies]
        table, taken = with_copies(
            table,
            copies,
            lambda region: read_training_table(list(self.tables), region, key.seed, table.names),
            lambda copy: generator(key.random_seed, "copy", key.seed, *copy[:3]),
        )
        lines = zip(copies, taken, strict=True)
        return table, [
            {"source": copy.source, "class": copy.code, "samples": number} for copy, number in lines
        ]
