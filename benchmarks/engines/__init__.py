"""One file an engine, run as ``python benchmarks/engines/<engine>.py WORKLOAD [--n N]``: one run, one JSON line.

The contract of an engine file:

- It begins with ``sys.path[0] = <the benchmarks folder>``: a file named as its package must not shadow it.
- It calls ``harness.main(name, version, jobs, skipped)``. ``jobs`` maps a workload to a function of
  ``(source, spec)`` that gives a `harness.Job`; ``skipped`` maps each other workload to the reason. ``source`` is
  the columns of ``workloads.load`` (for ``load`` the path of a Parquet file), ``spec`` the `workloads.Spec`.
- Everything before the first event is done in that function and is the load time; ``Job.run`` alone is timed;
  ``Job.counts`` gives events, orders sent and fills afterwards. Just-in-time compilation goes to ``compile_s``.
- An engine that still loads inside its run call calls ``WATCH.run_begins()`` when the run proper starts, and in
  the load workload every strategy calls ``WATCH.first_event()`` at its first event.
- Decisions come from ``handlers``: ``EmaCross.update(price)`` once a trade or bar (close), a market order of
  ``spec.order_raw`` when it is not 0; ``Alternate.update()`` once a quote of the orders workload; in l2, every
  ``spec.requote_ns`` of event time, cancel what is left of the last pair and send a new one at ``maker_prices``.
- Fees are the instrument's, latency is none.
"""
