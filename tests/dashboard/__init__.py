"""Tests of leadscore_v6/dashboard."""
