"""The pages for staff: accounts, figures, comments, follow-up, exports, erasures, branches."""
