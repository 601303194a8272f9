"""Environments in which a function runs with packages of its own: how they are made, and the script that runs it."""

from airlock.standard.virtualenv.environment import prepare_virtualenv
from airlock.standard.virtualenv.script import write_python_script

__all__ = ["prepare_virtualenv", "write_python_script"]
