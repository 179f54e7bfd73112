export const handler = async () => "in a folder";
