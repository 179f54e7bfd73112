const express = require("express");
const serverless = require("serverless-http");

const app = express();
app.use(express.json());
app.get("/hello/:name", (request, response) => {
  response.cookie("seen", "1").json({ hello: request.params.name, q: request.query.q });
});
app.post("/sum", (request, response) => {
  response.status(201).json({ sum: request.body.reduce((sum, each) => sum + each, 0) });
});

exports.handler = serverless(app);
