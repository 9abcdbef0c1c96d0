"""The offline samples, one file a task, named like the task."""
