// A function as a component of its own: the world `function` of `wit/`, in JavaScript.

export const handler = {
  // Greets whoever the event names.
  handle(event, context) {
    const { name = "world" } = JSON.parse(new TextDecoder().decode(event)) ?? {};
    if (typeof name !== "string") {
      // A thrown object with these members is the error of `result`.
      throw { errorType: "Greeting.BadName", message: "the name is not a text", stackTrace: [] };
    }
    console.log(`greeting ${name}`);
    const answer = { message: `Hello, ${name}!`, requestId: context.requestId };
    return new TextEncoder().encode(JSON.stringify(answer));
  },
};
