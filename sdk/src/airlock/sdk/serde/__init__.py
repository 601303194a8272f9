"""
Values that are not JSON, as JSON: what Airflow serializes for XComs and triggers, in Airflow's own form.

So a value that our runner pushed is read by Airflow's runner, and the reverse. Imported at the first such value.
"""

from airlock.sdk.serde.allowed import allow_class
from airlock.sdk.serde.form import CLASSNAME, DATA, VERSION, decode, encode
from airlock.sdk.serde.reading import deserialize
from airlock.sdk.serde.writing import serialize

__all__ = ["CLASSNAME", "DATA", "VERSION", "allow_class", "decode", "deserialize", "encode", "serialize"]
