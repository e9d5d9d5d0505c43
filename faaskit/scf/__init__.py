"""The function in its Tencent Cloud account: deploy, invoke, read its log."""
