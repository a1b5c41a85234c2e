"""`iota2 simulate`: a scene of native products to try the chain on."""

import argparse
import shlex


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "simulate",
        help="write a scene of products in their native layouts, with its reference",
    )
    parser.add_argument("folder", help="where to write it")
    parser.add_argument(
        "--size", type=int, default=1000, help="side of a tile, pixels of 10 m (%(default)s)"
    )
    parser.add_argument(
        "--tiles",
        nargs="+",
        metavar="TILE",
        default=["T31TCJ", "T31TDJ"],
        help="names (T31TCJ T31TDJ)",
    )
    parser.add_argument(
        "--dates", type=int, default=36, help="acquisitions in the year (%(default)s)"
    )
    parser.add_argument("--year", type=int, default=2018, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    parser.add_argument(
        "--sensors",
        type=lambda text: text.split(","),
        default=["s2"],
        metavar="NAME,...",
        help="formats to write (s2): see docs/simulate.md",
    )
    parser.add_argument(
        "--baselines",
        nargs="+",
        default=["02.14", "05.09"],
        metavar="BASELINE",
        help="processing baselines of Sen2Cor's products, in turn (02.14 05.09)",
    )
    parser.add_argument(
        "--field-size",
        type=float,
        default=1.0,
        help="size of fields, woods and villages, against the usual ones (%(default)s)",
    )
    parser.add_argument(
        "--mixed-edges",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the pixels beside another parcel that hold a part of it (%(default)s)",
    )
    parser.add_argument(
        "--label-noise",
        type=float,
        default=0.03,
        metavar="SHARE",
        help="share of the reference polygons with a wrong class (%(default)s)",
    )
    parser.add_argument(
        "--changed",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the fields with another class than the land of this seed has (%(default)s)",
    )
    parser.add_argument(
        "--season-shift",
        type=float,
        default=0.0,
        metavar="DAYS",
        help="days by which all growth is late (%(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes; the result does not depend on it"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the scene; exit code."""
    from iota2_tools.simulate import SceneSettings, simulate_scene
    from iota2_tools.simulate.sensors import SENSORS

    settings = SceneSettings(
        seed=arguments.seed,
        tiles=tuple(arguments.tiles),
        size=arguments.size,
        year=arguments.year,
        dates=arguments.dates,
        baselines=tuple(arguments.baselines),
        field_size=arguments.field_size,
        mixed_edges=arguments.mixed_edges,
        label_noise=arguments.label_noise,
        changed=arguments.changed,
        season_shift=arguments.season_shift,
    )
    simulate_scene(settings, arguments.folder, sensors=arguments.sensors, jobs=arguments.jobs)
    folders = ", ".join(f"{SENSORS[name].folder}/" for name in arguments.sensors)
    print(
        f"scene in {arguments.folder}: native products in {folders}, polygons and nomenclature "
        f"in reference/; a configuration for it: iota2 init {shlex.quote(str(arguments.folder))}"
    )
    return 0
