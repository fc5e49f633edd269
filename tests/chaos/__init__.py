"""Chaos: a storm of incidents while replicas die, freeze and lose whatever they talk to; then the truth."""
