"""Operators, hooks and links of one's own: what many DAG files share belongs in a class."""

from airlock.sdk import DAG, BaseHook, BaseOperator, BaseOperatorLink
from airlock.standard.operators.empty import EmptyOperator


class StoreLink(BaseOperatorLink):
    name = "Shop"

    def get_link(self, operator, *, ti_key):  # noqa: ARG002 - the name is Airflow's
        return f"https://shop.example/{operator.city}"


class ShopHook(BaseHook):
    """A hook knows how to reach a system, a task only what to ask it."""

    def orders(self, city):
        return {"utrecht": 12, "leiden": 7}[city]


class CountOrders(BaseOperator):
    """`template_fields` are rendered before `execute`, whose result is the XCom."""

    template_fields = ("city",)
    operator_extra_links = (StoreLink(),)
    ui_color = "#d0e8ff"

    def __init__(self, *, city, **kwargs):
        super().__init__(**kwargs)
        self.city = city

    def execute(self, context):  # noqa: ARG002 - the name is Airflow's
        found = ShopHook().orders(self.city)
        self.log.info("%d orders in %s", found, self.city)
        return found


with DAG("own_operators", tags=["example"], params={"city": "utrecht"}):
    one = CountOrders(task_id="one", city="{{ params.city }}")
    several = CountOrders.partial(task_id="several").expand(city=["utrecht", "leiden"])
    one >> several >> EmptyOperator(task_id="end")
