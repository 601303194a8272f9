"""The table in which `airlock dags test` ends."""

import re


def table(output):
    """State, try and result of each task in the final table, without its times."""
    lines = output.partition("\ntask ")[2].partition("\n\n")[0].splitlines()[1:]
    rows = [[word for word in line.split() if not re.fullmatch(r"\d+\.\d\ds", word)] for line in lines]
    return {row[0]: row[1:] for row in rows}
