"""What an operator says of the processors and memory that it needs. Nothing here acts on it, as in Airflow."""

from airlock.sdk.basis.record import Record
from airlock.sdk.basis.settings import whole
from airlock.sdk.exceptions import AirlockException


class Resource(Record):
    """One kind of resource: its name, its unit and how much of it."""

    _record = ("name", "units_str", "qty")

    def __init__(self, name: str, units_str: str, qty: int) -> None:
        """Raises AirlockException for a quantity below 0."""
        if qty < 0:
            raise AirlockException(f"Received resource quantity {qty} for resource {name}, but it must be positive")
        self.name = name
        self.units_str = units_str
        self.qty = qty


class CpuResource(Resource):
    """Processors."""

    def __init__(self, qty: int) -> None:
        """Counts cores."""
        super().__init__("CPU", "core(s)", qty)


class RamResource(Resource):
    """Memory."""

    def __init__(self, qty: int) -> None:
        """Counts MB."""
        super().__init__("RAM", "MB", qty)


class DiskResource(Resource):
    """Disk."""

    def __init__(self, qty: int) -> None:
        """Counts MB."""
        super().__init__("Disk", "MB", qty)


class GpuResource(Resource):
    """Graphics processors."""

    def __init__(self, qty: int) -> None:
        """Counts them."""
        super().__init__("GPU", "gpu(s)", qty)


class Resources(Record):
    """All of them."""

    _record = ("cpus", "ram", "disk", "gpus")

    def __init__(
        self, cpus: int | None = None, ram: int | None = None, disk: int | None = None, gpus: int | None = None
    ) -> None:
        """Takes ``[operators] default_cpus`` and so on for what is left out; those have Airflow's defaults."""
        self.cpus = CpuResource(whole("operators", "default_cpus", 1) if cpus is None else cpus)
        self.ram = RamResource(whole("operators", "default_ram", 512) if ram is None else ram)
        self.disk = DiskResource(whole("operators", "default_disk", 512) if disk is None else disk)
        self.gpus = GpuResource(whole("operators", "default_gpus", 0) if gpus is None else gpus)
