"""The REST door: thin views over the services and selectors."""
