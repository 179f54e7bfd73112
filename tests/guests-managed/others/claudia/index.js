const ApiBuilder = require("claudia-api-builder");

const api = new ApiBuilder();
api.get("/hello/{name}", (request) => ({ hello: request.pathParams.name, q: request.queryString.q }));

exports.handler = api.proxyRouter;
