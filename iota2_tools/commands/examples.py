"""Examples at the end of the help of commands that have none of their own."""

EXAMPLES = {
    "demo": ("iota2 demo", "iota2 demo --size 1000"),
    "check": ("iota2 check config/config.yaml", "iota2 check config/config.yaml --names-only"),
    "job": (
        "iota2 job results/logs/train_model/region_1_seed_0.log",
        "iota2 job results/logs/train_model/region_1_seed_0.log --run",
    ),
    "summary": ("iota2 summary results",),
    "samples": ("iota2 samples export results samples.gpkg",),
    "zonal": ("iota2 zonal results/final/Classif_Seed_0.tif departments.gpkg code areas.csv",),
    "doctor": ("iota2 doctor", "iota2 doctor --profile slurm"),
    "simulate": ("iota2 simulate scene", "iota2 simulate scene --size 1000 --dates 24"),
    "config-reference": ("iota2 config-reference", "iota2 config-reference --schema"),
}
"""By command, lines that can be typed."""


def epilog(command: str) -> str:
    """The end of the help of a command."""
    return "\n".join(["examples:", *(f"  {line}" for line in EXAMPLES.get(command, ()))])
