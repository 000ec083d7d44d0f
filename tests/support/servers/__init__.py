"""Real servers for the tests: started once per session, when the first test asks for one."""
