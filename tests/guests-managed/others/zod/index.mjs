import { z } from "zod";

const Order = z.object({
  id: z.uuid(),
  count: z.number().int().positive(),
  tags: z.array(z.string()).default([]),
  kind: z.union([z.literal("new"), z.literal("used")]),
});

export const handler = async (event) => {
  const parsed = Order.safeParse(event);
  if (parsed.success) return parsed.data;
  return { issues: parsed.error.issues.map(({ code, path }) => [code, path.join(".")]) };
};
