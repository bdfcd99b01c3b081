from longshore.jobs.tasks import define_tasks
from tests.greetings.jobs import greeting_lifecycle, run

define_tasks(greeting_lifecycle, run)
