"""Errors of the user or the site."""

from snakemake_interface_common.exceptions import ApiError


class ExecutorError(ApiError):
    """Something to mend outside of this code.

    An ApiError, for Snakemake shows that by its message alone; a ExecutorError it shows with
    the lines of code that raised it.
    """
