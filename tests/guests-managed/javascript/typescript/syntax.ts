export const handler = async (event: { a: number ) => event.a;
