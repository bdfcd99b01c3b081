"""Background jobs: everything that exports share with other kinds of job.

To add a kind of job:

1. Declare its models on those of `longshore.jobs.models`. The event's foreign key to the job has
   `related_name="events"`, and the job's `Meta.constraints` contain `known_statuses`. If the kind
   uses only some statuses, override `status` of the job and the event with their choices.
2. Describe it in a `JobKind`. If attempts write files, it has a `JobStorage`, whose `file_key` they
   use; the files are then deleted with their job and their organization.
3. Create its `Lifecycle`, or a subclass that overrides hooks of `LifecycleHooks`: `delete_files` if
   a job has an input file, which `known_folders` of the storage then names too, and `check_retry`
   if some ended jobs cannot run again. `PublishingLifecycle` of `webhooks.job_events` also
   publishes webhook events.
4. Store jobs by `actions.create`, which checks the quotas, sets `expires_at` and enqueues the job
   on commit. A job whose input is uploaded later has the status `requested`, and `has_files` from
   its first upload on; `Lifecycle.queue` queues it. A requested job that is never queued expires.
5. Write a `JobRunner` with `prepare`, the work, and `complete`.
6. Call `define_tasks` in its module `tasks`, which also schedules the periodic tasks, and
   `kinds.register` in `AppConfig.ready`.
7. Write a `JobViewSet`, and name its addresses in `AppConfig.api_urls`.
8. The queues may be those of exports; `heartbeats` describes what this means for fairness. Queues
   of its own need a worker with a health check in `exports_project.processes`. `/readyz` checks the
   recovery of every registered kind.

`tests/greetings` is a complete app. The path of a job through the modules: `admission` admits it,
`lifecycle` stores it, `queues` sends a message, `runner` receives the message and claims the job
(`fairness` decides which), and `maintenance` recovers, expires and purges it.
"""
