import boto3
from botocore.config import Config

SETTINGS = {"region_name": "eu-central-1", "aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
s3 = boto3.client("s3", config=Config(signature_version="s3v4"), **SETTINGS)


def lambda_handler(event, context):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": event["key"]}, ExpiresIn=60)
    return {"url": url.split("?")[0], "signed": "X-Amz-Signature=" in url, "region": s3.meta.region_name}
