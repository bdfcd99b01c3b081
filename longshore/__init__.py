"""The foundation of all kinds of job: accounts, API, files, resources and jobs."""
