"""Every grace and time-out of the product, lowered for the bed. Ratios stay: what waits longer in production waits longer here."""

SETTINGS = {
    "engine": {
        "pacing": {
            "not_yet_seconds": 6.0, "absence_seconds": 4.0, "ask_again_seconds": 0.3, "refusal_seconds": 0.5,
            "refusal_limit_seconds": 4.0, "unsure_seconds": 6.0,
            "retry_seconds": 0.3, "unseen_end_seconds": 13.0, "detail_seconds": 1.0, "cancel_again_seconds": 2.0,
            "forsaken_seconds": 6.0,
        },
        "breaker_limit_seconds": 2.0, "breaker_person_seconds": 3.0, "secret_refresh_seconds": 2.0, "finished_seconds": 1.0,
        "label_seconds": 0.5,
        "relist_seconds": 20.0, "sweep_seconds": 20.0, "gauges_seconds": 0.5, "ledger_seconds": 2.0, "payments_seconds": 0.5,
    },
    "slurm": {
        "sbatch_seconds": 4, "squeue_seconds": 3, "scancel_seconds": 4, "scontrol_seconds": 3, "sacct_seconds": 4, "watch_seconds": 2,
    },
    "process": {"watch_seconds": 2, "kill_seconds": 2},
    "ssh": {"age_seconds": 10.0},
    "lease": {"duration_seconds": 4, "renew_interval_seconds": 0.5, "margin_seconds": 1.0},   # three seconds in which nobody has a turn
}
