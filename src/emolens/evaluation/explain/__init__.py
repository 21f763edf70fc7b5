"""Which pixels an answer rests on: by covering them (any model), or by the gradient (networks of a run)."""
