#!/usr/bin/env python3
"""The SciPy side of bench/assignment-speed.sh: seconds of linear_sum_assignment on a square of doubles, the best of several, and the sum of the costs.

Usage: assignment_scipy.py FILE
"""
import sys
import time

import numpy as np
from scipy.optimize import linear_sum_assignment

cost = np.fromfile(sys.argv[1])
n = int(round(len(cost) ** 0.5))
cost = cost.reshape(n, n)
best = float("inf")
for _ in range(7 if n < 3000 else 3):
    start = time.perf_counter()
    rows, columns = linear_sum_assignment(cost)
    best = min(best, time.perf_counter() - start)
print(f"{best:.5f} {cost[rows, columns].sum():.6f}")
