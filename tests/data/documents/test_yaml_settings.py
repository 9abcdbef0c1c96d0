"""YAML files that hold settings are no locales: their words are names for programs."""

from __future__ import annotations

import pytest

from lamella.data.documents.yaml_locale import YamlLocale
from lamella.errors import DataError

SETTINGS = {
    "containers": "version: '3.8'\nservices:\n  web:\n    image: nginx latest\n    command: run the server\n",
    "containers without a version": "services:\n  web:\n    image: my image\nvolumes:\n  data:\n",
    "one service": "services:\n  web:\n    image: my image\n",
    "cluster": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: my app\n",
    "workflow": 'name: Build\n"on": push\njobs:\n  test:\n    runs-on: ubuntu latest\n',
    "environment": "name: mine\nchannels:\n  - conda forge\ndependencies:\n  - python\n",
    "interface": "openapi: 3.0.0\ninfo:\n  title: My service\n",
    "hooks": "repos:\n  - repo: some place\n",
    "pipeline": "stages:\n  - build it\n  - test it\n",
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_settings_are_refused(text):
    with pytest.raises(DataError, match="settings or other data"):
        _ = YamlLocale(text.encode(), "a.yml").segments


@pytest.mark.parametrize(
    "text",
    [
        "en:\n  version: Version\n  services: Our services\n  name: Your name\n",
        "title: Welcome\nname: Your name\n",
        "greeting: Hello\nkind: Be kind\n",
        "services: Our services\nnetworks_title: Networks\n",
    ],
)
def test_locales_with_such_words_are_not(text):
    assert YamlLocale(text.encode(), "a.yml").segments
