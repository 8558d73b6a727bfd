"""How often a property is tried: 200 times in memory (the profile), 20 times where a database answers."""

from hypothesis import HealthCheck, settings

# The fixture that gives the database is made once for all examples: the property must not mind what is there.
on_database = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
