"""`iota2 config-reference`: the reference page of the configuration, and its schemas."""

import argparse
import sys


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "config-reference", help="print the reference page of the configuration"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--schema", action="store_true", help="its JSON schema instead, for editors")
    other.add_argument(
        "--site-schema", action="store_true", help="that of config/site.yaml instead"
    )
    other.add_argument(
        "--lock-schema", action="store_true", help="that of final/production.lock instead"
    )
    other.add_argument(
        "--report-schema", action="store_true", help="that of final/report/report.json instead"
    )
    other.add_argument("--sensors", action="store_true", help="the page of the formats instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the page or a schema; exit code."""
    from iota2_tools.cluster.site import site_schema
    from iota2_tools.planning.configuration import configuration_page, configuration_schema
    from iota2_tools.products.page import sensors_page
    from iota2_tools.publishing.lock import lock_schema
    from iota2_tools.reporting.page.model import report_schema

    if arguments.report_schema:
        text = report_schema()
    elif arguments.sensors:
        text = sensors_page()
    elif arguments.site_schema:
        text = site_schema()
    elif arguments.lock_schema:
        text = lock_schema()
    elif arguments.schema:
        text = configuration_schema()
    else:
        text = configuration_page()
    sys.stdout.write(text)
    return 0
