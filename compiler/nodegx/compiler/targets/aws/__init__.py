"""AWS: a Lambda function for each workflow, and a Pulumi program that makes it all."""
