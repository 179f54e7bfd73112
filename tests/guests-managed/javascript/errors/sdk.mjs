import '@aws-sdk/client-s3'; export const handler = async () => 1;
