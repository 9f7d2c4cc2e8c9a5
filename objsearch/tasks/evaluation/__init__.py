"""How good is a search, and what do its scores mean, on photos whose answer is known?"""

from objsearch.tasks.evaluation.evaluating import Evaluation, Options, Outcome, evaluate
from objsearch.tasks.evaluation.groundtruth import Groundtruth, read_groundtruth

__all__ = ["Evaluation", "Groundtruth", "Options", "Outcome", "evaluate", "read_groundtruth"]
