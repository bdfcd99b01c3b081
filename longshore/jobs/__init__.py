"""Background jobs: everything that exports share with other kinds of job.

To add a kind of job:

1. Declare its models on those of `longshore.jobs.models`.
2. Describe it in a `JobKind`, and create its `Lifecycle` (or a subclass that overrides hooks). The
   queues may be those of exports; queues of its own need a worker (`exports_project.processes`).
3. Write a `JobRunner` with `prepare`, the work, and `complete`.
4. Call `define_tasks` in its module `tasks`, which also schedules the periodic tasks, and
   `kinds.register` in `AppConfig.ready`.
5. Write a `JobViewSet` that creates jobs by `actions.create`, and name its addresses in
   `AppConfig.api_urls`.

`tests/greetings` is a complete app. The way of a job through the modules: `admission` admits it,
`lifecycle` stores it, `queues` sends a message, `runner` receives the message and claims the job
(`fairness` decides which), and `maintenance` recovers, expires and purges it.
"""
