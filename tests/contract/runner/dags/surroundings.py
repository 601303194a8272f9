"""Tasks that look at where they run, and print what they should not be able to see; Airflow's runner imports this."""

import logging
import os
import subprocess
import sys
import threading

from airflow.sdk import DAG, BaseHook, Variable, task

with DAG("surroundings"):

    @task
    def prints_a_password():
        secret = BaseHook.get_connection("db").password
        print("it is", secret)
        print("it is", secret, file=sys.stderr)
        logging.getLogger("mine").warning("it is %s", secret)

    @task
    def says_in_every_way():
        print("printed")
        print("complained", file=sys.stderr)
        logging.getLogger("mine").info("logged")
        os.write(1, b"from C\n")
        subprocess.run(["echo", "from a child"], check=True)

    @task
    def looks_around():
        """The names of what it finds, as its value."""
        environ = open("/proc/self/environ", "rb").read()
        return {
            "names": sorted(os.environ),
            "modules": sorted(name for name in sys.modules if name.startswith("airlock")),
            "path": [path for path in sys.path if "launcher" in path],
            "argv": sys.argv[1:],
            "first_environment": environ.decode(),
            "stdin": sys.stdin.read(),
            "child": subprocess.run(["env"], capture_output=True, text=True, check=True).stdout,
            "main_thread": threading.current_thread() is threading.main_thread(),
        }

    @task
    def opens_the_database():
        from airflow.utils.session import create_session

        with create_session() as session:
            session.execute("select 1")

    @task
    def looks_up_in_a_thread():
        found = []
        thread = threading.Thread(target=lambda: found.append(Variable.get("greeting")))
        thread.start()
        thread.join()
        return found

    @task.external_python(python=sys.executable, expect_airflow=True)
    def external_python():
        import structlog
        from airflow.sdk import Variable

        print("printed outside")
        structlog.get_logger("outside").warning("logged outside")
        return Variable.get("greeting")

    @task.virtualenv(
        system_site_packages=False,
        index_urls=[],
        env_vars={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))},
        inherit_env=True,
        expect_airflow=True,
    )
    def virtualenv():
        import structlog
        from airflow.sdk import Variable

        print("printed outside")
        structlog.get_logger("outside").warning("logged outside")
        return Variable.get("greeting")

    prints_a_password(), says_in_every_way(), looks_around(), opens_the_database(), looks_up_in_a_thread()
    external_python(), virtualenv()
