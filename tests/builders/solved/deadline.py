"""What is past its deadline is served before, by a dearer option.

12 requests arise in the first hour of each week of January 2027 and may wait 1 hour. The option at 3 USD lets 4 of them
through an hour: 4 in hour 0, 4 in hour 1. The other 4 would have to wait another hour: they pay 5 USD.
"""

from tests import builders
from tests.builders.one_hour import WEEKS, on_demand, one, workload

CASE = builders.case(
    one(
        12,
        workloads=[workload(deadline_hours=1)],
        on_demand=[
            on_demand(tokens_per_minute_quota=4),
            on_demand(option="priority", usd_per_mtok_input=5 / 60e-6),
        ],
        pools=[],
        throughput=[],
        offers=[],
    )
)
USD = (8 * 3 + 4 * 5) * WEEKS
WHOLE_USD = USD
LP = """
Subject To
 deadline[west/w, base/2027-01/0]: + 1 z[west, w, m, priority, base/2027-01/0] + 1 z[west, w, m, standard, base/2027-01/0] - 1 s[west/w, base/2027-01/0] = 0
 deadline[west/w, base/2027-01/1]: + 1 z[west, w, m, priority, base/2027-01/1] + 1 z[west, w, m, standard, base/2027-01/1] + 1 s[west/w, base/2027-01/0] - 1 a[west/w, base/2027-01/0] = 0
Bounds
General
End
"""  # noqa: E501
