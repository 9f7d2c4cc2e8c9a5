"""From pairs to answers: verdicts, fusion of several views, measures of quality."""
