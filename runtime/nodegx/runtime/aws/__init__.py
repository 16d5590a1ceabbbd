"""What runs inside an AWS Lambda function: standard library only."""
