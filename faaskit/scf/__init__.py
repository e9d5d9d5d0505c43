"""Deploy the function to Tencent Cloud SCF, invoke it there and read its log."""
