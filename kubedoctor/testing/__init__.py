"""For authors of diagnostics: scenarios, loaded and compared the way the built-in diagnostics are tested."""

from kubedoctor.testing.scenario import Scenario, ScenarioError, find_scenarios, load_scenario

__all__ = ["Scenario", "ScenarioError", "find_scenarios", "load_scenario"]
