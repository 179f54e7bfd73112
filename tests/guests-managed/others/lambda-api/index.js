const api = require("lambda-api")();

api.get("/hello/:name", async (request, response) => {
  response.cookie("seen", "1");
  return { hello: request.params.name, q: request.query.q };
});
api.post("/sum", async (request, response) => {
  response.status(201).json({ sum: request.body.reduce((sum, each) => sum + each, 0) });
});

exports.handler = async (event, context) => api.run(event, context);
