"""From a description to a run: plan, build, driver, simulation."""
