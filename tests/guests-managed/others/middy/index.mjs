import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";

const base = async (event) => ({ statusCode: 200, body: JSON.stringify({ name: event.body.name }) });

export const handler = middy()
  .use(httpJsonBodyParser())
  .use(httpErrorHandler({ logger: false }))
  .handler(base);
