"""Object storage: presigned URLs of COS and of the S3 API, and a local folder in the place of a bucket."""
