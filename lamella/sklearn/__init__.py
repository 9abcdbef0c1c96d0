"""The tasks as estimators of scikit-learn: fit, predict, score, and what pipelines and searches need.

    from lamella.sklearn import LamellaClassifier
    classifier = LamellaClassifier(minutes=1).fit(texts, labels)
    classifier.predict(["a lovely film"]); classifier.predict_proba(["a lovely film"])
    classifier.save("my-model")                     a model folder like any other
    LamellaClassifier.load("my-model").predict(...)

| class | X | y | answers |
| --- | --- | --- | --- |
| LamellaClassifier | texts, or pictures (N, H, W) or (N, H, W, 3) | labels | predict, predict_proba |
| LamellaRegressor | a row of texts for each number, such as pairs (N, 2) | numbers | predict |
| LamellaTransformer | numbers (N, columns) or a frame | | transform |
| LamellaForecaster | a table of values in order of time, or its values (T,) | | predict: the values ahead |

Which task it is follows from the class and from X, or is said by `task`. Trained estimators hold a `lamella.Model` in `model_`.
They are saved as model folders and refuse to be pickled; before `fit` they are only their parameters, and those may be.

This folder is the only one that imports scikit-learn: pip install 'lamella[sklearn]'.
"""

from importlib.util import find_spec

from lamella.errors import MissingExtra

if find_spec("sklearn") is None:
    raise MissingExtra("lamella.sklearn", "sklearn")

from lamella.sklearn.estimators import LamellaClassifier, LamellaForecaster, LamellaRegressor, LamellaTransformer

__all__ = ["LamellaClassifier", "LamellaForecaster", "LamellaRegressor", "LamellaTransformer"]
