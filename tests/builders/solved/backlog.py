"""Work that can wait is served in the next hours too, where the hour in which it arises has not enough quota.

12 requests arise in the first hour of each week of January 2027 and may wait 2 hours. A quota lets 4 of them through
an hour (a request per hour counts 1 token a minute): 4 in each of hours 0, 1 and 2, at 3 USD. Nothing else is for sale,
and the stress cases leave such work out.
"""

from tests import builders
from tests.builders.one_hour import WEEKS, on_demand, one, workload

CASE = builders.case(
    one(
        12,
        workloads=[workload(deadline_hours=2)],
        on_demand=[on_demand(tokens_per_minute_quota=4)],
        pools=[],
        throughput=[],
        offers=[],
    ),
    headroom=0.5,
)
USD = 12 * 3 * WEEKS
WHOLE_USD = USD
LP = """
Subject To
 backlog[west/w, base/2027-01/0]: + 1 a[west/w, base/2027-01/0] - 1 b[west/w, base/2027-01/0] - 1 z[west, w, m, standard, base/2027-01/0] = 0
 backlog[west/w, base/2027-01/1]: - 1 b[west/w, base/2027-01/1] + 1 b[west/w, base/2027-01/0] - 1 z[west, w, m, standard, base/2027-01/1] = 0
 backlog[west/w, base/2027-01/2]: + 1 b[west/w, base/2027-01/1] - 1 z[west, w, m, standard, base/2027-01/2] = 0
Bounds
General
End
"""  # noqa: E501
