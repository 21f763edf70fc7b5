"""What the figures of `metrics.json` are called, wherever people read them."""

NAMES = {
    "accuracy": "accuracy",
    "top2_accuracy": "top-2 accuracy",
    "top3_accuracy": "top-3 accuracy",
    "subset_accuracy": "subset accuracy",
    "mean_average_precision": "mean average precision",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_f1": "weighted F1",
    "nll": "NLL",
    "brier": "Brier score",
    "ece": "ECE against being right",
    "adaptive_ece": "adaptive ECE against being right",
    "vote_ece": "ECE against votes",
    "kl": "KL divergence from the votes",
    "jensen_shannon": "Jensen-Shannon divergence",
    "cosine_similarity": "cosine similarity",
    "chebyshev": "Chebyshev distance",
}
