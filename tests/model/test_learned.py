"""What a task learned and which columns it read, to model.json and back."""

import copy

import pytest

from lamella.model.learned import learned, restore
from lamella.task import Task, as_asked

COLUMNS = {"text": {"name": "review", "number": 2, "of": 3}}


class Job(Task):
    labels_: list[str]


def test_the_columns_of_training_keep_their_name_in_a_model():
    """Models of before have it, and those of now are read by what was before."""
    job = Job(object())
    restore(job, {"labels_": ["a"], "used_columns_": COLUMNS})
    assert (job.labels_, job.state.columns) == (["a"], COLUMNS)
    assert learned(job) == {"used_columns_": COLUMNS, "labels_": ["a"]}
    bare = Job(object())
    restore(bare, {"labels_": []})
    assert bare.state.columns == {} and learned(bare) == {"labels_": []}


@pytest.mark.parametrize("value", ["text", {"text": "review"}, {"text": ["review"]}, 3, None])
def test_other_columns_are_refused(value):
    with pytest.raises(ValueError, match="used_columns_"):
        restore(Job(object()), {"labels_": [], "used_columns_": value})


def test_a_copy_of_a_task_is_told_for_itself():
    """A model that is served is copied for each request: what one is told the other does not hear."""
    job = Job(object())
    other = copy.copy(job)
    other.state = other.state.changed(phase="codes", index=object())
    assert (job.state.phase, job.state.index) == ("", None) and Task.state == Job(object()).state
    with pytest.raises(AttributeError):
        job.state.phase = "codes"
    assert as_asked(job) is job, "a task with one question is asked that"
