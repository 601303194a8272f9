"""
Runs without Airflow, with Airflow's names made ours: what each name gives.

Standard input: a JSON list of [module, name]. Standard output: for each {"value": its own path, "warns": [[category and
its bases, text]]}, or {"error": text}.
"""

import json
import sys
import warnings

from airlock.names import install

install()
answers = []
for module, name in json.load(sys.stdin):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            space = {}
            exec(f"from {module} import {name}", space)
            value = space[name]
            path = (
                f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', name))}"
            )
            answer = {"value": path}
        except ImportError as error:
            answer = {"error": str(error)}
    answer["warns"] = [[[kind.__name__ for kind in each.category.__mro__[:3]], str(each.message)] for each in caught]
    answers.append(answer)
print(json.dumps(answers))
