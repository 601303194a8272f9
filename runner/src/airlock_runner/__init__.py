"""The container that runs user code: a launcher of standard library only, and the runner, its forked child."""
