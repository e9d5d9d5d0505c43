"""What staff see and do: accounts, figures, comments, follow-up, exports, branches."""
