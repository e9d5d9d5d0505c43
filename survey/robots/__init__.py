"""Robots of group chats: alerts at low scores, and escalations of those that nobody followed up."""
