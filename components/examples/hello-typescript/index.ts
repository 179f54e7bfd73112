// Greets whoever the event names: {"name": "Ada"}, or ?name=Ada at the function's URL.

interface Event {
  name?: string;
  queryStringParameters?: Record<string, string>;
}

interface Context {
  getRemainingTimeInMillis(): number;
}

export const handler = async (event: Event, context: Context): Promise<{ message: string }> => {
  const name = event.name ?? event.queryStringParameters?.name ?? "world";
  console.log(`greeting ${name}, ${context.getRemainingTimeInMillis()} ms left`);
  return { message: `Hello, ${name}!` };
};
