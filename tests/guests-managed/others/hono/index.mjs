import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { setCookie } from "hono/cookie";

const app = new Hono();
app.get("/hello/:name", (c) => {
  setCookie(c, "seen", "1");
  return c.json({ hello: c.req.param("name"), q: c.req.query("q") });
});
app.post("/sum", async (c) => c.json({ sum: (await c.req.json()).reduce((sum, each) => sum + each, 0) }, 201));

export const handler = handle(app);
