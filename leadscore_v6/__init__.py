"""leadscore_v6: lead scores a sales team can trust, built point-in-time-correct and stopped by gates."""

__version__ = "0.1.0"
