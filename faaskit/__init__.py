"""Development side: events, local gateway, packaging, deployment. Never imported by the function, never shipped."""
