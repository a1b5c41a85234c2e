"""Run `snakemake --lint` and fail on what it finds, but for the checks named below.

Usage: python .ci/lint_workflow.py CONFIGFILE
"""

import re
import subprocess
import sys

# One virtual environment, locked with hashes and set up once, runs every rule: OTB's binding
# and GDAL's are compiled against Debian's libraries, which no conda environment per rule holds.
DISABLED = ("Specify a conda environment or container for each rule.",)


def main(configfile: str) -> int:
    """Print the lints that count; 1 if there is any, or if the linter did not run."""
    command = ["snakemake", "--lint", "--configfile", configfile]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    lints = re.findall(r"^ {4}\* (.+?):?$", text, re.MULTILINE)
    counted = [title for title in lints if title.rstrip(":") not in DISABLED]
    if counted or (done.returncode and not lints):
        print(text)
        return 1
    print(f"snakemake --lint: nothing to mend ({len(lints)} findings of disabled checks)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
